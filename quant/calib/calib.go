// Package calib watches a float graph at work and finds the range of every
// activation, from which quantization derives its scales.
//
// Call Collect with representative samples, then Statistics.Ranges with a Method,
// as often as there are methods to compare:
//
//	s, err := calib.Collect(ctx, g, [][]float32{samples}, calib.Options{})
//	...
//	ranges, err := s.Ranges(calib.MSE())
//
// Memory stays bounded however many samples there are: for every activation a
// histogram of fixed size, and two numbers for every sample. The result does not
// depend on the number of workers, to the bit. Collects may run beside each other;
// a Statistics is plain data, safe to read concurrently.
//
// Statistics.Warnings tells what is doubtful about the samples: too few, or on
// another scale than the network was trained with.
package calib

import (
	"errors"

	"kedge/quant/graph"
)

var (
	// ErrSamples: the calibration samples cannot be used.
	ErrSamples = errors.New("calib: bad calibration samples")
	// ErrMethod: there is no such method or parameter.
	ErrMethod = errors.New("calib: bad method")
)

// Range is an interval of real values that contains zero.
type Range struct {
	Min, Max float32
}

// Ranges gives every activation's range, by tensor; constants have none.
type Ranges map[graph.TensorID]Range
