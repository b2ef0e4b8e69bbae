package graph

import (
	"fmt"
	"math"

	"kedge/runtime/tensor"
)

// Executor runs a float graph in float32. It keeps its buffers between runs
// and must not be used by two goroutines at once.
type Executor struct {
	g      *Graph
	values [][]float32
}

// NewExecutor checks that g (which must have passed Infer) is float throughout.
func NewExecutor(g *Graph) (*Executor, error) {
	for i := range g.Tensors {
		if t := &g.Tensors[i]; t.Type != tensor.Float32 {
			return nil, fmt.Errorf("%w: %s is %v; only float32 graphs can be executed", ErrUnsupported, g.label(TensorID(i)), t.Type)
		}
	}
	return &Executor{g: g, values: make([][]float32, len(g.Tensors))}, nil
}

// Run computes the graph for rows samples at once: inputs holds, for every
// graph input, rows × (elements of one sample) values. The results, one slice
// for every graph output, are valid until the next Run.
//
// observe, when given, sees every activation (graph inputs included) in
// execution order; it must not keep or change the slice.
func (e *Executor) Run(inputs [][]float32, rows int, observe func(TensorID, []float32)) ([][]float32, error) {
	if err := e.bind(inputs, rows); err != nil {
		return nil, err
	}
	if observe != nil {
		for _, id := range e.g.Inputs {
			observe(id, e.values[id])
		}
	}
	for i := range e.g.Nodes {
		n := &e.g.Nodes[i]
		for _, id := range n.Outputs {
			e.values[id] = grow(e.values[id], rows*e.sampleSize(id))
		}
		n.Op.eval(e, n, rows)
		if observe != nil {
			for _, id := range n.Outputs {
				observe(id, e.values[id])
			}
		}
	}
	outputs := make([][]float32, len(e.g.Outputs))
	for i, id := range e.g.Outputs {
		outputs[i] = e.values[id]
	}
	return outputs, nil
}

// bind points the graph inputs at the caller's values.
func (e *Executor) bind(inputs [][]float32, rows int) error {
	if len(inputs) != len(e.g.Inputs) {
		return fmt.Errorf("%w: %d inputs given, the graph has %d", ErrInvalid, len(inputs), len(e.g.Inputs))
	}
	for i, id := range e.g.Inputs {
		size := e.sampleSize(id)
		if rows < 1 || rows > math.MaxInt32/size || len(inputs[i]) != rows*size {
			return fmt.Errorf("%w: input %d has %d values, want %d rows of %d", ErrInvalid, i, len(inputs[i]), rows, size)
		}
		e.values[id] = inputs[i]
	}
	return nil
}

// sampleSize is the number of values that one sample has in a tensor.
func (e *Executor) sampleSize(id TensorID) int {
	n, _ := e.g.Tensor(id).Shape[1:].Elements()
	return n
}

func grow(buf []float32, n int) []float32 {
	if cap(buf) < n {
		return make([]float32, n)
	}
	return buf[:n]
}
