package op

import (
	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
)

// cumsumWalk is how CUMSUM goes over its operands: along one axis, forward or
// backward, each element including itself or not.
type cumsumWalk struct {
	in, out            int
	outer, size, inner int
	exclusive, reverse bool
}

// prepareCumsum prepares CUMSUM. float32 is added one by one. int8 is summed as
// in ADD_N, which in the reference makes every sum begin with minus the zero
// point.
func prepareCumsum(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	if err := p.types(in, tensor.Int8, tensor.Float32); err != nil {
		return nil, err
	}
	if err := p.types(out, in.Type); err != nil {
		return nil, err
	}
	if err := p.shape(out, in.Shape); err != nil {
		return nil, err
	}
	axis, err := p.constantAxis(p.in(1), len(in.Shape))
	if err != nil {
		return nil, err
	}
	w := cumsumWalk{in: in.id, out: out.id, size: in.Shape[axis],
		exclusive: p.Operator.Options.Bool(0, false), reverse: p.Operator.Options.Bool(1, false)}
	w.outer, w.inner = around(in.Shape, axis)
	if in.elements() == 0 {
		w.outer = 0
	}
	if in.Type == tensor.Float32 {
		return &cumsumReal{w}, nil
	}
	c := &cumsum{cumsumWalk: w, zero: in.Quant.ZeroPoint(), outZero: out.Quant.ZeroPoint()}
	c.half, c.m, err = p.sumMultipliers(in, out)
	return c, err
}

// each calls f for every element in the order of summation; first begins a sum.
func (w *cumsumWalk) each(f func(at int, first bool)) {
	for o := range w.outer {
		for i := range w.inner {
			for k := range w.size {
				d := k
				if w.reverse {
					d = w.size - 1 - k
				}
				f((o*w.size+d)*w.inner+i, k == 0)
			}
		}
	}
}

// cumsum is CUMSUM on int8.
type cumsum struct {
	cumsumWalk
	half, m       fixed.Multiplier
	zero, outZero int32
}

func (c *cumsum) Eval(m *Memory) {
	in, out := get[int8](m, c.in), get[int8](m, c.out)
	sum := int32(0)
	c.each(func(at int, first bool) {
		if first {
			sum = c.half.Apply(-c.zero << 20)
		}
		before := sum
		sum += c.half.Apply((int32(in[at]) - c.zero) << 20)
		if !c.exclusive {
			before = sum
		}
		out[at] = int8(min(max(c.m.Apply(before)+c.outZero, -128), 127))
	})
}

// cumsumReal is CUMSUM on float32.
type cumsumReal struct{ cumsumWalk }

func (c *cumsumReal) Eval(m *Memory) {
	in, out := get[float32](m, c.in), get[float32](m, c.out)
	sum := float32(0)
	c.each(func(at int, first bool) {
		if first {
			sum = 0
		}
		before := sum
		sum += in[at]
		if !c.exclusive {
			before = sum
		}
		out[at] = before
	})
}
