package op

import "math"

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
