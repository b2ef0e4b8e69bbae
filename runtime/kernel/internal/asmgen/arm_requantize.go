package main

// armEpilogue requantizes: a product rounded half up, and a shift that rounds
// half up too once negative ones were reduced by one, which makes it half away
// from zero. Where the shift is by nothing that must not be; the longer form
// masks it by the shifts, and keeps results within limits.
type armEpilogue struct {
	*arm
	long  bool
	spare int // a vector that may be overwritten
	least int // one for the least result, and behind it one for the largest
}

// scale multiplies a vector of sums by their factors.
func (e *armEpilogue) scale(sum, m, shift int) {
	e.v("vqrdmulh.s32", sum, sum, m)
	sign := sum
	if e.long {
		sign = e.spare
		e.v("vand", sign, sum, shift)
	}
	e.v("sign", sum, sign)
	e.v("vrshl.s32", sum, sum, shift)
}

// limits loads the least and the largest result. It overwrites R12.
func (e *armEpilogue) limits() {
	for i, field := range []string{"min", "max"} {
		e.flush()
		e.op("MOVW block_%s(R0), R12", field)
		e.spread(1, e.least+2*i, 12)
	}
}

// narrow adds the output's zero to n vectors of results from sum on and writes
// their bytes to d.
func (e *armEpilogue) narrow(sum, n, zero, d int) {
	e.v("vqmovn.s32", sum, sum)
	if n > 1 {
		e.v("vqmovn.s32", sum+1, sum+2)
	}
	e.v("vqadd.s16", sum, sum, zero)
	e.v("vqmovn.s16", d, sum)
	if e.long {
		e.v("vmax.s8", d, d, e.least)
		e.v("vmin.s8", d, d, e.least+2)
	}
}
