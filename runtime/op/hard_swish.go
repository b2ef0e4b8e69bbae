package op

import (
	"fmt"
	"math"

	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
)

// hardSwish is HARD_SWISH, x·relu6(x+3)/6, on int8 or uint8, in 16-bit registers. The
// input less its zero point, times 128, is scaled twice: to the output without
// its final right shift, and to a unit in which 3 is 2^15, saturated. The latter
// is moved to the range from 0 to 1 and multiplied with the former, truncated;
// then comes the right shift, rounded half away from zero.
type hardSwish struct {
	zero, outZero int32
	lo, hi        int32        // of the type
	output        multiplier16 // of shift 0 or below
	relu          multiplier16
}

// prepareHardSwish prepares HARD_SWISH. Its factors are computed in float32. On
// float32, x times the clamped x+3 comes first, then the division by 6.
func prepareHardSwish(p *Prep) (Evaluator, error) {
	if p.isReal() {
		return p.real(func(x float32) float32 {
			return float32(x*bounds{0, 6}.clamp(x+3)) / 6
		})
	}
	in, out, err := p.unary(tensor.Int8, tensor.Uint8)
	if err != nil {
		return nil, err
	}
	fine := float32(in.Quant.Scale() / 128)
	output, err := p.multiplier(out, float64(float32(fine/out.Quant.Scale())))
	if err != nil {
		return nil, err
	}
	if output.Shift > 0 {
		return nil, p.unsupported(out, fmt.Sprintf("scale %g", out.Quant.Scale()), fmt.Sprintf("more than 1/128 of the input's %g", in.Quant.Scale()))
	}
	relu, err := p.multiplier(in, float64(float32(fine/(float32(3)/32768))))
	if err != nil {
		return nil, err
	}
	lo, hi, _ := out.Type.Range()
	p.overwrites(0)
	return p.lookup(in, out, hardSwish{
		zero: in.Quant.ZeroPoint(), outZero: out.Quant.ZeroPoint(), lo: lo, hi: hi,
		output: newMultiplier16(output), relu: newMultiplier16(relu),
	})
}

func (h hardSwish) at(v int32) int32 {
	x := int16((v - h.zero) << 7)
	unit := int16((int32(h.relu.saturated(x)) + 1<<15) >> 1)
	product := int16(int32(unit) * int32(h.output.high(x)) / (1 << 15))
	y := int32(divPow2x16(product, -h.output.shift)) + h.outZero
	return min(max(y, h.lo), h.hi)
}

// multiplier16 is a factor m·2^(shift−15).
type multiplier16 struct {
	m     int16
	shift int32
}

// newMultiplier16 cuts a multiplier to 16 bits, rounded half up.
func newMultiplier16(m fixed.Multiplier) multiplier16 {
	return multiplier16{int16(min((int64(m.M)+1<<15)>>16, math.MaxInt16)), m.Shift}
}

// high is the high half of 2·x·m, rounded to nearest, halves up. m is not
// negative.
func (m multiplier16) high(x int16) int16 {
	return int16((int32(x)*int32(m.m) + 1<<14) >> 15)
}

// saturated is x times the factor. Of a left shift one bit comes after the
// multiplication, so that only that one saturates the result.
func (m multiplier16) saturated(x int16) int16 {
	if m.shift > 0 {
		return shift16(m.high(shift16(x, m.shift-1)), 1)
	}
	return divPow2x16(m.high(x), -m.shift)
}

// shift16 is x·2^n, saturated.
func shift16(x int16, n int32) int16 {
	return int16(min(max(int64(x)<<uint(min(n, 32)), math.MinInt16), math.MaxInt16))
}

// divPow2x16 is x/2^exp rounded half away from zero, in 16-bit registers: from
// an exponent of 16 on the mask of the bits that are lost does not fit, and what
// is left is 1 for x ≥ 0 and −1 below.
func divPow2x16(x int16, exp int32) int16 {
	if exp < 16 {
		return int16(fixed.DivPow2(int32(x), exp))
	}
	if x < 0 {
		return -1
	}
	return 1
}
