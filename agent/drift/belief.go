package drift

import (
	"fmt"
	"math"
)

// belief is what a reference says about the distribution it was drawn from: every
// distribution on the lattice is plausible whose weights are Gamma variables with
// these shapes, divided by their sum. That is Rubin's "The Bayesian bootstrap" (1981)
// with one more sample that nobody has seen, at the bad end; for a signal of two
// values its quantiles of the mean are those of Clopper and Pearson, and for a long
// smooth one those of Student. No random numbers are drawn: tail probabilities of sums
// come from their saddlepoint.
type belief struct {
	q     []float64 // lattice steps with weight
	shape []float64
}

// tailRank is the order statistic that measures the tail.
const tailRank = 20

// newBelief counts a sample of the reference as 1/inflation of an independent one.
//
// The unseen sample lies as far below the smallest as that lies below the tailRank-th
// smallest, and a step more; at zero where all samples are equal, so that nothing is
// known of a tail.
func newBelief(ref Reference, inflation float64) belief {
	low, rank, seen, values := -1, 0, int64(0), 0
	b := belief{q: []float64{0}, shape: []float64{1 / inflation}}
	for q, c := range ref.Counts {
		if c == 0 {
			continue
		}
		if low < 0 {
			low = q
		}
		if seen < tailRank {
			rank = q
		}
		seen += c
		values++
		b.q, b.shape = append(b.q, float64(q)), append(b.shape, float64(c)/inflation)
	}
	if values > 1 {
		b.q[0] = float64(max(2*low-rank-1, 0))
	}
	if low >= 0 {
		// What n dependent samples have not shown is more than what n independent ones
		// have not, but not farther out.
		b.shape[1] += min(1, 10*inflation/float64(ref.N)) * (1 - 1/inflation)
	}
	if ref.Weak() {
		b.q, b.shape = append(b.q, 0), append(b.shape, weakMass)
	}
	return b
}

// weakMass is the part of a sample at zero that a weak reference is charged with: too
// few samples to tell by a tail how far it reaches.
const weakMass = 0.1

// What is derived from a belief holds for all but this share of the plausible
// distributions.
const (
	toleranceRisk = 0.00135 // Page-Hinkley tolerates this mean: three standard errors
	meanRisk      = 0.02275 // the e-detector beside another bets against less than this one: two
	decayRisk     = 0.02    // the threshold holds for this decay rate
)

// lowerMean is the lattice value below which the mean lies with probability risk.
func (b belief) lowerMean(risk float64) float64 {
	low, high := 0.0, float64(LatticeSize)
	for range 40 {
		middle := (low + high) / 2
		if p, _ := b.above(func(q float64) float64 { return middle - q }); p < risk {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// lowerDecay returns the least favorable distribution at a risk for thresholds of
// [Frozen] with k, as weights: run lengths grow like exp(theta*h) with the root theta
// > 0 of E exp(theta(k-q)) = 1, and theta is smaller with probability risk.
func (b belief) lowerDecay(k int, risk float64) ([]float64, error) {
	g := func(theta float64) func(float64) float64 {
		return func(q float64) float64 { return math.Expm1(theta * (float64(k) - q)) }
	}
	low, high := 0.0, maxDecay
	for range 40 {
		middle := (low + high) / 2
		if p, _ := b.above(g(middle)); p < risk {
			low = middle
		} else {
			high = middle
		}
	}
	if low == 0 {
		return nil, fmt.Errorf("drift: %w: k is %d, not below the mean", ErrParameter, k)
	}
	_, tilt := b.above(g(low))
	w := make([]float64, LatticeSize)
	for i, q := range b.q {
		w[int(q)] += b.shape[i] * tilt[i]
	}
	return w, nil
}

// maxDecay is the decay rate at which one step below k is as good as certain to end
// the run.
const maxDecay = 1.0

// above is the probability that the mean of a(q) is positive, and by which factor the
// expected weights grow where it just is zero. The probability is 1 where the mean is
// expected to be positive, and 0, with factors of 1, where a never is.
//
// The sum of a_i times Gamma variables has the cumulant function
// K(t) = -sum shape_i log(1 - a_i t); the formula is that of Lugannani and Rice,
// "Saddle point approximation for the distribution of the sum of independent random
// variables" (1980).
func (b belief) above(a func(q float64) float64) (p float64, factor []float64) {
	v := make([]float64, len(b.q))
	factor = make([]float64, len(b.q))
	most, expected := 0.0, 0.0
	for i, q := range b.q {
		v[i] = a(q)
		factor[i] = 1
		most = max(most, v[i])
		expected += b.shape[i] * v[i]
	}
	if most == 0 {
		return 0, factor
	}
	if expected >= 0 {
		return 1, factor
	}
	for i := range v {
		v[i] /= most // keeps squares finite, and t below 1
	}
	low, high := 0.0, 1.0
	slope := func(t float64) (sum float64) {
		for i, a := range v {
			sum += b.shape[i] * a / (1 - t*a)
		}
		return sum
	}
	for range 50 {
		if middle := (low + high) / 2; slope(middle) < 0 {
			low = middle
		} else {
			high = middle
		}
	}
	t, cumulant, curvature := low, 0.0, 0.0
	for i, a := range v {
		factor[i] = 1 / (1 - t*a)
		cumulant -= b.shape[i] * math.Log1p(-t*a)
		curvature += b.shape[i] * a * a * factor[i] * factor[i]
	}
	r, u := math.Sqrt(max(-2*cumulant, 0)), t*math.Sqrt(curvature)
	if r < 1e-4 || u < 1e-4 { // the mean itself: where the formula is 0/0
		return 0.5, factor
	}
	p = 0.5*math.Erfc(r/math.Sqrt2) + math.Exp(-r*r/2)/math.Sqrt(2*math.Pi)*(1/u-1/r)
	return min(max(p, 0), 1), factor
}
