package kernel

// Depthwise is a 2D convolution in which output channel o sees only input
// channel o/Multiplier; weights [KernelH, KernelW, OutC].
type Depthwise struct {
	Window
	InC, OutC  int
	Multiplier int   // OutC/InC
	InZero     int32 // within int8
	Weights    []int8
	Bias       []int32 // per output channel, or nil
	Output     Output

	Scratch int // bytes that Depthwise needs; set by PrepareDepthwise
}

func prepareDepthwiseGeneric(d *Depthwise) { d.Scratch = 4 * d.OutC }

// depthwiseGeneric accumulates all channels of an output pixel side by side, one
// window position after another, leaving out those beyond the edge.
func depthwiseGeneric(d *Depthwise, in, out []int8, scratch []byte) {
	acc := int32s(scratch)[:d.OutC]
	for b := range d.Batch {
		image := in[b*d.InH*d.InW*d.InC : (b+1)*d.InH*d.InW*d.InC]
		for y := range d.OutH {
			top := y*d.StrideH - d.PadTop
			y0, y1 := taps(top, d.KernelH, d.DilationH, d.InH)
			for x := range d.OutW {
				left := x*d.StrideW - d.PadLeft
				x0, x1 := taps(left, d.KernelW, d.DilationW, d.InW)
				clear(acc)
				copy(acc, d.Bias)
				for ky := y0; ky < y1; ky++ {
					line := image[(top+ky*d.DilationH)*d.InW*d.InC:]
					for kx := x0; kx < x1; kx++ {
						at := (left + kx*d.DilationW) * d.InC
						w := (ky*d.KernelW + kx) * d.OutC
						d.accumulate(acc, line[at:at+d.InC], d.Weights[w:w+d.OutC])
					}
				}
				for c, a := range acc {
					out[c] = d.Output.requantize(a, c)
				}
				out = out[d.OutC:]
			}
		}
	}
}

// accumulate adds one window position's products.
func (d *Depthwise) accumulate(acc []int32, x, w []int8) {
	w = w[:len(acc)]
	if d.Multiplier == 1 {
		x = x[:len(acc)]
		for i := range acc {
			acc[i] += (int32(x[i]) - d.InZero) * int32(w[i])
		}
		return
	}
	for _, b := range x {
		v := int32(b) - d.InZero
		for i := range d.Multiplier {
			acc[i] += v * int32(w[i])
		}
		acc, w = acc[d.Multiplier:], w[d.Multiplier:]
	}
}
