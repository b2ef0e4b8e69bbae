package kernel

// Depthwise is a 2D convolution in which output channel o sees only input
// channel o/Multiplier; weights [KernelH, KernelW, OutC].
type Depthwise struct {
	Window
	InC, OutC  int
	Multiplier int   // OutC/InC
	InZero     int32 // within int8
	WeightZero int32 // within int8; 0 for symmetric weights
	Weights    []int8
	Bias       []int32 // per output channel, or nil
	Output     Output

	Scratch int // bytes that Run needs

	layer *layer       // nil for plain Go
	live  []channelRun // those whose products have to be computed
}

// Run computes the layer.
func (d *Depthwise) Run(in, out []int8, scratch []byte, w *Work) {
	if d.layer != nil {
		d.layer.run(in, out, scratch, w)
		return
	}
	depthwiseGeneric(d, in, out, scratch)
}

// channelRun is a run of neighboring input channels, end not included.
type channelRun struct{ first, end int }

// deadRun is how many neighboring channels have to be dead for it to pay to go
// round them, as each run begins its loops anew.
const deadRun = 16

// prepareDepthwiseGeneric finds the runs of input channels whose filters are all
// 0: their outputs are the bias, whatever the input.
func prepareDepthwiseGeneric(d *Depthwise) {
	d.Scratch = 4 * d.OutC
	d.live = nil
	run := channelRun{}
	for c, live := range d.channels() {
		if !live {
			continue
		}
		if c-run.end >= deadRun {
			d.keep(run)
			run.first = c
		}
		run.end = c + 1
	}
	if d.InC-run.end < deadRun {
		run.end = d.InC
	}
	d.keep(run)
}

// channels tells of every input channel whether it has a weight that does not
// stand for 0.
func (d *Depthwise) channels() []bool {
	live := make([]bool, d.InC)
	for at := 0; at < len(d.Weights); at += d.OutC {
		w := d.Weights[at : at+d.OutC]
		for c := range live {
			live[c] = live[c] || !zeros(w[c*d.Multiplier:(c+1)*d.Multiplier], int8(d.WeightZero))
		}
	}
	return live
}

// zeros reports whether all weights are the one that stands for 0.
func zeros(weights []int8, zero int8) bool {
	for _, w := range weights {
		if w != zero {
			return false
		}
	}
	return true
}

func (d *Depthwise) keep(r channelRun) {
	if r.first < r.end {
		d.live = append(d.live, r)
	}
}

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
				for ky := y0; ky < y1 && x0 < x1; ky++ {
					at := ((top+ky*d.DilationH)*d.InW + left + x0*d.DilationW) * d.InC
					w := (ky*d.KernelW + x0) * d.OutC
					for _, r := range d.live {
						d.row(acc[r.first*d.Multiplier:r.end*d.Multiplier], image[at+r.first:], d.Weights[w+r.first*d.Multiplier:], x1-x0)
					}
				}
				out = out[d.Output.requantizeAll(acc, 0, out):]
			}
		}
	}
}

// row adds the products of n neighboring window positions, the first at the
// start of x and w. Three at a time spare the accumulators' loads and stores.
func (d *Depthwise) row(acc []int32, x, w []int8, n int) {
	step := d.DilationW * d.InC
	if d.WeightZero != 0 {
		for ; n > 0; n-- {
			d.accumulateAsymmetric(acc, x, w)
			x, w = x[min(step, len(x)):], w[min(d.OutC, len(w)):]
		}
		return
	}
	for ; n >= 3 && d.Multiplier == 1; n -= 3 {
		accumulate3(acc, x, x[step:], x[2*step:], w, w[d.OutC:], w[2*d.OutC:], d.InZero)
		x, w = x[min(3*step, len(x)):], w[min(3*d.OutC, len(w)):]
	}
	for ; n > 0; n-- {
		d.accumulate(acc, x, w)
		x, w = x[min(step, len(x)):], w[min(d.OutC, len(w)):]
	}
}

// accumulate3 adds three window positions' products for one channel each.
func accumulate3(acc []int32, x0, x1, x2, w0, w1, w2 []int8, zero int32) {
	n := len(acc)
	x0, x1, x2, w0, w1, w2 = x0[:n], x1[:n], x2[:n], w0[:n], w1[:n], w2[:n]
	for i := range acc {
		acc[i] += (int32(x0[i])-zero)*int32(w0[i]) + (int32(x1[i])-zero)*int32(w1[i]) + (int32(x2[i])-zero)*int32(w2[i])
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
	for _, b := range x[:len(acc)/d.Multiplier] {
		v := int32(b) - d.InZero
		for i := range d.Multiplier {
			acc[i] += v * int32(w[i])
		}
		acc, w = acc[d.Multiplier:], w[d.Multiplier:]
	}
}

// accumulateAsymmetric is accumulate for weights with a zero point.
func (d *Depthwise) accumulateAsymmetric(acc []int32, x, w []int8) {
	w = w[:len(acc)]
	if d.Multiplier == 1 {
		x = x[:len(acc)]
		for i := range acc {
			acc[i] += (int32(x[i]) - d.InZero) * (int32(w[i]) - d.WeightZero)
		}
		return
	}
	for _, b := range x[:len(acc)/d.Multiplier] {
		v := int32(b) - d.InZero
		for i := range d.Multiplier {
			acc[i] += v * (int32(w[i]) - d.WeightZero)
		}
		acc, w = acc[d.Multiplier:], w[d.Multiplier:]
	}
}

// macs is the number of multiply-accumulate operations.
func (d *Depthwise) macs() int64 {
	return int64(d.Batch) * int64(d.OutH*d.OutW) * int64(len(d.Weights))
}
