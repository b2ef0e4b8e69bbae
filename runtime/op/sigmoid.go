package op

import (
	"fmt"
	"math"

	"kedge/runtime/fixed"
)

// curve8 is LOGISTIC or TANH on int8: the input, less its zero point, is scaled
// to Q4.27 and goes through a fixed-point function, whose Q0.31 result is rounded
// to the output's bits, half away from zero. From radius on the input would not
// fit, and the output is at its bound. The output's scale and zero point are the
// operator's own; what the tensor states plays no part, as in the reference.
type curve8 struct {
	m            fixed.Multiplier
	zero, radius int32
	f            func(q4 int32) int32
	drop         int32 // bits below the output's resolution
	outZero      int32
}

func (c curve8) at(v int32) int32 {
	v -= c.zero
	switch {
	case v <= -c.radius:
		return math.MinInt8
	case v >= c.radius:
		return math.MaxInt8
	}
	y := fixed.DivPow2(c.f(c.m.Apply(v)), c.drop) + c.outZero
	return min(max(y, math.MinInt8), math.MaxInt8)
}

// curve8 tabulates f for the operator's tensors.
func (p *Prep) curve8(in, out operand, f func(int32) int32, drop, outZero int32) (Evaluator, error) {
	c := curve8{zero: in.Quant.ZeroPoint(), f: f, drop: drop, outZero: outZero}
	factor := float64(in.Quant.Scale()) * (1 << 27) // exact
	if factor < 0.5 {
		return nil, p.unsupported(in, fmt.Sprintf("scale %g", in.Quant.Scale()), "one of at least 2^-28")
	}
	if factor < 1<<30 { // else one step is beyond the range already
		c.m = fixed.Quantize(factor)
		c.radius = int32(15 << 27 >> uint(c.m.Shift))
	}
	p.overwrites(0)
	return p.lookup(in, out, c)
}

// argument16 scales int16 inputs to the units of fixed.Sigmoid16, with rounding
// half up. In these steps ±2^17 stands for ±10⅔: scales that are the nearest
// power of two need no more than the factor of 3 that the table's range brings;
// for others the factor has 15 bits and is truncated.
type argument16 struct {
	factor int32
	shift  uint32
}

func (a argument16) at(v int32) int32 {
	if a.shift == 0 {
		return v * a.factor
	}
	return (v*a.factor + 1<<(a.shift-1)) >> a.shift
}

// argument16 prepares the operator's argument. powers is how many powers of two
// from 2^-12 on count as such. The output's scale must be 2^-15, to the same
// tolerance.
func (p *Prep) argument16(in, out operand, powers int) (a argument16, err error) {
	if err := p.centered(in, out); err != nil {
		return a, err
	}
	if n, ok := nearPowerOfTwo(out.Quant.Scale()); !ok || n != -15 {
		return a, p.unsupported(out, fmt.Sprintf("scale %g", out.Quant.Scale()), "1/32768")
	}
	scale := in.Quant.Scale()
	if n, ok := nearPowerOfTwo(scale); ok && n >= -12 && n < -12+powers {
		return argument16{factor: 3 << uint(n+12)}, nil
	}
	factor := float64(scale) * 4096 * 3 // exact
	for factor <= 32767.0/2 && a.shift <= 30 {
		factor *= 2
		a.shift++
	}
	if factor < 1 || factor >= 32768 {
		return a, p.unsupported(in, fmt.Sprintf("scale %g", scale), "one from 2^-44 to 2.66")
	}
	a.factor = int32(factor)
	return a, nil
}

// curve16 is LOGISTIC or TANH on int16.
type curve16 struct {
	argument16
	f func(int32) int16
}

func (c curve16) at(v int32) int32 { return int32(c.f(c.argument16.at(v))) }

func (p *Prep) curve16(in, out operand, powers int, f func(int32) int16) (Evaluator, error) {
	a, err := p.argument16(in, out, powers)
	if err != nil {
		return nil, err
	}
	p.overwrites(0)
	return &elementwise[int16, int16]{in.id, out.id, curve16{a, f}}, nil
}
