package op

import (
	"cmp"

	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
)

// squaredDifference is SQUARED_DIFFERENCE, (x − y)², of quantized values: each
// input is shifted left and scaled to twice the larger input scale, and the
// square of their difference is scaled to the output.
type squaredDifference struct {
	x, y, out          fixed.Multiplier
	xZero, yZero, zero int32
	shift              uint32 // 7 for int8, 0 for int16
	lo, hi             int32
}

// prepareSquaredDifference prepares SQUARED_DIFFERENCE. int16 has no zero points.
// Plain int32 wraps around.
func prepareSquaredDifference(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	x, y, out := p.in(0), p.in(1), p.out(0)
	if err := cmp.Or(
		p.types(out, tensor.Int8, tensor.Int16, tensor.Int32, tensor.Float32), p.types(x, out.Type), p.types(y, out.Type),
	); err != nil {
		return nil, err
	}
	if out.Type == tensor.Float32 {
		return pair(p, func(a, b float32) float32 {
			d := float32(a - b)
			return d * d
		})
	}
	if out.Type == tensor.Int32 {
		return pair(p, func(a, b int32) int32 { return (a - b) * (a - b) })
	}
	if err := cmp.Or(p.quantized(x), p.quantized(y), p.quantized(out), p.centered(x, y, out)); err != nil {
		return nil, err
	}
	f := squaredDifference{xZero: x.Quant.ZeroPoint(), yZero: y.Quant.ZeroPoint(), zero: out.Quant.ZeroPoint()}
	f.lo, f.hi, _ = out.Type.Range()
	if out.Type == tensor.Int8 {
		f.shift = 7
	}
	twiceMax := 2 * float64(max(x.Quant.Scale(), y.Quant.Scale()))
	f.x = fixed.Quantize(float64(x.Quant.Scale()) / twiceMax)
	f.y = fixed.Quantize(float64(y.Quant.Scale()) / twiceMax)
	unit := float64(int64(1)<<(2*f.shift)) * float64(out.Quant.Scale()) // exact
	var err error
	if f.out, err = p.multiplier(out, float64(twiceMax*twiceMax)/unit); err != nil {
		return nil, err
	}
	if out.Type == tensor.Int16 {
		return pair(p, func(a, b int16) int16 { return int16(f.at(int32(a), int32(b))) })
	}
	return pair(p, func(a, b int8) int8 { return int8(f.at(int32(a), int32(b))) })
}

func (f *squaredDifference) at(x, y int32) int32 {
	d := f.x.Apply((x-f.xZero)<<f.shift) - f.y.Apply((y-f.yZero)<<f.shift)
	return min(max(f.out.Apply(d*d)+f.zero, f.lo), f.hi)
}
