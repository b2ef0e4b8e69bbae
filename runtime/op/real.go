package op

import "math"

// The functions here give the same bits on every architecture: the standard
// library's may not, since it has assembly for some of them and fuses products
// with sums on others.

// expf is e^x rounded to float32.
func expf(x float32) float32 { return float32(exp(float64(x))) }

// tanhf is the hyperbolic tangent of x rounded to float32: (1−e)/(1+e) with
// e = e^(−2|x|).
func tanhf(x float32) float32 {
	e := exp(-2 * math.Abs(float64(x)))
	return float32(math.Copysign((1-e)/(1+e), float64(x)))
}

// exp is e^x: 2^k·e^r with r within ±ln2/2, and the Taylor series of e^r.
func exp(x float64) float64 {
	switch {
	case x != x:
		return x
	case x < -750: // below the smallest number, as above 710 is beyond the largest
		return 0
	case x > 710:
		return math.Inf(1)
	}
	k := math.Round(x / math.Ln2)
	r := x - float64(k*math.Ln2)
	sum := 1.0
	for n := 14; n >= 1; n-- {
		sum = 1 + float64(float64(r*sum)/float64(n))
	}
	return math.Ldexp(sum, int(k))
}

// logf is the natural logarithm of x > 0 rounded to float32: the series of
// 2·artanh s with s = (m−1)/(m+1) for the fraction m of x.
func logf(x float32) float32 {
	m, e := math.Frexp(float64(x))
	if m < math.Sqrt2/2 {
		m, e = 2*m, e-1
	}
	s := (m - 1) / (m + 1)
	square := float64(s * s)
	sum := 0.0
	for n := 25; n >= 1; n -= 2 {
		sum = 1/float64(n) + float64(square*sum)
	}
	return float32(float64(2*float64(s*sum)) + float64(float64(e)*math.Ln2))
}

// nearPowerOfTwo reports which power of two x > 0 is, where its binary logarithm
// lies within 1/1000 of an integer; every step is rounded to float32.
func nearPowerOfTwo(x float32) (exponent int, ok bool) {
	log2 := float32(logf(x) * float32(1/logf(2)))
	rounded := roundf(log2)
	return int(rounded), math.Abs(float64(float32(log2-rounded))) < float64(float32(1e-3))
}
