package fixed

import "math/bits"

// Log is the natural logarithm of x ≥ 1 in Q12.19, as Q5.26 (TFLite's
// log_x_for_x_greater_than_or_equal_to_1). x is split into a power of two and a
// rest r near √√½, by the better of two ways that lie half a binary order apart;
// a rational function gives the logarithm of the rest.
func Log(x int32) int32 {
	const (
		ln2         = 1488522236
		fourthRoot  = 1805811301 // √√½
		sqrtHalf    = 1518500250
		alphaN      = 117049297  // 11/240·√√2
		alphaD      = 127690142  // 1/20·√√2
		alphaI      = 1057819769 // 2/√√2 − √√2
		alphaF      = 638450708  // 1/4·√√2
		integerBits = 12         // of x
		unit        = 1 << 25    // 1 in Q6.25
	)
	aZeros := bits.LeadingZeros32(uint32(x))
	aRest := MulPow2(MulHigh(MulPow2(x, int32(aZeros-1)), sqrtHalf), 1)
	aPower := int32(integerBits-aZeros)*unit + unit/4
	bZeros := bits.LeadingZeros32(uint32(MulHigh(x, sqrtHalf))) - 1
	bRest := MulPow2(x, int32(bZeros))
	bPower := int32(integerBits-bZeros)*unit - unit/4
	r, power := min(aRest, bRest), max(aPower, bPower)

	p := halfSum(r, fourthRoot)
	q := 2 * (r - fourthRoot)
	square := MulHigh(q, q)
	num := MulHigh(q, r) + MulHigh(MulHigh(q, square), alphaN)
	denom := MulHigh(p, alphaI+q+MulHigh(alphaD, square)) + MulHigh(alphaF, q)
	quotient := MulHigh(DivPow2(num, 6), onePlusReciprocal(denom))
	return MulPow2(MulHigh(power, ln2)+quotient, 1)
}
