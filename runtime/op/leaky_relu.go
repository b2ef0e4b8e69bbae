package op

import (
	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
)

// leakyRelu is LEAKY_RELU on int8, uint8 or int16: the input less its zero point, scaled
// by in/out where it is not negative and by in·alpha/out where it is, plus the
// output's zero point, clamped. A negative alpha scales by its magnitude and
// negates the rounded result.
type leakyRelu struct {
	identity, alpha fixed.Multiplier
	negative        bool // alpha
	inZero, outZero int32
	lo, hi          int32
}

// prepareLeakyRelu prepares LEAKY_RELU. Both factors are computed in float32.
// float32 inputs that are not positive are multiplied by alpha.
func prepareLeakyRelu(p *Prep) (Evaluator, error) {
	if p.isReal() {
		alpha := p.Operator.Options.Float32(0, 0)
		return p.real(func(x float32) float32 {
			if x > 0 {
				return x
			}
			return x * alpha
		})
	}
	in, out, err := p.unary(tensor.Int8, tensor.Uint8, tensor.Int16)
	if err != nil {
		return nil, err
	}
	l := leakyRelu{inZero: in.Quant.ZeroPoint(), outZero: out.Quant.ZeroPoint()}
	l.lo, l.hi, _ = out.Type.Range()
	scale := in.Quant.Scale()
	if l.identity, err = p.multiplier(in, float64(float32(scale/out.Quant.Scale()))); err != nil {
		return nil, err
	}
	alpha := p.Operator.Options.Float32(0, 0)
	if l.negative = alpha < 0; l.negative {
		alpha = -alpha
	}
	product := float32(scale * alpha)
	if l.alpha, err = p.multiplier(in, float64(float32(product/out.Quant.Scale()))); err != nil {
		return nil, err
	}
	return p.mapped(in, out, l)
}

func (l leakyRelu) at(v int32) int32 {
	v -= l.inZero
	var y int32
	switch {
	case v >= 0:
		y = l.identity.Apply(v)
	case l.negative:
		y = -l.alpha.Apply(v)
	default:
		y = l.alpha.Apply(v)
	}
	return min(max(y+l.outZero, l.lo), l.hi)
}
