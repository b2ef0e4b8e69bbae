package calib

import (
	"fmt"
	"math"
)

// minMax remembers the smallest and greatest value ever seen, which is what
// TFLite's converter does in post-training quantization.
type minMax struct {
	r Range
}

// NewMinMax makes an observer of the global minimum and maximum. Both start at
// zero because the range has to contain it: padding and ReLU need an exact
// zero (TFLite 8-bit quantization specification).
func NewMinMax() Observer { return &minMax{} }

func (m *minMax) Observe(values []float32) error {
	for i, v := range values {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("%w: value %v at index %d", ErrSamples, v, i)
		}
		m.r.Min = min(m.r.Min, v)
		m.r.Max = max(m.r.Max, v)
	}
	return nil
}

func (m *minMax) Range() Range { return m.r }
