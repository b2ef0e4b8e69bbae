package drift

import (
	"fmt"
	"math"
)

// DefaultDelta is Page-Hinkley's tolerated loss of the mean: half of a drop of four
// points, about the smallest that matters.
const DefaultDelta = 0.02

// Calibration is what a reference says about the frozen Page-Hinkley.
type Calibration struct {
	// Delta is the tolerance in force, in units of the signal: the one asked for, or
	// more where the reference mean is uncertain.
	Delta float64
	// K and H are the parameters of [NewFrozen].
	K, H int
	// RunLength is the expected run length that the threshold promises: the one
	// asked for or more; less only if no threshold reaches it.
	RunLength float64
}

// Calibrate computes the frozen Page-Hinkley's parameters from a reference of at
// least [MinReference] samples, such that the expected run length between false
// alarms is at least arl.
//
// A reference is a sample, and half of all samples make the signal look steadier
// than it is: thresholds from the bare histogram give too many false alarms half of
// the time, tenfold in one case of ten (the problem that Gandy and Kvaløy,
// "Guaranteed conditional performance of control charts via bootstrap methods",
// 2013, solve by resampling). Here the promise comes first, in four ways, none of
// which needs random numbers:
//   - delta is at least deltaErrs standard errors of the mean;
//   - the chain runs on the [pessimistic] neighbor of the histogram;
//   - h exceeds k, so that no single inference, however bad, is an alarm;
//   - where samples depend on each other, the standard errors are those of fewer
//     samples by [Reference.Inflation] and h grows by the same factor, as the crossing
//     times of a random walk do with its long-run variance.
func Calibrate(ref Reference, delta, arl float64) (Calibration, error) {
	if err := ref.Validate(); err != nil {
		return Calibration{}, err
	}
	if ref.N < MinReference {
		return Calibration{}, fmt.Errorf("drift: %w: %d samples, want at least %d", ErrReference, ref.N, MinReference)
	}
	if !(delta >= 0 && delta < 1) {
		return Calibration{}, fmt.Errorf("drift: %w: delta is %v, want [0, 1)", ErrParameter, delta)
	}
	if !finite(arl) || arl < 1 {
		return Calibration{}, fmt.Errorf("drift: %w: run length is %v, want at least 1", ErrParameter, arl)
	}
	delta = max(delta, deltaErrs*ref.StdErr())
	k := int(max(math.Floor((ref.Mean()-delta)*LatticeSize), 0))
	inflation := ref.Inflation()
	h, length, err := findThreshold(pessimistic(ref, k, float64(ref.N)/inflation), k, arl)
	if err != nil {
		return Calibration{}, err
	}
	h = int(math.Ceil(float64(max(h, k+1)) * inflation))
	return Calibration{Delta: delta, K: k, H: h, RunLength: length}, nil
}

// How pessimistic the calibration is. These were chosen by the share of references
// whose exact run length under the true distribution keeps the promise: 95 % of
// references of 500 samples and 90 % of 100, for thin, heavy and saturated tails, a
// little less where all depends on one rare value. TestCalibratePromise counts them.
const (
	deltaErrs = 3     // standard errors of the mean
	tiltErrs  = 1.645 // standard errors of the decay rate
	tailRank  = 20    // order statistic that measures the tail
	weakMass  = 0.1   // samples at zero that a weak reference is charged with
)

// pessimistic returns a distribution near the histogram under which alarms come
// sooner than under most distributions that the n (effective) samples can have come
// from.
//
// n is the effective size, by which the mean is known. First the unseen tail: one
// more sample lies as far below the smallest as that
// lies below the tailRank-th smallest, and a step more. If even that could not count
// against the signal, the reference shows no tail at all and the sample is put half
// way down. A weak reference is charged a tenth of a sample at zero besides.
//
// Then the uncertainty of what was seen: run lengths grow like exp(theta*h) with the
// root theta of E exp(theta(k-q)) = 1, and the influence of a sample on theta is
// proportional to g(q) = exp(theta(k-q)) - 1. Weights therefore shift by tiltErrs
// standard errors in the direction of g, the least favorable one.
func pessimistic(ref Reference, k int, n float64) []float64 {
	w := make([]float64, LatticeSize)
	low, rank, seen := -1, 0, int64(0)
	for q, c := range ref.Counts {
		w[q] = float64(c) / float64(ref.N)
		if c > 0 && low < 0 {
			low = q
		}
		if seen < tailRank {
			rank = q
		}
		seen += c
	}
	unseen := max(2*low-rank-1, 0)
	if unseen >= k {
		unseen = k / 2
	}
	w[unseen] += 1 / float64(ref.N)
	if ref.Weak() {
		w[0] += weakMass / float64(ref.N)
	}
	theta := decay(w, k)
	if theta == 0 {
		return w
	}
	g := func(q int) float64 { return math.Expm1(theta * float64(k-q)) }
	square, total, drift, change := 0.0, 0.0, 0.0, 0.0
	for q, p := range w {
		if p > 0 {
			square, total = square+p*g(q)*g(q), total+p
			drift += p * float64(k-q)
			change += p * g(q) * float64(k-q)
		}
	}
	shift := tiltErrs / math.Sqrt(n*square/total)
	// The shift leaves half of S's fall: a tiny reference could take it all away, and
	// no finite threshold of use would remain. change is positive, drift negative.
	if change > 0 {
		shift = min(shift, -drift/2/change)
	}
	for q, p := range w {
		if p > 0 {
			w[q] = p * max(1+shift*g(q), 0)
		}
	}
	return w
}

// maxDecay ends the search for a root where one step is as good as certain to end
// the run; beyond it the exponentials overflow.
const maxDecay = 2

// decay is the root theta > 0 of E exp(theta(k-q)) = 1, at most maxDecay, or 0 if
// there is none because S rises on average. The weights need not sum to 1.
func decay(w []float64, k int) float64 {
	drift := 0.0
	for q, p := range w {
		drift += p * float64(k-q)
	}
	if drift >= 0 {
		return 0
	}
	excess := func(theta float64) float64 {
		sum := 0.0
		for q, p := range w {
			if p > 0 {
				sum += p * math.Expm1(theta*float64(k-q))
			}
		}
		return sum
	}
	low, high := 0.0, 1.0/LatticeSize
	for excess(high) < 0 {
		if high >= maxDecay {
			return maxDecay
		}
		low, high = high, 2*high
	}
	// The excess is convex: negative below the root, positive above.
	for range 50 {
		if middle := (low + high) / 2; excess(middle) < 0 {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}
