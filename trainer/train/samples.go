package train

import (
	"fmt"
	"math"
)

// Samples is a labeled set: Len rows of Features numbers each, already
// transformed and standardized the way the network will see them.
type Samples struct {
	// X holds the rows one after the other, len(X) = Len × Features.
	X []float32
	// Features is the length of a row, ≥ 1.
	Features int
	// Y is the class of each row, in [0, classes).
	Y []int
	// Weight is how much each row counts in the loss, ≥ 0; nil counts all
	// rows alike. Only the ratios matter: Fit scales the mean to 1.
	Weight []float32
}

// Len is the number of rows.
func (s Samples) Len() int { return len(s.Y) }

// Row returns row i; it shares memory with s.
func (s Samples) Row(i int) []float32 { return s.X[i*s.Features : (i+1)*s.Features] }

// Select copies the rows named by index, in that order.
func (s Samples) Select(index []int) Samples {
	out := Samples{
		X:        make([]float32, 0, len(index)*s.Features),
		Features: s.Features,
		Y:        make([]int, 0, len(index)),
	}
	for _, i := range index {
		out.X = append(out.X, s.Row(i)...)
		out.Y = append(out.Y, s.Y[i])
		if s.Weight != nil {
			out.Weight = append(out.Weight, s.Weight[i])
		}
	}
	return out
}

// Validate reports the first thing that makes s unusable for a network with
// that many classes; the error matches ErrSamples.
func (s Samples) Validate(classes int) error {
	switch {
	case s.Features < 1:
		return fmt.Errorf("%w: %d features", ErrSamples, s.Features)
	case len(s.X)%s.Features != 0 || len(s.X)/s.Features != len(s.Y):
		return fmt.Errorf("%w: %d values for %d rows of %d features", ErrSamples, len(s.X), len(s.Y), s.Features)
	case s.Weight != nil && len(s.Weight) != len(s.Y):
		return fmt.Errorf("%w: %d weights for %d rows", ErrSamples, len(s.Weight), len(s.Y))
	}
	for i, y := range s.Y {
		if y < 0 || y >= classes {
			return fmt.Errorf("%w: row %d has class %d, want 0 to %d", ErrSamples, i, y, classes-1)
		}
	}
	for i, x := range s.X {
		if !finite(x) {
			return fmt.Errorf("%w: row %d, feature %d is %v", ErrSamples, i/s.Features, i%s.Features, x)
		}
	}
	return s.validateWeights()
}

func (s Samples) validateWeights() error {
	total := 0.0
	for i, w := range s.Weight {
		if !finite(w) || w < 0 {
			return fmt.Errorf("%w: row %d has weight %v", ErrSamples, i, w)
		}
		total += float64(w)
	}
	if len(s.Weight) > 0 && total == 0 {
		return fmt.Errorf("%w: every row has weight 0", ErrSamples)
	}
	return nil
}

func finite(x float32) bool {
	return !math.IsNaN(float64(x)) && !math.IsInf(float64(x), 0)
}
