package graph

import (
	"fmt"
	"slices"

	"kedge/runtime/tensor"
)

// Reshape gives the same elements another shape with as many elements. SQUEEZE
// and EXPAND_DIMS are read as this.
type Reshape struct{ Shape tensor.Shape }

// Name implements Op.
func (Reshape) Name() string { return "RESHAPE" }

func (op Reshape) infer(g *Graph, n *Node) ([]tensor.Shape, error) {
	in, err := operands(g, n, 1)
	if err != nil {
		return nil, err
	}
	have, _ := in[0].Shape.Elements()
	if want, ok := op.Shape.Elements(); !ok || want != have {
		return nil, fmt.Errorf("%w: shape %v for the %d elements of %v", ErrInvalid, op.Shape, have, in[0].Shape)
	}
	return []tensor.Shape{slices.Clone(op.Shape)}, nil
}

func (Reshape) eval(e *Executor, n *Node) {
	copy(e.values[n.Outputs[0]], e.values[n.Inputs[0]])
}
