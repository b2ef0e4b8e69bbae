package drift

import (
	"fmt"
	"math"
)

// DefaultDelta is Page-Hinkley's tolerated loss of the mean: half of a drop of four
// points, the smallest that usually matters.
const DefaultDelta = 0.02

// Calibration is what a reference says about the frozen Page-Hinkley.
type Calibration struct {
	// Delta is the tolerance in force, in units of the signal: the one asked for, or
	// more where the reference mean is uncertain.
	Delta float64
	// K and H are the parameters of [NewFrozen].
	K, H int
	// RunLength is the expected run length that the thresholds promise: the one
	// asked for or a little more; less only if no threshold reaches it.
	RunLength float64
}

// Calibrate computes the frozen Page-Hinkley's parameters from a reference of at
// least [MinReference] samples, such that the expected run length between false
// alarms is at least arl.
//
// The reference is a sample, so its histogram flatters the tail about as often as
// not. The promise comes first: the chain does not run on the histogram itself but
// on its least favorable neighbor ([pessimistic]), and delta is at least deltaErrs
// standard errors of the mean. Where samples depend on each other the effective
// sample size shrinks by [Reference.Inflation] and h grows by it, as the crossing
// time of a random walk does when its long-run variance grows.
func Calibrate(ref Reference, delta, arl float64) (Calibration, error) {
	if err := ref.Validate(); err != nil {
		return Calibration{}, err
	}
	if ref.N < MinReference {
		return Calibration{}, fmt.Errorf("drift: %w: %d samples, want at least %d", ErrReference, ref.N, MinReference)
	}
	if !finite(delta) || delta < 0 || delta >= 1 {
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
	return Calibration{Delta: delta, K: k, H: int(math.Ceil(float64(h) * inflation)), RunLength: length}, nil
}

const (
	deltaErrs = 3
	tiltErrs  = 1.645
)

// pessimistic returns the histogram with one more sample below all others and then
// tilted.
func pessimistic(ref Reference, k int, n float64) []float64 {
	w := make([]float64, LatticeSize)
	low := -1
	for q, c := range ref.Counts {
		if c > 0 && low < 0 {
			low = q
		}
		w[q] = float64(c) / float64(ref.N)
	}
	w[max(0, 2*low-int(ref.Mean()*LatticeSize))] += 1 / n
	theta := decay(w, k)
	if theta <= 0 {
		return w
	}
	mean, square := 0.0, 0.0
	for q, p := range w {
		g := math.Exp(theta*float64(k-q)) - 1
		mean += p * g
		square += p * g * g
	}
	sd := math.Sqrt(square)
	for q := range w {
		g := math.Exp(theta*float64(k-q)) - 1
		w[q] *= max(0, 1+tiltErrs/math.Sqrt(n)*g/sd)
	}
	return w
}

// decay is the root theta > 0 of E exp(theta(k-q)) = 1: the rate at which the chance of a
// high S falls off. 0 if there is none.
func decay(w []float64, k int) float64 {
	f := func(theta float64) float64 {
		sum := 0.0
		for q, p := range w {
			sum += p * (math.Exp(theta*float64(k-q)) - 1)
		}
		return sum
	}
	lo, hi := 0.0, 1.0/LatticeSize
	for f(hi) < 0 {
		if hi > 2 {
			return hi
		}
		hi *= 2
	}
	for range 60 {
		mid := (lo + hi) / 2
		if f(mid) < 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}
