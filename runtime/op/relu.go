package op

import (
	"cmp"
	"math"

	"kedge/runtime/tensor"
)

// prepareRelu prepares RELU, which also requantizes. On float32 it leaves -0 and
// NaN as they are.
func prepareRelu(p *Prep) (Evaluator, error) {
	if p.isReal() {
		return p.real(bounds{0, float32(math.Inf(1))}.clamp)
	}
	in, out, err := p.unary(tensor.Int8, tensor.Uint8, tensor.Int16)
	if err != nil {
		return nil, err
	}
	if err := p.centered(in, out); err != nil {
		return nil, err
	}
	_, hi, _ := out.Type.Range()
	return p.requantizingRelu(in, out, out.Quant.ZeroPoint(), hi)
}

// reluWithin prepares a relative of RELU on int8 or uint8 that limits values to
// [low, high], or on float32. TensorFlow Lite Micro has none; the definition is
// that of TensorFlow Lite's reference kernels, for all types.
func (p *Prep) reluWithin(low, high float32) (Evaluator, error) {
	if p.isReal() {
		return p.real(bounds{low, high}.clamp)
	}
	in, out, err := p.unary(tensor.Int8, tensor.Uint8)
	if err != nil {
		return nil, err
	}
	lo, hi, _ := out.Type.Range()
	return p.requantizingRelu(in, out, quantizeBound(low, out.Quant, lo, hi), quantizeBound(high, out.Quant, lo, hi))
}

// requantizingRelu changes in's quantization to out's, within the output values
// [lo, hi]. The factor is the float32 quotient of the scales.
func (p *Prep) requantizingRelu(in, out operand, lo, hi int32) (Evaluator, error) {
	m, err := p.multiplier(in, float64(float32(in.Quant.Scale()/out.Quant.Scale())))
	if err != nil {
		return nil, err
	}
	r := rescale{m: m, inZero: in.Quant.ZeroPoint(), outZero: out.Quant.ZeroPoint(), lo: lo, hi: hi}
	return p.mapped(in, out, r)
}

// unary checks an elementwise operator on one tensor of the given types.
func (p *Prep) unary(types ...tensor.Type) (in, out operand, err error) {
	if err := p.arity(1, 1, 1); err != nil {
		return in, out, err
	}
	in, out = p.in(0), p.out(0)
	return in, out, cmp.Or(
		p.types(in, types...), p.types(out, in.Type), p.shape(out, in.Shape),
		p.quantized(in), p.quantized(out),
	)
}
