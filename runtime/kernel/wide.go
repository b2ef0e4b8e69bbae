package kernel

// Wide is a convolution of int16 tensors with int8 weights (the 16x8 scheme). It
// covers depthwise and fully connected layers too: a filter sees Depth input
// channels of its group, and strides say where its weights lie.
type Wide struct {
	Window
	InC, OutC, Groups int
	Depth             int // input channels that a filter sees
	Weights           []int8
	FilterStride      int     // from one output channel's weights to the next
	TapStride         int     // from one window position's weights to the next
	Bias              []int64 // per output channel, or nil
	Output            Output
	// Narrow accumulators wrap at 32 bits and are requantized as for int8; the
	// others have 64 bits and the shorter multiplier. The bias's type decides.
	Narrow bool

	live []bool // by output channel: some weight is not 0; nil where all are so
}

// Prepare completes the block: it finds the channels of which there is nothing to
// compute. It goes through the weights in their order.
func (w *Wide) Prepare() {
	live := make([]bool, w.OutC)
	count := 0
	look := func(c, tap int) {
		at := c*w.FilterStride + tap*w.TapStride
		if !live[c] && !zeros(w.Weights[at:at+w.Depth], 0) {
			live[c] = true
			count++
		}
	}
	taps := w.KernelH * w.KernelW
	if w.TapStride > w.FilterStride {
		for tap := range taps {
			for c := range live {
				look(c, tap)
			}
		}
	} else {
		for c := range live {
			for tap := range taps {
				look(c, tap)
			}
		}
	}
	if count < w.OutC {
		w.live = live
	}
}

// Run computes the layer.
func (w *Wide) Run(in, out []int16) {
	filters := w.OutC / w.Groups
	for b := range w.Batch {
		image := in[b*w.InH*w.InW*w.InC : (b+1)*w.InH*w.InW*w.InC]
		for y := range w.OutH {
			for x := range w.OutW {
				for c := range w.OutC {
					acc := int64(0)
					if w.live == nil || w.live[c] {
						acc = w.dot(image, y*w.StrideH-w.PadTop, x*w.StrideW-w.PadLeft, c, c/filters*w.Depth)
					}
					out[c] = w.requantize(acc, c)
				}
				out = out[w.OutC:]
			}
		}
	}
}

// dot is filter c over the window at (top, left), input channels from first on.
func (w *Wide) dot(image []int16, top, left, c, first int) int64 {
	y0, y1 := taps(top, w.KernelH, w.DilationH, w.InH)
	x0, x1 := taps(left, w.KernelW, w.DilationW, w.InW)
	var acc int64
	for ky := y0; ky < y1; ky++ {
		for kx := x0; kx < x1; kx++ {
			at := ((top+ky*w.DilationH)*w.InW+left+kx*w.DilationW)*w.InC + first
			wt := c*w.FilterStride + (ky*w.KernelW+kx)*w.TapStride
			weights := w.Weights[wt : wt+w.Depth]
			for i, v := range image[at : at+w.Depth] {
				acc += int64(int32(v) * int32(weights[i]))
			}
		}
	}
	return acc
}

func (w *Wide) requantize(acc int64, c int) int16 {
	if w.Bias != nil {
		acc += w.Bias[c]
	}
	m := w.Output.Multipliers[c]
	v := int32(0)
	if w.Narrow {
		v = m.Apply(int32(acc))
	} else {
		v = m.ApplyWide(acc)
	}
	return int16(min(max(v+w.Output.Zero, w.Output.Min), w.Output.Max))
}
