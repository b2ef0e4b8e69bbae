package graph

import (
	"fmt"
	"math"
	"slices"

	"kedge/runtime/tensor"
)

// Softmax is exp(Beta·x) / Σ exp(Beta·x) along the last dimension.
type Softmax struct {
	Beta float32
}

// Name implements Op.
func (Softmax) Name() string { return "SOFTMAX" }

func (op Softmax) infer(g *Graph, n *Node) ([]tensor.Shape, error) {
	if len(n.Inputs) != 1 || n.Inputs[0] == None {
		return nil, fmt.Errorf("%w: %d inputs, want 1", ErrInvalid, len(n.Inputs))
	}
	if !(op.Beta > 0) || math.IsInf(float64(op.Beta), 1) {
		return nil, fmt.Errorf("%w: beta %v, want a positive number", ErrInvalid, op.Beta)
	}
	x := g.Tensor(n.Inputs[0])
	if len(x.Shape) < 1 {
		return nil, fmt.Errorf("%w: input is a scalar, want at least one dimension", ErrInvalid)
	}
	return []tensor.Shape{slices.Clone(x.Shape)}, nil
}

func (op Softmax) eval(e *Executor, n *Node) {
	shape := e.g.Tensor(n.Inputs[0]).Shape
	depth := shape[len(shape)-1]
	x, y := e.values[n.Inputs[0]], e.values[n.Outputs[0]]
	for lo := 0; lo < len(x); lo += depth {
		softmaxRow(y[lo:lo+depth], x[lo:lo+depth], float64(op.Beta))
	}
}

// softmaxRow subtracts the maximum first, so that exp cannot overflow.
func softmaxRow(y, x []float32, beta float64) {
	top, sum := slices.Max(x), 0.0
	for i, v := range x {
		p := math.Exp(beta * float64(v-top))
		y[i] = float32(p)
		sum += p
	}
	for i, p := range y {
		y[i] = float32(float64(p) / sum)
	}
}
