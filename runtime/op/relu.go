package op

import (
	"cmp"

	"kedge/runtime/tensor"
)

// prepareRelu prepares RELU, which also requantizes. Its factor is the float32
// quotient of the scales.
func prepareRelu(p *Prep) (Evaluator, error) {
	in, out, err := p.unary()
	if err != nil {
		return nil, err
	}
	if err := p.centered(in, out); err != nil {
		return nil, err
	}
	m, err := p.multiplier(in, float64(float32(in.Quant.Scale()/out.Quant.Scale())))
	if err != nil {
		return nil, err
	}
	zero := out.Quant.ZeroPoint()
	_, hi, _ := out.Type.Range()
	r := rescale{m: m, inZero: in.Quant.ZeroPoint(), outZero: zero, lo: zero, hi: hi}
	return p.mapped(in, out, r)
}

// unary checks an elementwise operator on one int8 or int16 tensor.
func (p *Prep) unary() (in, out operand, err error) {
	if err := p.arity(1, 1, 1); err != nil {
		return in, out, err
	}
	in, out = p.in(0), p.out(0)
	return in, out, cmp.Or(
		p.types(in, tensor.Int8, tensor.Int16), p.types(out, in.Type), p.shape(out, in.Shape),
		p.quantized(in), p.quantized(out),
	)
}
