package op

import (
	"cmp"
	"fmt"

	"kedge/runtime/kernel"
	"kedge/runtime/tensor"
)

// fullyConnected is FULLY_CONNECTED on int8: rows of k times weights [n, k] of
// int8 or int4, optional int32 bias. On int16 it is a [wide], each row an image
// of one pixel.
type fullyConnected struct {
	in, out int
	kernel.Dense
	dead *deadChannels // nil for none
}

func prepareFullyConnected(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 3, 1); err != nil {
		return nil, err
	}
	in, w, out := p.in(0), p.in(1), p.out(0)
	switch in.Type {
	case tensor.Uint8:
		return p.fullyConnectedUint8(in, w, out)
	case tensor.Float32:
		return p.realFullyConnected(in, w, out)
	}
	if err := cmp.Or(
		p.types(in, tensor.Int8, tensor.Int16), p.types(w, tensor.Int8, tensor.Int4), p.types(out, in.Type),
		p.rank(w, 2), p.quantized(in), p.quantized(out), p.centered(in, out), p.denseZero(w),
	); err != nil {
		return nil, err
	}
	if f := p.Operator.Options.Byte(1, 0); f != 0 {
		return nil, p.unsupported(w, fmt.Sprintf("weights format %d", f), "0 (default)")
	}
	d, err := p.denseGeometry(in, w, out)
	if err != nil {
		return nil, err
	}
	if d.Output, err = p.denseOutput(in, w, out, d.N); err != nil {
		return nil, err
	}
	if in.Type == tensor.Int16 {
		if err := p.symmetric(w); err != nil {
			return nil, err
		}
		return p.wide(widePixels(&d), in, out, d.Output, 4)
	}
	if w.Compressed {
		return p.sparseFullyConnected(d, in, w, out)
	}
	if d.Weights, err = p.weights(w); err != nil {
		return nil, err
	}
	if d.Bias, err = p.bias(p.in(2), d.N); err != nil {
		return nil, err
	}
	if err := p.Budget.Spend(d.N, 4); err != nil {
		return nil, err
	}
	p.MACs = int64(d.Batch) * int64(len(d.Weights))
	dead := p.dropDead(d.WeightZero, &d.Weights, &d.Bias, &d.Output)
	if dead != nil {
		d.N = dead.live
	}
	p.Kernels.PrepareDense(&d, p.Budget.Grant)
	p.Scratch = d.Scratch
	return &fullyConnected{in.id, out.id, d, dead}, nil
}

// widePixels is the layer as a convolution over images of one pixel.
func widePixels(d *kernel.Dense) kernel.Wide {
	pixel := kernel.Window{Batch: d.Batch, InH: 1, InW: 1, OutH: 1, OutW: 1, KernelH: 1, KernelW: 1,
		StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}
	return kernel.Wide{Window: pixel, InC: d.K, OutC: d.N, Groups: 1, Depth: d.K, FilterStride: d.K}
}

// denseGeometry checks how the shapes fit together. Whatever the input's shape,
// it is rows of k elements.
func (p *Prep) denseGeometry(in, w, out operand) (kernel.Dense, error) {
	d := kernel.Dense{N: w.Shape[0], K: w.Shape[1], InZero: in.Quant.ZeroPoint()}
	if d.N == 0 || d.K == 0 || in.elements()%d.K != 0 {
		return d, p.invalid(w, fmt.Sprintf("shape %v", w.Shape), fmt.Sprintf("rows that divide the input's %d elements", in.elements()))
	}
	d.Batch = in.elements() / d.K
	if len(out.Shape) == 0 || out.Shape[len(out.Shape)-1] != d.N || out.elements() != d.Batch*d.N {
		return d, p.invalid(out, fmt.Sprintf("shape %v", out.Shape), fmt.Sprintf("%d rows of %d", d.Batch, d.N))
	}
	if !w.Quant.PerChannel() {
		d.WeightZero = w.Quant.ZeroPoint()
	}
	return d, nil
}

// denseZero checks the zero point of weights with one scale.
func (p *Prep) denseZero(w operand) error {
	if z := w.Quant.ZeroPoint(); !w.Quant.PerChannel() && (z < -128 || z > 127) {
		return p.invalid(w, fmt.Sprintf("zero point %d", z), "-128 to 127")
	}
	return nil
}

// denseOutput is the requantization. With one scale for all weights its product
// with the input's scale is rounded to float32, unlike everywhere else.
func (p *Prep) denseOutput(in, w, out operand, n int) (kernel.Output, error) {
	act := activation(p.Operator.Options.Byte(0, 0))
	if w.Quant.PerChannel() {
		if err := p.symmetric(w); err != nil {
			return kernel.Output{}, err
		}
		return p.output(in, w, out, n, 0, act)
	}
	if len(w.Quant.Scales) == 0 {
		return kernel.Output{}, p.invalid(w, "no scale", "a positive one")
	}
	if err := p.biasScale(in, w, p.in(2), out); err != nil {
		return kernel.Output{}, err
	}
	ms, err := p.tensorMultipliers(in, w, out, n)
	if err != nil {
		return kernel.Output{}, err
	}
	lo, hi, err := p.clamp(act, out)
	return kernel.Output{Multipliers: ms, Zero: out.Quant.ZeroPoint(), Min: lo, Max: hi}, err
}

func (d *fullyConnected) Eval(m *Memory) {
	out := get[int8](m, d.out)
	d.Run(get[int8](m, d.in), out, m.Scratch, &m.Work)
	if d.dead != nil {
		d.dead.spread(out)
	}
}
