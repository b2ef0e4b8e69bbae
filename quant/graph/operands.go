package graph

import (
	"fmt"

	"kedge/runtime/tensor"
)

// operands returns the count inputs of n, all of which must be there and hold
// at least one element.
func operands(g *Graph, n *Node, count int) ([]*Tensor, error) {
	if len(n.Inputs) != count {
		return nil, fmt.Errorf("%w: %d inputs, want %d", ErrInvalid, len(n.Inputs), count)
	}
	out := make([]*Tensor, count)
	for i, id := range n.Inputs {
		if id == None {
			return nil, fmt.Errorf("%w: input %d is absent", ErrInvalid, i)
		}
		out[i] = g.Tensor(id)
		if size, ok := out[i].Shape.Elements(); !ok || size == 0 {
			return nil, fmt.Errorf("%w: %s has shape %v, want at least one element", ErrInvalid, g.label(id), out[i].Shape)
		}
	}
	return out, nil
}

// rowOperand is the only input of an operator that works along the last
// dimension.
func rowOperand(g *Graph, n *Node) (*Tensor, error) {
	in, err := operands(g, n, 1)
	if err != nil {
		return nil, err
	}
	if len(in[0].Shape) == 0 {
		return nil, fmt.Errorf("%w: %s is a scalar, want at least one dimension", ErrInvalid, g.label(n.Inputs[0]))
	}
	return in[0], nil
}

// checkAxis refuses an axis that shape does not have.
func checkAxis(axis int, shape tensor.Shape) error {
	if axis < 0 || axis >= len(shape) {
		return fmt.Errorf("%w: axis %d of shape %v, want 0 to %d", ErrInvalid, axis, shape, len(shape)-1)
	}
	return nil
}

// checkList refuses a field that has not one entry for each dimension.
func checkList(field string, list []int, shape tensor.Shape) error {
	if len(list) != len(shape) {
		return fmt.Errorf("%w: %d entries in %s for shape %v, want %d", ErrInvalid, len(list), field, shape, len(shape))
	}
	return nil
}

// kindName is the name of an operator that a table lists by kind; a kind that
// the table lacks is given as a number, for the error that refuses it.
func kindName(names []string, family string, kind int) string {
	if kind < len(names) {
		return names[kind]
	}
	return fmt.Sprintf("%s(%d)", family, kind)
}
