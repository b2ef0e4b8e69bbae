// Package fixed is the fixed-point arithmetic that TensorFlow Lite's reference
// kernels are defined in: rescaling by a quantized multiplier with double
// rounding, and exp and 1/x on fixed-point numbers. The definitions are those
// of gemmlowp (fixedpoint.h) as TensorFlow Lite Micro uses them.
//
// Begin with [Quantize], which turns a real factor into a [Multiplier], and
// [Multiplier.Apply]. Every function is pure and gives the same bits on every
// architecture: integers only, except Quantize, whose float64 steps are each
// exact or a single rounding that cannot be fused with another. All of it may
// be called concurrently.
package fixed

import "math"

// Multiplier is a non-negative real factor M·2^(Shift−31), M in [2^30, 2^31), or
// zero. M below 2^30 occurs only where an operator's definition divides a
// multiplier further, as MEAN does.
type Multiplier struct {
	M     int32
	Shift int32
}

// Quantize rounds a factor to the nearest Multiplier, ties away from zero.
// Factors below 2^-32 become zero. The factor must be finite, not negative and
// below 2^31; an operator checks that before.
func Quantize(factor float64) Multiplier {
	if factor == 0 {
		return Multiplier{}
	}
	frac, exp := math.Frexp(factor)
	m := int64(math.Round(frac * (1 << 31)))
	if m == 1<<31 {
		m /= 2
		exp++
	}
	if exp < -31 {
		return Multiplier{}
	}
	return Multiplier{M: int32(m), Shift: int32(exp)}
}

// Apply is x times the factor: left shift (wrapping, as the reference's 32-bit
// registers do), doubling high multiplication rounded half away from zero, then
// a division by a power of two rounded half away from zero again. The two
// roundings are the definition; rounding once gives other bytes.
func (m Multiplier) Apply(x int32) int32 {
	// MulHigh without its saturation, which takes two negative factors.
	if m.Shift > 0 {
		return int32((int64(x<<uint32(m.Shift))*int64(m.M) + 1<<30) >> 31)
	}
	return DivPow2(int32((int64(x)*int64(m.M)+1<<30)>>31), -m.Shift)
}

// ApplyWide is x times the factor for the 64-bit accumulators of 16-bit
// activations: the multiplier cut to 16 bits and one rounding, half up. Where the
// reference checks its range, and only a bias out of all proportion gets there, this
// wraps: a product beyond 64 bits, which needs an x beyond ±2^47, and a result
// beyond 32.
func (m Multiplier) ApplyWide(x int64) int32 {
	short := int64(0x7FFF)
	if m.M < 0x7FFF0000 {
		short = (int64(m.M) + 1<<15) >> 16
	}
	shift := uint32(15 - m.Shift)
	return int32((x*short + 1<<(shift-1)) >> shift)
}

// MulHigh is the high half of 2·a·b, rounded to nearest, saturated in the one
// case that overflows (gemmlowp's SaturatingRoundingDoublingHighMul). That is
// defined with a nudge of 2^30 or 1−2^30 by sign and a truncating division,
// which for integers is the same as adding 2^30 and rounding down.
func MulHigh(a, b int32) int32 {
	if a == math.MinInt32 && b == math.MinInt32 {
		return math.MaxInt32
	}
	return int32((int64(a)*int64(b) + 1<<30) >> 31)
}

// DivPow2 is x/2^exp rounded half away from zero (gemmlowp's
// RoundingDivideByPOT). exp lies in 0 to 62; from 32 on the result is 0.
func DivPow2(x, exp int32) int32 {
	if exp <= 0 {
		return x
	}
	sign := int64(x >> 31) // -1 below zero: moves ties away from zero
	return int32((int64(x) + 1<<uint32(exp-1) + sign) >> uint32(exp))
}

// MulPow2 is x·2^exp, saturated (gemmlowp's SaturatingRoundingMultiplyByPOT for
// exponents from 0 to 31).
func MulPow2(x, exp int32) int32 {
	return int32(min(max(int64(x)<<uint32(exp), math.MinInt32), math.MaxInt32))
}
