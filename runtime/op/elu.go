package op

import (
	"math"

	"kedge/runtime/tensor"
)

// elu is ELU on int8, a table of real results: x for x ≥ 0 and e^x − 1 below,
// times the reciprocal of the output's scale, rounded half away from zero, plus
// the zero point, clamped. Every step is rounded to float32.
type elu struct {
	scale, inverse float32
	zero           int32
	outZero        float32
}

func prepareElu(p *Prep) (Evaluator, error) {
	in, out, err := p.unary()
	if err != nil {
		return nil, err
	}
	if err := p.types(in, tensor.Int8); err != nil {
		return nil, err
	}
	return p.lookup(in, out, elu{
		scale: in.Quant.Scale(), inverse: float32(1 / out.Quant.Scale()),
		zero: in.Quant.ZeroPoint(), outZero: float32(out.Quant.ZeroPoint()),
	})
}

func (e elu) at(v int32) int32 {
	x := float32(e.scale * float32(v-e.zero))
	if x < 0 {
		x = float32(expf(x) - 1)
	}
	if x == 0 {
		return int32(e.outZero) // also where the reciprocal is infinite
	}
	y := float32(roundf(float32(x*e.inverse)) + e.outZero)
	return int32(min(max(y, math.MinInt8), math.MaxInt8))
}
