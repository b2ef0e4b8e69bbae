package feature

import "math"

// log1p is ln(1+x) for x ≥ 0, within 2 ulp, by the same float64 operations
// everywhere: package math uses assembly for logarithms on some architectures
// and fused operations on others.
//
// With 1+x = 2^k·(1+f), f between √½−1 and √2−1, and s = f/(2+f):
// ln(1+f) = f − s(f − R), R = 2s²/3 + 2s⁴/5 + … (the series of artanh).
func log1p(x float64) float64 {
	const (
		// ln 2 in two parts; the upper has so few digits that k times it is exact.
		ln2Upper = 0x1.62e42fee00000p-1
		ln2Lower = 0x1.a39ef35793c76p-33
	)
	switch {
	case x < 0x1p-53:
		return x
	case math.IsInf(x, 1) || x != x:
		return x
	}
	f, k, lost := x, 0, 0.0
	if x >= math.Sqrt2-1 {
		f, k, lost = reduce(x)
	}
	s := f / (2 + f)
	tail := float64(s * (f - atanhTail(float64(s*s))))
	if k == 0 {
		return f - tail
	}
	n := float64(k)
	return float64(n*ln2Upper) - (tail - (float64(n*ln2Lower) + lost) - f)
}

// reduce splits 1+x into 2^k·(1+f) and what the sum 1+x lost in rounding, as
// its effect on the logarithm.
func reduce(x float64) (f float64, k int, lost float64) {
	u := 1 + x
	if x >= 1 {
		lost = 1 - (u - x)
	} else {
		lost = x - (u - 1)
	}
	lost /= u
	m, k := math.Frexp(u)
	if m < math.Sqrt2/2 {
		m *= 2
		k--
	}
	return m - 1, k, lost
}

// atanhTail is 2z/3 + 2z²/5 + … for z = s² below 0.03, to 2^-57.
func atanhTail(z float64) float64 {
	sum := 0.0
	for n := 23; n >= 3; n -= 2 {
		sum = float64(z * (2/float64(n) + sum))
	}
	return sum
}
