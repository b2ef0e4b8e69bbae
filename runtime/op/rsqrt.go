package op

import (
	"math"

	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
)

// rsqrt is RSQRT, 1/√x, on int8 or int16: the reciprocal root of the input less its zero
// point in fixed point, as an integer with 20 more bits, then scaled by the
// output's factor without those. 0 gives the highest value. So does what is
// negative, where the reference fails in the middle of the inference.
type rsqrt struct {
	m             fixed.Multiplier
	zero, outZero int32
	lo, hi        int32
}

// prepareRsqrt prepares RSQRT; its factor is 1/(√in·out), root and product in
// float32, the quotient in float64. On float32, root and quotient are rounded.
func prepareRsqrt(p *Prep) (Evaluator, error) {
	if p.isReal() {
		return p.real(func(x float32) float32 { return 1 / sqrtf(x) })
	}
	in, out, err := p.unary(tensor.Int8, tensor.Int16)
	if err != nil {
		return nil, err
	}
	if err := p.centered(in, out); err != nil {
		return nil, err
	}
	root := float32(math.Sqrt(float64(in.Quant.Scale())))
	m, err := p.multiplier(out, 1/float64(float32(root*out.Quant.Scale())))
	if err != nil {
		return nil, err
	}
	m.Shift -= 20
	lo, hi, _ := out.Type.Range()
	return p.mapped(in, out, rsqrt{m, in.Quant.ZeroPoint(), out.Quant.ZeroPoint(), lo, hi})
}

func (r rsqrt) at(v int32) int32 {
	if v <= r.zero {
		return r.hi
	}
	root := fixed.InvSqrt(v - r.zero)
	root.Shift += 20
	return min(max(r.m.Apply(root.Apply(1))+r.outZero, r.lo), r.hi)
}
