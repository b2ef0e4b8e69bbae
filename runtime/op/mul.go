package op

import (
	"cmp"

	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
)

// mulParams is the multiplication of quantized values: the product of the
// inputs less their zero points, scaled once by in·in/out (each step in float64,
// for uint8 in float32), plus the output's zero point, clamped.
type mulParams struct {
	xZero, yZero, zero int32
	m                  fixed.Multiplier
	lo, hi             int32
}

// prepareMul prepares MUL. int16 has no zero points. On plain int32 the product
// wraps around and is clamped to the fused activation.
func prepareMul(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	x, y, out := p.in(0), p.in(1), p.out(0)
	if err := cmp.Or(
		p.types(out, tensor.Int8, tensor.Uint8, tensor.Int16, tensor.Int32, tensor.Float32), p.types(x, out.Type), p.types(y, out.Type),
	); err != nil {
		return nil, err
	}
	act := activation(p.Operator.Options.Byte(0, 0))
	if out.Type == tensor.Float32 {
		return p.realPair(act, func(x, y float32) float32 { return x * y })
	}
	if out.Type == tensor.Int32 {
		lo, hi, err := p.clampPlain(act)
		if err != nil {
			return nil, err
		}
		return pair(p, func(a, b int32) int32 { return min(max(a*b, lo), hi) })
	}
	f, err := p.mulParams(x, y, out, act)
	if err != nil {
		return nil, err
	}
	switch out.Type {
	case tensor.Uint8:
		return pair(p, func(a, b uint8) uint8 { return uint8(f.at(int32(a), int32(b))) })
	case tensor.Int16:
		return pair(p, func(a, b int16) int16 { return int16(f.at(int32(a), int32(b))) })
	}
	if e := p.mulChannels(f); e != nil {
		return e, nil
	}
	return pair(p, func(a, b int8) int8 { return int8(f.at(int32(a), int32(b))) })
}

func (p *Prep) mulParams(x, y, out operand, act activation) (f mulParams, err error) {
	if err := cmp.Or(p.quantized(x), p.quantized(y), p.quantized(out), p.centered(x, y, out)); err != nil {
		return f, err
	}
	f.xZero, f.yZero, f.zero = x.Quant.ZeroPoint(), y.Quant.ZeroPoint(), out.Quant.ZeroPoint()
	product := float64(float64(x.Quant.Scale()) * float64(y.Quant.Scale()))
	factor := product / float64(out.Quant.Scale())
	if out.Type == tensor.Uint8 {
		product := float32(x.Quant.Scale() * y.Quant.Scale())
		factor = float64(float32(product / out.Quant.Scale()))
	}
	if f.m, err = p.multiplier(out, factor); err != nil {
		return f, err
	}
	f.lo, f.hi, err = p.clamp(act, out)
	return f, err
}

func (f *mulParams) at(x, y int32) int32 {
	return min(max(f.m.Apply((x-f.xZero)*(y-f.yZero))+f.zero, f.lo), f.hi)
}
