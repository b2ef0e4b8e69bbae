package drift

import (
	"fmt"
	"math"
)

// Frozen is Page-Hinkley against a reference mean that ships with the model, for a
// falling signal, in exact integers on the 1/256 lattice:
//
//	S = max(0, S + k - q),  q = Quantize(x),  alarm when S >= h
//
// k is the lattice value of mu0 - delta and h that of lambda; [Calibrate] derives
// both from a reference. It is the form of Gama et al., "A survey on concept drift
// adaptation" (2014), with the running mean replaced by mu0: with a running mean
// the statistic follows the drift it should measure.
type Frozen struct {
	k, h int64
	s    int64
}

// NewFrozen makes the detector. k is in [0, 255]; at 0 no sample can count against
// the signal. h is at least 1.
func NewFrozen(k, h int) (*Frozen, error) {
	if k < 0 || k >= LatticeSize {
		return nil, fmt.Errorf("drift: %w: %s: k is %d, want 0..%d", ErrParameter, PageHinkley, k, LatticeSize-1)
	}
	if h < 1 {
		return nil, fmt.Errorf("drift: %w: %s: h is %d, want at least 1", ErrParameter, PageHinkley, h)
	}
	return &Frozen{k: int64(k), h: int64(h)}, nil
}

// newFrozenOf makes the detector from values in units of the signal. The lattice
// value of mu0 - delta is rounded down, that of lambda up: alarms come later rather
// than sooner.
func newFrozenOf(mu0, delta, lambda float64) (*Frozen, error) {
	switch {
	case !(mu0 >= 0 && mu0 <= 1):
		return nil, fmt.Errorf("drift: %w: %s: mu0 is %v, want [0, 1]", ErrParameter, PageHinkley, mu0)
	case !(delta >= 0 && delta <= 1):
		return nil, fmt.Errorf("drift: %w: %s: delta is %v, want [0, 1]", ErrParameter, PageHinkley, delta)
	case !(lambda > 0 && lambda <= maxLambda):
		return nil, fmt.Errorf("drift: %w: %s: lambda is %v, want more than 0 and at most %d", ErrParameter, PageHinkley, lambda, maxLambda)
	}
	return NewFrozen(int(Quantize(mu0-delta)), int(math.Ceil(lambda*LatticeSize)))
}

// maxLambda keeps the lattice value of lambda in the range of an int.
const maxLambda = 1 << 20

// Name returns [PageHinkley].
func (f *Frozen) Name() string { return PageHinkley }

// Update implements [Detector]. Finite samples outside [0, 1] clamp.
func (f *Frozen) Update(x float64) State {
	if finite(x) {
		f.s = max(0, f.s+f.k-int64(Quantize(x)))
	}
	return f.state()
}

// state grades as stateOf does, in integers so that the edge is exact.
func (f *Frozen) state() State { return stateOf(float64(f.s), float64(f.h)) }

// Statistic is S in units of the signal.
func (f *Frozen) Statistic() float64 { return float64(f.s) / LatticeSize }

// Threshold is lambda in units of the signal.
func (f *Frozen) Threshold() float64 { return float64(f.h) / LatticeSize }

// Reset sets S to 0.
func (f *Frozen) Reset() { f.s = 0 }

// Explain implements [Detector].
func (f *Frozen) Explain() Account {
	return Account{
		Formula:    frozenFormula,
		Parameters: []Figure{{"k", float64(f.k)}, {"h", float64(f.h)}},
		State:      []Figure{{"s", f.Statistic()}},
	}
}

// Snapshot implements [Detector].
func (f *Frozen) Snapshot() []byte {
	e := newEncoder(kindFrozen)
	e.i64(f.k)
	e.i64(f.h)
	e.i64(f.s)
	return e.buf
}

// Restore implements [Detector].
func (f *Frozen) Restore(snapshot []byte) error {
	d := newDecoder(snapshot, kindFrozen)
	d.same("k", float64(d.i64()), float64(f.k))
	d.same("h", float64(d.i64()), float64(f.h))
	s := d.count("S")
	if err := d.end(); err != nil {
		return err
	}
	f.s = s
	return nil
}
