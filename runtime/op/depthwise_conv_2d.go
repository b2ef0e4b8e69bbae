package op

import (
	"cmp"
	"fmt"

	"kedge/runtime/kernel"
	"kedge/runtime/tensor"
)

// depthwiseConv2D is DEPTHWISE_CONV_2D on int8: NHWC, weights [1, kh, kw, outC]
// of int8 or int4, optional int32 bias. On int16 it is a [wide] with as many
// groups as input channels, whose bias is int64; on uint8 the same as int8,
// flipped, with weights of uint8 and any zero point.
type depthwiseConv2D struct {
	in, out int
	kernel.Depthwise
}

func prepareDepthwiseConv2D(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 3, 1); err != nil {
		return nil, err
	}
	in, w, out := p.in(0), p.in(1), p.out(0)
	if p.isReal() {
		return p.realDepthwiseConv2D(in, w, out)
	}
	if err := cmp.Or(
		p.types(in, tensor.Int8, tensor.Uint8, tensor.Int16), p.types(out, in.Type),
		p.rank(in, 4), p.rank(w, 4), p.rank(out, 4),
		p.quantized(in), p.quantized(out), p.centered(in, out), p.filter(in, w, p.in(2), out),
	); err != nil {
		return nil, err
	}
	if err := p.signed(&in, &w, &out); err != nil {
		return nil, err
	}
	d, err := p.depthwiseGeometry(in, w, out)
	if err != nil {
		return nil, err
	}
	act := activation(p.Operator.Options.Byte(4, 0))
	if d.Output, err = p.output(in, w, out, d.OutC, 3, act); err != nil {
		return nil, err
	}
	if in.Type == tensor.Int16 {
		if b := p.in(2); b.given() && b.Type != tensor.Int64 {
			return nil, p.types(b, tensor.Int64)
		}
		k := kernel.Wide{Window: d.Window, InC: d.InC, OutC: d.OutC, Groups: d.InC,
			Depth: 1, FilterStride: 1, TapStride: d.OutC}
		return p.wide(k, in, out, d.Output, noField)
	}
	in = p.unpad(in, &d.Window)
	if d.Weights, err = p.weights(w); err != nil {
		return nil, err
	}
	if d.Bias, err = p.bias(p.in(2), d.OutC); err != nil {
		return nil, err
	}
	if err := p.Budget.Spend(d.InC, 3); err != nil { // for the kernel's notes of channels
		return nil, err
	}
	p.Kernels.PrepareDepthwise(&d, p.Budget.Grant)
	p.Scratch = d.Scratch
	p.MACs = int64(out.elements()) * int64(d.KernelH*d.KernelW)
	return p.unsigned(&depthwiseConv2D{in.id, out.id, d}, in, out), nil
}

// depthwiseGeometry checks how the shapes fit together. The channel multiplier
// follows from them; the option of that name is redundant in the schema.
func (p *Prep) depthwiseGeometry(in, w, out operand) (kernel.Depthwise, error) {
	o := p.Operator.Options
	win, err := p.window2D(in, out, w.Shape[1], w.Shape[2], int(o.Int32(6, 1)), int(o.Int32(5, 1)))
	if err != nil {
		return kernel.Depthwise{}, err
	}
	d := kernel.Depthwise{Window: win, InC: in.Shape[3], OutC: w.Shape[3], InZero: in.Quant.ZeroPoint(), WeightZero: w.Quant.ZeroPoint()}
	if w.Shape[0] != 1 {
		return d, p.invalid(w, fmt.Sprintf("shape %v", w.Shape), "1 as its first dimension")
	}
	if d.InC == 0 || d.OutC == 0 || d.OutC%d.InC != 0 {
		return d, p.invalid(w, fmt.Sprintf("%d channels", d.OutC), fmt.Sprintf("a multiple of %d input channels", d.InC))
	}
	if out.Shape[3] != d.OutC {
		return d, p.invalid(out, fmt.Sprintf("%d channels", out.Shape[3]), fmt.Sprint(d.OutC))
	}
	d.Multiplier = d.OutC / d.InC
	return d, nil
}

func (d *depthwiseConv2D) Eval(m *Memory) {
	d.Run(get[int8](m, d.in), get[int8](m, d.out), m.Scratch, &m.Work)
}
