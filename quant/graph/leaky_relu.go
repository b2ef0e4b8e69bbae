package graph

import (
	"fmt"
	"math"
	"slices"

	"kedge/runtime/tensor"
)

// LeakyReLU is x, or Alpha·x below 0.
type LeakyReLU struct{ Alpha float32 }

// Name implements Op.
func (LeakyReLU) Name() string { return "LEAKY_RELU" }

func (op LeakyReLU) infer(g *Graph, n *Node) ([]tensor.Shape, error) {
	if a := float64(op.Alpha); math.IsNaN(a) || math.IsInf(a, 0) {
		return nil, fmt.Errorf("%w: alpha %v, want a finite number", ErrInvalid, op.Alpha)
	}
	in, err := operands(g, n, 1)
	if err != nil {
		return nil, err
	}
	return []tensor.Shape{slices.Clone(in[0].Shape)}, nil
}

func (op LeakyReLU) eval(e *Executor, n *Node) {
	y := e.values[n.Outputs[0]]
	for i, v := range e.values[n.Inputs[0]] {
		if v < 0 {
			v *= op.Alpha
		}
		y[i] = v
	}
}
