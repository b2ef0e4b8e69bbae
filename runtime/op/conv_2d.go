package op

import (
	"cmp"
	"fmt"

	"kedge/runtime/kernel"
	"kedge/runtime/tensor"
)

// conv2D is CONV_2D on int8: NHWC, weights [outC, kh, kw, inC/groups] of int8 or
// int4, optional int32 bias. On int16 it is a [wide]; on uint8 the same flipped,
// with weights of uint8 and any zero point.
type conv2D struct {
	in, out int
	kernel.Conv
	dead *deadChannels // nil for none
}

func prepareConv2D(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 3, 1); err != nil {
		return nil, err
	}
	in, w, out := p.in(0), p.in(1), p.out(0)
	if p.isReal() {
		return p.realConv2D(in, w, out)
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
	c, err := p.convGeometry(in, w, out)
	if err != nil {
		return nil, err
	}
	act := activation(p.Operator.Options.Byte(3, 0))
	if c.Output, err = p.output(in, w, out, c.OutC, 0, act); err != nil {
		return nil, err
	}
	if in.Type == tensor.Int16 {
		taps, depth := c.KernelH*c.KernelW, w.Shape[3]
		k := kernel.Wide{Window: c.Window, InC: c.InC, OutC: c.OutC, Groups: c.Groups,
			Depth: depth, FilterStride: taps * depth, TapStride: depth}
		return p.wide(k, in, out, c.Output, 6)
	}
	in = p.unpad(in, &c.Window)
	if c.Weights, err = p.weights(w); err != nil {
		return nil, err
	}
	if c.Bias, err = p.bias(p.in(2), c.OutC); err != nil {
		return nil, err
	}
	if err := p.Budget.Spend(c.OutC, 4); err != nil {
		return nil, err
	}
	p.MACs = int64(out.elements()) * int64(len(c.Weights)/c.OutC)
	var dead *deadChannels
	if c.Groups == 1 {
		if dead = p.dropDead(c.WeightZero, &c.Weights, &c.Bias, &c.Output); dead != nil {
			c.OutC = dead.live
		}
	}
	p.Kernels.PrepareConv(&c, p.Budget.Grant)
	p.Scratch = c.Scratch
	return p.unsigned(&conv2D{in.id, out.id, c, dead}, in, out), nil
}

// convGeometry checks how the shapes of a convolution fit together.
func (p *Prep) convGeometry(in, w, out operand) (kernel.Conv, error) {
	o := p.Operator.Options
	win, err := p.window2D(in, out, w.Shape[1], w.Shape[2], int(o.Int32(5, 1)), int(o.Int32(4, 1)))
	if err != nil {
		return kernel.Conv{}, err
	}
	c := kernel.Conv{Window: win, InC: in.Shape[3], OutC: w.Shape[0], InZero: in.Quant.ZeroPoint(), WeightZero: w.Quant.ZeroPoint()}
	depth := w.Shape[3]
	if depth <= 0 || c.InC == 0 || c.InC%depth != 0 {
		return c, p.invalid(w, fmt.Sprintf("filters of depth %d", depth), fmt.Sprintf("a divisor of %d input channels", c.InC))
	}
	c.Groups = c.InC / depth
	if c.OutC == 0 || c.OutC%c.Groups != 0 {
		return c, p.invalid(w, fmt.Sprintf("%d filters", c.OutC), fmt.Sprintf("a multiple of %d groups", c.Groups))
	}
	if out.Shape[3] != c.OutC {
		return c, p.invalid(out, fmt.Sprintf("%d channels", out.Shape[3]), fmt.Sprint(c.OutC))
	}
	return c, nil
}

func (c *conv2D) Eval(m *Memory) {
	out := get[int8](m, c.out)
	c.Run(get[int8](m, c.in), out, m.Scratch, &m.Work)
	if c.dead != nil {
		c.dead.spread(out)
	}
}
