package op

import (
	"cmp"
	"fmt"
	"math/bits"

	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
)

// div is DIV on int8 or uint8: the inputs less their zero points, the dividend shifted
// left as far as it goes and multiplied by the divisor's reciprocal in fixed
// point, then scaled by x/(y·out) (product and quotient in float32), plus the
// output's zero point, clamped. Division by 0, which the reference leaves
// undefined, gives the bound on the dividend's side, and 0 for 0/0; a right shift
// beyond 31, likewise undefined, leaves 0.
type div struct {
	xZero, yZero, zero int32
	m                  fixed.Multiplier
	lo, hi             int32
}

// prepareDiv prepares DIV. Plain int32 is truncated and clamped to the fused
// activation; there division by 0 gives 0.
func prepareDiv(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	x, y, out := p.in(0), p.in(1), p.out(0)
	if err := cmp.Or(
		p.types(out, tensor.Int8, tensor.Uint8, tensor.Int32, tensor.Float32), p.types(x, out.Type), p.types(y, out.Type),
	); err != nil {
		return nil, err
	}
	act := activation(p.Operator.Options.Byte(0, 0))
	if out.Type == tensor.Float32 {
		return p.realPair(act, func(x, y float32) float32 { return x / y })
	}
	if out.Type == tensor.Int32 {
		return p.divPlain(act)
	}
	if err := cmp.Or(p.quantized(x), p.quantized(y), p.quantized(out)); err != nil {
		return nil, err
	}
	f := div{xZero: x.Quant.ZeroPoint(), yZero: y.Quant.ZeroPoint(), zero: out.Quant.ZeroPoint()}
	factor := float64(float32(x.Quant.Scale() / float32(y.Quant.Scale()*out.Quant.Scale())))
	var err error
	if f.m, err = p.multiplier(out, factor); err != nil {
		return nil, err
	}
	if f.m.Shift > 23 { // the least that a dividend is shifted left
		return nil, p.unsupported(out, fmt.Sprintf("scales that ask for a factor of %.3g", factor), "one below 2^23")
	}
	if f.lo, f.hi, err = p.clamp(act, out); err != nil {
		return nil, err
	}
	if out.Type == tensor.Uint8 {
		return pair(p, func(a, b uint8) uint8 { return uint8(f.at(int32(a), int32(b))) })
	}
	return pair(p, func(a, b int8) int8 { return int8(f.at(int32(a), int32(b))) })
}

func (p *Prep) divPlain(act activation) (Evaluator, error) {
	if err := p.plain(p.in(0), p.in(1)); err != nil {
		return nil, err
	}
	lo, hi, err := p.clampPlain(act)
	if err != nil {
		return nil, err
	}
	return pair(p, func(a, b int32) int32 {
		if b == 0 {
			return min(max(0, lo), hi)
		}
		return min(max(a/b, lo), hi)
	})
}

func (f *div) at(x, y int32) int32 {
	x, y = x-f.xZero, y-f.yZero
	if y < 0 {
		x, y = -x, -y
	}
	if y == 0 {
		return f.byZero(x)
	}
	reciprocal, over := fixed.Reciprocal(y, 31)
	headroom := bits.LeadingZeros32(magnitude(x)) - 1
	if x < 0 {
		headroom = bits.LeadingZeros32(2*magnitude(x) - 1)
	}
	quotient := fixed.MulHigh(x<<uint(headroom), reciprocal)
	m := f.m
	m.Shift = max(m.Shift-int32(over+headroom), -62) // beyond, nothing is left
	return min(max(m.Apply(quotient)+f.zero, f.lo), f.hi)
}

func (f *div) byZero(x int32) int32 {
	switch {
	case x > 0:
		return f.hi
	case x < 0:
		return f.lo
	}
	return min(max(f.zero, f.lo), f.hi)
}

// magnitude is |v|.
func magnitude(v int32) uint32 { return uint32(max(v, -v)) }
