package fixed

import (
	"math"
	"math/bits"
)

// InvSqrt is 1/√x for x ≥ 0 (TFLite's GetInvSqrtQuantizedMultiplierExp). Powers
// of 4 are taken out of x until it lies in [1/4, 1) as Q3.28; five Newton steps
// from 1 give the root's reciprocal. 0 counts as 1.
func InvSqrt(x int32) Multiplier {
	if x <= 1 {
		return Multiplier{M: math.MaxInt32}
	}
	shift := int32(11)
	for ; x >= 1<<29; shift++ {
		x /= 4
	}
	pairs := int32(bits.LeadingZeros32(uint32(x))-1)/2 - 1
	shift -= pairs
	x <<= uint32(2 * pairs)
	const (
		threeHalves = 3 << 27    // Q3.28
		halfSqrt2   = 1518500250 // √½ in Q0.31
	)
	half := DivPow2(x>>1, 1)
	y := int32(1 << 28)
	for range 5 {
		// A product's binary point moves by the integer bits of its factors; the
		// shifts bring it back to Q3.28.
		cube := MulPow2(MulHigh(MulHigh(y, y), y), 6)
		y = MulPow2(MulHigh(threeHalves, y)-MulHigh(half, cube), 3)
	}
	y = MulHigh(y, halfSqrt2)
	if shift < 0 {
		y, shift = y<<uint32(-shift), 0
	}
	return Multiplier{M: y, Shift: -shift}
}
