package graph

import (
	"fmt"
	"slices"

	"kedge/runtime/tensor"
)

// PReLU is x, or alpha·x below 0, with one constant alpha for each element of
// the last dimensions. Inputs: x, alpha (broadcasts to x).
type PReLU struct{}

// Name implements Op.
func (PReLU) Name() string { return "PRELU" }

func (PReLU) infer(g *Graph, n *Node) ([]tensor.Shape, error) {
	in, err := operands(g, n, 2)
	if err != nil {
		return nil, err
	}
	x, alpha := in[0], in[1]
	if !alpha.IsConstant() {
		return nil, fmt.Errorf("%w: alpha computed at run time", ErrUnsupported)
	}
	shape, err := broadcast(x.Shape, alpha.Shape)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(shape, x.Shape) {
		return nil, fmt.Errorf("%w: alpha %v does not broadcast to the input's %v", ErrInvalid, alpha.Shape, x.Shape)
	}
	return []tensor.Shape{shape}, nil
}

func (PReLU) eval(e *Executor, n *Node) { elementwise(e, n, preluRow) }

func preluRow(dst, x, alpha []float32) {
	for i, v := range x {
		if v < 0 {
			v *= alpha[i]
		}
		dst[i] = v
	}
}
