package inputs

import (
	"errors"
	"fmt"
	"math"

	"kedge/agent/drift"
)

// Sizes of a reference, in rows.
const (
	// MinReference is the least that anything is derived from.
	MinReference = 30
	// FullReference is the size below which a reference is weak: thresholds are wide.
	FullReference = 500

	maxReference = math.MaxUint32
	maxFeatures  = 1 << 20
)

// Refusals.
var (
	// ErrReference: a reference is too small or not one that a Builder made.
	ErrReference = errors.New("invalid reference")
	// ErrRow: a row has not as many values as there are features.
	ErrRow = errors.New("row of another length")
	// ErrParameter: a parameter is outside its range.
	ErrParameter = errors.New("parameter out of range")
)

// Reference is the inputs as they were when the model was known to be good. It
// travels in the signed release; its JSON takes 3 to 6 KiB for a float feature, by
// the digits of its values, and less than 2 KiB for a byte.
type Reference struct {
	N        int64     `json:"n"` // rows
	Features []Feature `json:"features"`
}

// Weak reports whether the reference is too small for sharp thresholds.
func (r *Reference) Weak() bool { return r.N < FullReference }

// Validate checks a reference that came from outside.
func (r *Reference) Validate() error {
	switch {
	case r.N < MinReference || r.N > maxReference:
		return fmt.Errorf("inputs: %w: %d rows, want at least %d", ErrReference, r.N, MinReference)
	case len(r.Features) == 0 || len(r.Features) > maxFeatures:
		return fmt.Errorf("inputs: %w: %d features, want 1..%d", ErrReference, len(r.Features), maxFeatures)
	}
	lengths := blockLengths(r.N)
	for i := range r.Features {
		f := &r.Features[i]
		err := f.validate(r.N)
		if err == nil {
			err = validateSpread(f.Spread, lengths)
		}
		if err == nil {
			err = f.correlation().Validate()
		}
		if err != nil {
			return fmt.Errorf("inputs: %w: feature %d %q: %w", ErrReference, i, f.Name, err)
		}
	}
	return nil
}

// correlation lends the signal's treatment of autocorrelations.
func (f *Feature) correlation() drift.Reference {
	n := f.Counts.N()
	counts := make([]int64, drift.LatticeSize)
	for i, c := range f.Counts.Counts {
		counts[i] = int64(c)
	}
	return drift.Reference{Counts: counts, N: n, Lags: f.Lags}
}
