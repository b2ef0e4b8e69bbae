package op

import (
	"math/bits"

	"kedge/runtime/fixed"
)

// prepareMean prepares MEAN: a sum whose multiplier holds the division by the
// number of cells. On float32 the sum is divided.
func prepareMean(p *Prep) (Evaluator, error) {
	if p.isReal() {
		return p.realSum(true)
	}
	return p.sum(divideMultiplier)
}

// divideMultiplier is m/n: as much of the shift as n's bits allow is taken into
// the multiplier first, then the quotient is truncated.
func divideMultiplier(m fixed.Multiplier, n int) fixed.Multiplier {
	shift := min(int32(bits.Len64(uint64(n)))-1, 32, 31+m.Shift)
	return fixed.Multiplier{M: int32(int64(m.M) << uint32(shift) / int64(n)), Shift: m.Shift - shift}
}
