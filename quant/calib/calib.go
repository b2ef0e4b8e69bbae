// Package calib watches a float graph at work and finds the range of every
// activation, from which quantization derives its scales.
//
// Call Run with representative samples; it feeds them through the graph in
// blocks and returns the Ranges. Memory stays bounded however many samples
// there are: observers keep summaries, never activations. A Run may execute
// beside others; its result is plain data.
package calib

import (
	"context"
	"errors"
	"fmt"

	"kedge/quant/graph"
)

// ErrSamples: the calibration samples cannot be used.
var ErrSamples = errors.New("calib: bad calibration samples")

// Range is an interval of real values that contains zero.
type Range struct {
	Min, Max float32
}

// Ranges gives every activation's range, by tensor; constants have none.
type Ranges map[graph.TensorID]Range

// Observer summarizes the values that one tensor takes.
type Observer interface {
	// Observe takes in values; it must not keep the slice. NaN and infinite
	// values are an error.
	Observe(values []float32) error
	// Range is the interval to quantize, zero included.
	Range() Range
}

// Method makes a fresh observer for each tensor.
type Method func() Observer

// Run feeds x (samples of the graph's single input, one after the other)
// through g and observes every activation with method (nil: MinMax).
// Errors match ErrSamples, package graph's, or are the context's.
func Run(ctx context.Context, g *graph.Graph, x []float32, method Method) (Ranges, error) {
	if len(g.Inputs) != 1 {
		return nil, fmt.Errorf("%w: the graph has %d inputs, want 1", ErrSamples, len(g.Inputs))
	}
	size, _ := g.Tensor(g.Inputs[0]).Shape.Elements()
	if len(x) == 0 || size == 0 || len(x)%size != 0 {
		return nil, fmt.Errorf("%w: %d values, want at least one sample of %d", ErrSamples, len(x), size)
	}
	if method == nil {
		method = NewMinMax
	}
	e, err := graph.NewExecutor(g)
	if err != nil {
		return nil, err
	}
	w := watch{g: g, method: method, seen: make(map[graph.TensorID]Observer)}
	for lo := 0; lo < len(x); lo += size {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("calibration stopped: %w", err)
		}
		if _, err := e.Run([][]float32{x[lo : lo+size]}, w.observe); err != nil {
			return nil, err
		}
		if w.err != nil {
			return nil, w.err
		}
	}
	ranges := make(Ranges, len(w.seen))
	for id, o := range w.seen {
		ranges[id] = o.Range()
	}
	return ranges, nil
}

// watch hands each tensor's values to its observer and keeps the first error.
type watch struct {
	g      *graph.Graph
	method Method
	seen   map[graph.TensorID]Observer
	err    error
}

func (w *watch) observe(id graph.TensorID, values []float32) {
	o := w.seen[id]
	if o == nil {
		o = w.method()
		w.seen[id] = o
	}
	if err := o.Observe(values); err != nil && w.err == nil {
		w.err = fmt.Errorf("tensor %d %q: %w", id, w.g.Tensor(id).Name, err)
	}
}
