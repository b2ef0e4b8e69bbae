package fixed

import (
	"math"
	"math/bits"
)

const one0 = math.MaxInt32 // 1 in Q0.31, as near as it goes

// expSteps are exp(-2^e) in Q0.31 for the bits e of a Q5.26 number that lie
// above 1/4. A number with fewer integer bits has fewer of them.
var expSteps = [...]struct {
	exponent int
	factor   int32
}{
	{-2, 1672461947},
	{-1, 1302514674},
	{0, 790015084},
	{1, 290630308},
	{2, 39332535},
	{3, 720401},
	{4, 242},
}

// Exp is e^a for a ≤ 0 in Q5.26, as Q0.31.
func Exp(a int32) int32 { return exp(a, 5) }

// exp is e^a for a ≤ 0 with the given number of integer bits, at most 5, as
// Q0.31 (gemmlowp's exp_on_negative_values): a polynomial on [-1/4, 0), then one
// multiplication for each higher bit of a.
func exp(a int32, integerBits int) int32 {
	if a == 0 {
		return one0
	}
	frac := 31 - integerBits
	quarter := int32(1) << uint(frac-2)
	mod := a&(quarter-1) - quarter
	result := expQuarter(MulPow2(mod, int32(integerBits)))
	remainder := mod - a
	for _, s := range expSteps {
		if s.exponent < integerBits && remainder&(1<<uint(frac+s.exponent)) != 0 {
			result = MulHigh(result, s.factor)
		}
	}
	return result
}

// expQuarter is e^a for a in [-1/4, 0), Q0.31 in and out: the Taylor polynomial
// of degree 4 around -1/8.
func expQuarter(a int32) int32 {
	const (
		expMinusEighth = 1895147668 // e^(-1/8)
		third          = 715827883  // 1/3
	)
	x := a + 1<<28
	x2 := MulHigh(x, x)
	x3 := MulHigh(x2, x)
	x4 := MulHigh(x2, x2)
	tail := DivPow2(MulHigh(DivPow2(x4, 2)+x3, third)+x2, 1)
	sum := int64(expMinusEighth) + int64(MulHigh(expMinusEighth, x+tail))
	return int32(min(max(sum, math.MinInt32), math.MaxInt32))
}

// Reciprocal is 1/x for x > 0 with the given number of integer bits: the value
// is scale·2^-bitsOverUnit, scale in Q0.31 (TFLite's GetReciprocal).
func Reciprocal(x int32, integerBits int) (scale int32, bitsOverUnit int) {
	headroom := bits.LeadingZeros32(uint32(x))
	minusOne := int32(uint32(x)<<headroom - 1<<31)
	return onePlusReciprocal(minusOne), integerBits - headroom
}

// onePlusReciprocal is 1/(1+a) for a in [0, 1), Q0.31 (gemmlowp's
// one_over_one_plus_x_for_x_in_0_1).
func onePlusReciprocal(a int32) int32 {
	// Halving moves the binary point, Q2.29 to Q1.30; the shift goes to Q0.31.
	return MulPow2(halfReciprocal(a), 1)
}

const one2 = 1 << 29 // 1 in Q2.29

// halfReciprocal is 2/(1+a) for a in [0, 1) in Q0.31, as Q2.29: three Newton
// steps on the half denominator d from the minimax line 48/17 − 32/17·d.
func halfReciprocal(a int32) int32 {
	const (
		c48over17 = 1515870810
		c32over17 = -1010580540
	)
	half := halfSum(a, one0)
	x := c48over17 + MulHigh(half, c32over17)
	for range 3 {
		residue := one2 - MulHigh(half, x)
		x += MulPow2(MulHigh(x, residue), 2)
	}
	return x
}

// halfSum is (a+b)/2 rounded half away from zero.
func halfSum(a, b int32) int32 {
	sum := int64(a) + int64(b)
	if sum >= 0 {
		return int32((sum + 1) / 2)
	}
	return int32((sum - 1) / 2)
}
