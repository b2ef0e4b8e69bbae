package inputs

import "math"

const maxFloat = math.MaxFloat64

// lnInverse is -ln(p).
func lnInverse(p float64) float64 { return -math.Log(p) }

// Everything here is a closed form or a short bisection: tails of 1e-9 and below are
// wanted, where tables and simulations end. x stands for -ln of a probability.

// divergence is the Kullback-Leibler divergence of a coin with rate p from one with
// rate a, in nats.
func divergence(a, p float64) float64 {
	switch {
	case p <= 0 || p >= 1:
		if a == p {
			return 0
		}
		return math.Inf(1)
	case a <= 0:
		return -math.Log1p(-p)
	case a >= 1:
		return -math.Log(p)
	}
	return a*math.Log(a/p) + (1-a)*math.Log((1-a)/(1-p))
}

// upperRate is the rate that an event with k occurrences in n trials exceeds with a
// probability of at most exp(-x) (Chernoff's bound, inverted).
func upperRate(k, n, x float64) float64 {
	if n <= 0 {
		return 1
	}
	a := min(k/n, 1)
	lo, hi := a, 1.0
	for range 60 {
		if mid := (lo + hi) / 2; n*divergence(a, mid) < x {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi
}

// outsideRate is the rate of values beyond the least and the greatest of n that is
// exceeded with a probability of at most exp(-x). That rate is Beta(2, n-1) whatever
// the distribution, and less than a Gamma(2) variable over n-1 in essence: its tail
// (1+y)exp(-y) is solved for y.
func outsideRate(n, x float64) float64 {
	if n <= 2 {
		return 1
	}
	y := x
	for range 30 {
		y = x + math.Log1p(y)
	}
	return min(y/(n-1), 1)
}

// chiSquareTail is exceeded by a weighted sum of squares of Gaussians with a
// probability of at most exp(-x): sum is the sum of the weights, greatest the largest
// of them (Laurent & Massart, "Adaptive estimation of a quadratic functional by model
// selection", 2000, lemma 1; the sum of the squared weights is at most sum*greatest).
func chiSquareTail(sum, greatest, x float64) float64 {
	return sum + 2*math.Sqrt(sum*greatest*x) + 2*greatest*x
}

// chiSquareQuantile is the quantile of chi-square over its degrees of freedom at the
// standard normal quantile z, by Wilson & Hilferty (1931); at least 0.01.
func chiSquareQuantile(dof, z float64) float64 {
	if dof < 1 {
		dof = 1
	}
	v := 2 / (9 * dof)
	c := 1 - v + z*math.Sqrt(v)
	return max(c*c*c, 0.01)
}
