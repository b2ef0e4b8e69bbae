package graph

import (
	"fmt"
	"slices"

	"kedge/runtime/tensor"
)

// FullyConnected is y = Activation(x·Wᵀ + b). Inputs: x of any shape, whose
// elements are taken as rows of in; W (out, in) constant, optionally b (out)
// constant. Output: (rows, out), or with KeepDims, for which the last dimension
// of x must be in, the shape of x with out in its place.
type FullyConnected struct {
	Activation Activation
	KeepDims   bool
}

// Name implements Op.
func (FullyConnected) Name() string { return "FULLY_CONNECTED" }

func (op FullyConnected) infer(g *Graph, n *Node) ([]tensor.Shape, error) {
	x, w, err := g.weighted(n, op.Activation, 2, 0)
	if err != nil {
		return nil, err
	}
	elements, ok := x.Elements()
	if !ok || elements < 1 || len(x) < 1 || elements%w[1] != 0 || op.KeepDims && x[len(x)-1] != w[1] {
		return nil, fmt.Errorf("%w: input %v does not fit weights %v, want rows of %d", ErrInvalid, x, w, w[1])
	}
	if op.KeepDims {
		return []tensor.Shape{append(slices.Clone(x[:len(x)-1]), w[0])}, nil
	}
	return []tensor.Shape{{elements / w[1], w[0]}}, nil
}

// Bias returns n's bias tensor, nil when it has none.
func (FullyConnected) Bias(g *Graph, n *Node) *Tensor { return g.Bias(n) }

func (FullyConnected) pack(w *Tensor) []float32 { return packLayer(w) }

func (op FullyConnected) eval(e *Executor, n *Node) {
	e.layer(n, op.Activation).run(e.values[n.Outputs[0]], e.values[n.Inputs[0]])
}
