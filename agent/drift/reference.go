package drift

import (
	"fmt"
	"math"
)

// Sizes of a reference, in samples.
const (
	// MinReference is the least that anything is derived from; below it a monitor
	// learns on.
	MinReference = 30
	// FullReference is the size below which a reference is weak, and the number of
	// samples that a monitor without a reference collects.
	FullReference = 500
)

// maxReference bounds n so that sums of n lattice values stay exact in float64.
const maxReference = 1 << 40

// Reference is the signal as it was when the model was known to be good: how often
// each lattice step occurred and how far successive samples depend on each other.
// It travels in the signed release. The zero value is the absent reference.
type Reference struct {
	// Counts holds LatticeSize counts, one per step of [Quantize].
	Counts []int64 `json:"counts"`
	// N is the number of samples, the sum of Counts.
	N int64 `json:"n"`
	// Lags are the autocorrelations at lags 1, 2, ... in [-1, 1], at most MaxLags.
	// Empty means independent samples.
	Lags []float64 `json:"lags,omitempty"`
	// Blocks say how much successive blocks differ, shortest first. Empty means no more
	// than Lags foretell.
	Blocks []BlockVariance `json:"blocks,omitempty"`
	// Contexts are the counts of the samples by the value of a declared context, without
	// autocorrelations; see [NewContextReference]. Samples may be in none.
	Contexts map[string]Reference `json:"contexts,omitempty"`
}

// NewReference condenses samples in the order in which they were taken. Samples
// outside [0, 1] clamp; one that is not finite is an error.
func NewReference(xs []float64) (Reference, error) {
	steps := make([]uint8, len(xs))
	for i, x := range xs {
		if !finite(x) {
			return Reference{}, fmt.Errorf("drift: %w: sample %d is %v", ErrReference, i, x)
		}
		steps[i] = Quantize(x)
	}
	return referenceOf(steps), nil
}

// referenceOf condenses lattice steps.
func referenceOf(steps []uint8) Reference {
	r := Reference{Counts: make([]int64, LatticeSize), N: int64(len(steps))}
	for _, q := range steps {
		r.Counts[q]++
	}
	r.Lags, r.Blocks = autocorrelations(steps), blockVariances(steps)
	return r
}

// Validate checks a reference that came from outside.
func (r Reference) Validate() error {
	if len(r.Counts) != LatticeSize && (r.N != 0 || len(r.Counts) != 0) {
		return fmt.Errorf("drift: %w: %d counts, want %d", ErrReference, len(r.Counts), LatticeSize)
	}
	if r.N < 0 || r.N > maxReference {
		return fmt.Errorf("drift: %w: n is %d, want 0..%d", ErrReference, r.N, int64(maxReference))
	}
	left := r.N
	for q, c := range r.Counts {
		// Against what is left, so that the sum cannot overflow.
		if c < 0 || c > left {
			return fmt.Errorf("drift: %w: count %d is %d, with %d of n = %d left", ErrReference, q, c, left, r.N)
		}
		left -= c
	}
	if left != 0 {
		return fmt.Errorf("drift: %w: counts sum to %d, n is %d", ErrReference, r.N-left, r.N)
	}
	if len(r.Lags) > MaxLags {
		return fmt.Errorf("drift: %w: %d autocorrelations, want at most %d", ErrReference, len(r.Lags), MaxLags)
	}
	for i, rho := range r.Lags {
		if !(rho >= -1 && rho <= 1) {
			return fmt.Errorf("drift: %w: autocorrelation at lag %d is %v", ErrReference, i+1, rho)
		}
	}
	if err := r.validateBlocks(); err != nil {
		return err
	}
	return r.validateContexts()
}

// Weak reports whether the reference is too small for thresholds that are both
// safe and sharp. It is usable from [MinReference] on; thresholds widen.
func (r Reference) Weak() bool { return r.N < FullReference }

// Mean is the mean of the lattice values q/256; 0 for an absent reference. A signal
// off the lattice is floored, here and in the detectors alike.
func (r Reference) Mean() float64 {
	if r.N == 0 {
		return 0
	}
	sum := int64(0) // at most 2^40 * 255
	for q, c := range r.Counts {
		sum += int64(q) * c
	}
	return float64(sum) / float64(r.N) / LatticeSize
}

// Std is the population standard deviation (ddof 0) of the lattice values.
func (r Reference) Std() float64 {
	if r.N == 0 {
		return 0
	}
	mean, sum := r.Mean(), 0.0
	for q, c := range r.Counts {
		d := float64(q)/LatticeSize - mean
		sum += float64(c) * d * d
	}
	return math.Sqrt(sum / float64(r.N))
}

// StdErr is the standard error of Mean as the mean of days to come: the standard
// deviation over the root of the number of samples that independent ones would need to
// tell as much ([Reference.Inflation]), and [Reference.Wander]. Infinite for an absent
// reference.
func (r Reference) StdErr() float64 {
	if r.N == 0 {
		return math.Inf(1)
	}
	return r.Std() * math.Sqrt(r.uncertainty()/float64(r.N))
}

// Merge pools two references of the same signal. Autocorrelations are averaged by
// size, block variances by number: a shift between the two does not count.
func Merge(a, b Reference) Reference {
	merged := Reference{Counts: make([]int64, LatticeSize), N: a.N + b.N}
	for _, r := range [...]Reference{a, b} {
		for q, c := range r.Counts {
			merged.Counts[q] += c
		}
		for name, c := range r.Contexts {
			if merged.Contexts == nil {
				merged.Contexts = make(map[string]Reference)
			}
			merged.Contexts[name] = Merge(merged.Contexts[name], c)
		}
	}
	if merged.N == 0 {
		return merged
	}
	merged.Blocks = mergeBlocks(a.Blocks, b.Blocks)
	merged.Lags = make([]float64, max(len(a.Lags), len(b.Lags)))
	for i := range merged.Lags {
		for _, r := range [...]Reference{a, b} {
			if i < len(r.Lags) {
				merged.Lags[i] += r.Lags[i] * float64(r.N) / float64(merged.N)
			}
		}
	}
	return merged
}

// ESRMean is the smallest mean that an e-detector with the given run length should
// count as undrifted: the reference mean less two standard errors. The margin is
// never below 1/n (what n samples cannot have shown) nor below a quarter of a
// lattice step, and so wide that a signal stuck at its reference mean never adds up
// to an alarm by itself.
func (r Reference) ESRMean(arl float64) float64 {
	if r.N == 0 {
		return 0
	}
	mean := r.Mean()
	// A signal that stays m above mu0 settles at a mean(M) of about 25(1-mu0)/m; half
	// the run length is far enough from an alarm. Bounded for absurdly short ones.
	stuck := min(50/arl, 0.25) * (1 - mean)
	return mean - max(2*r.StdErr(), 1/float64(r.N), 0.25/LatticeSize, stuck)
}

// guardedMean is ESRMean where the e-detector runs beside a faster one and the promise
// is for both: two standard errors are too few for a signal that rarely falls far, so
// the mean lies below this one in one of 44 of the distributions that the reference
// leaves plausible; and the margin is at least leastDrop.
func (r Reference) guardedMean(arl float64) float64 {
	lower := newBelief(r, r.uncertainty()).lowerMean(meanRisk) / LatticeSize
	return min(r.ESRMean(arl), lower, r.Mean()-leastDrop)
}

// leastDrop is half a point, which matters to nobody and happens to everything.
const leastDrop = 0.005
