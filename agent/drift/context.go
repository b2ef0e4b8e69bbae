package drift

import (
	"fmt"
	"math"
)

// MaxContexts bounds the values of a context: an hour of the week is one of 168.
const MaxContexts = 256

// NewContextReference condenses samples in the order in which they were taken, each
// with the value of a context in which it was: the hour of the day, the product. The
// autocorrelations are those of the deviations from the context's mean, so that a
// rhythm that the context explains is not taken for dependence.
func NewContextReference(xs []float64, contexts []string) (Reference, error) {
	if len(contexts) != len(xs) {
		return Reference{}, fmt.Errorf("drift: %w: %d contexts for %d samples", ErrReference, len(contexts), len(xs))
	}
	r, err := NewReference(xs)
	if err != nil {
		return Reference{}, err
	}
	r.Contexts = make(map[string]Reference)
	for i, x := range xs {
		c, ok := r.Contexts[contexts[i]]
		if !ok {
			if len(r.Contexts) == MaxContexts {
				return Reference{}, fmt.Errorf("drift: %w: more than %d contexts", ErrReference, MaxContexts)
			}
			c.Counts = make([]int64, LatticeSize)
		}
		c.Counts[Quantize(x)]++
		c.N++
		r.Contexts[contexts[i]] = c
	}
	deviations := make([]float64, len(xs))
	for i, x := range xs {
		deviations[i] = float64(Quantize(x)) - LatticeSize*r.Contexts[contexts[i]].Mean()
	}
	r.Lags, r.Blocks = autocorrelations(deviations), blockVariances(deviations)
	return r, nil
}

// validateContexts checks them against the whole.
func (r Reference) validateContexts() error {
	if len(r.Contexts) > MaxContexts {
		return fmt.Errorf("drift: %w: %d contexts, want at most %d", ErrReference, len(r.Contexts), MaxContexts)
	}
	left := append([]int64(nil), r.Counts...)
	for name, c := range r.Contexts {
		if err := c.Validate(); err != nil {
			return fmt.Errorf("context %.40q: %w", name, err)
		}
		if len(c.Contexts) > 0 || len(c.Lags) > 0 || len(c.Blocks) > 0 || c.N == 0 {
			return fmt.Errorf("drift: %w: context %.40q is not plain counts", ErrReference, name)
		}
		for q, n := range c.Counts {
			if left[q] -= n; left[q] < 0 {
				return fmt.Errorf("drift: %w: contexts have more samples at step %d than the whole", ErrReference, q)
			}
		}
	}
	return nil
}

// alignment makes one signal of the contexts': every sample is moved so that the means
// of all contexts come to lie on one another. One set of detectors watches that signal,
// so that a change in all contexts adds up however short the stay in each, and one
// promise holds for all.
type alignment struct {
	shifts  map[string]int // lattice steps to subtract
	unknown int            // the same in a context that the reference does not have
	ref     Reference      // of the aligned signal
}

// align derives the alignment, or nil for a reference whose contexts hold too few
// samples.
//
// A context with few samples borrows from the others (empirical Bayes, after Efron and
// Morris, "Data analysis using Stein's estimator and its generalizations", 1975): its
// mean shrinks toward the common one by the share that its own error has in the scatter
// of all, and a context never seen has the common mean with the whole scatter as error.
// Two standard errors of what remains are given back to each sample, so that no context
// by itself looks drifted; detectors account for the error of the common mean alone.
func (r Reference) align() *alignment {
	common, within, n := 0.0, 0.0, 0.0
	for _, c := range r.Contexts {
		w := float64(c.N)
		common, within, n = common+w*c.Mean(), within+w*c.Std()*c.Std(), n+w
	}
	if n < MinReference {
		return nil
	}
	common /= n
	within = within / n * r.Inflation() // variance that a sample brings to a mean
	scatter, noise, k := 0.0, 0.0, float64(len(r.Contexts))
	for _, c := range r.Contexts {
		d := c.Mean() - common
		scatter += d * d / k
		noise += within / float64(c.N) / k
	}
	// At least what the noise of so few contexts can hide.
	between := max(scatter-noise, 0) + noise*math.Sqrt(2/k)
	pooled := within / n

	// place is where a context's mean lies, in lattice steps, and how much lower it may be
	// than that beyond the error that detectors account for.
	place := func(mean, count float64) (at, slack float64) {
		own := 0.0 // share of the context's own mean
		if count > 0 && between > 0 {
			own = between / (between + within/count)
		}
		variance := (1-own)*between + (1-own)*(1-own)*pooled
		slack = 2 * (math.Sqrt(variance) - math.Sqrt(pooled))
		return (common + own*(mean-common)) * LatticeSize, max(slack*LatticeSize, 0)
	}
	at, slack := place(common, 0)
	lowest := at - slack
	for _, c := range r.Contexts {
		at, slack := place(c.Mean(), float64(c.N))
		lowest = min(lowest, at-slack)
	}
	lowest -= wholeStep
	// shifts are those of the reference's samples and of the samples to come.
	shifts := func(at, slack float64) (reference, signal int) {
		reference = int(at - lowest)
		rest := at - lowest - float64(reference)
		return reference, reference - int(math.Ceil(slack+wholeStep-rest))
	}
	a := &alignment{shifts: make(map[string]int, len(r.Contexts))}
	a.ref = Reference{Counts: make([]int64, LatticeSize), Lags: r.Lags, Blocks: r.Blocks}
	for name, c := range r.Contexts {
		reference, signal := shifts(place(c.Mean(), float64(c.N)))
		for q, n := range c.Counts {
			a.ref.Counts[max(q-reference, 0)] += n
		}
		a.ref.N += c.N
		a.shifts[name] = signal
	}
	_, a.unknown = shifts(place(common, 0))
	return a
}

// wholeStep is given back because shifts are whole lattice steps, so that aligned means
// differ by up to one.
const wholeStep = 1

// step moves a sample; known says whether the context is in the reference. Without
// contexts nothing moves.
func (a *alignment) step(q uint8, context string) (moved uint8, known bool) {
	if a == nil {
		return q, true
	}
	shift, known := a.shifts[context]
	if !known {
		shift = a.unknown
	}
	return uint8(min(max(int(q)-shift, 0), LatticeSize-1)), known
}
