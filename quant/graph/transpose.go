package graph

import (
	"fmt"

	"kedge/runtime/tensor"
)

// Transpose reorders dimensions: output dimension i is input dimension Perm[i].
type Transpose struct{ Perm []int }

// Name implements Op.
func (Transpose) Name() string { return "TRANSPOSE" }

func (op Transpose) infer(g *Graph, n *Node) ([]tensor.Shape, error) {
	in, err := operands(g, n, 1)
	if err != nil {
		return nil, err
	}
	x := in[0].Shape
	if err := checkList("perm", op.Perm, x); err != nil {
		return nil, err
	}
	out, seen := make(tensor.Shape, len(x)), make([]bool, len(x))
	for i, p := range op.Perm {
		if p < 0 || p >= len(x) || seen[p] {
			return nil, fmt.Errorf("%w: perm %v, want every dimension of %v once", ErrInvalid, op.Perm, x)
		}
		out[i], seen[p] = x[p], true
	}
	return []tensor.Shape{out}, nil
}

func (op Transpose) eval(e *Executor, n *Node) {
	from := strides(e.g.Tensor(n.Inputs[0]).Shape)
	steps := make([]int, len(op.Perm))
	for i, p := range op.Perm {
		steps[i] = from[p]
	}
	gather(e.values[n.Outputs[0]], e.g.Tensor(n.Outputs[0]).Shape, e.values[n.Inputs[0]], 0, steps)
}
