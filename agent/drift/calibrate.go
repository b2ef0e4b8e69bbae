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
// 2013, solve by resampling). Here the promise comes first, in five ways, none of
// which needs random numbers:
//   - k lies below the mean of all but one in 700 of the distributions that the
//     reference leaves plausible;
//   - the chain runs on the least favorable distribution, of whose decay rate all but
//     one in 50 are better;
//   - h exceeds k, so that no single inference, however bad, is an alarm;
//   - where samples depend on each other, [Reference.Inflation] of them count as one,
//     and h stretches by the same factor, as the crossing times of a random
//     walk do with its long-run variance;
//   - slow variation that the reference itself shows, [Reference.Wander], counts as
//     uncertainty of the mean.
//
// TestCalibratePromise counts how often the promise holds.
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
	inflation := ref.Inflation()
	b := newBelief(ref, ref.uncertainty())
	k := int(max(math.Floor(min((ref.Mean()-delta)*LatticeSize, b.lowerMean(toleranceRisk))), 0))
	if k == 0 { // no sample counts against the signal
		return Calibration{Delta: ref.Mean(), K: 0, H: 1, RunLength: math.Inf(1)}, nil
	}
	w, err := b.lowerDecay(k, decayRisk)
	if err != nil {
		return Calibration{}, err
	}
	h, length, err := findThreshold(w, k, arl)
	if err != nil {
		return Calibration{}, err
	}
	h = int(math.Ceil(float64(max(h, k+1)) * inflation))
	return Calibration{Delta: ref.Mean() - float64(k)/LatticeSize, K: k, H: h, RunLength: length}, nil
}
