package graph

import (
	"fmt"
	"math"
	"slices"
)

// Infer computes the shape of every operator's output from the graph inputs
// and constants, in node order, and checks the graph: references in range,
// every operand produced before it is used and only once, constants complete
// and finite. A shape that was already set must agree.
// Errors match ErrInvalid or ErrUnsupported and name the tensor or node.
func (g *Graph) Infer() error {
	if len(g.Inputs) == 0 || len(g.Outputs) == 0 {
		return fmt.Errorf("%w: %d inputs and %d outputs", ErrInvalid, len(g.Inputs), len(g.Outputs))
	}
	ready := make([]bool, len(g.Tensors))
	for i := range g.Tensors {
		if err := g.checkTensor(TensorID(i)); err != nil {
			return err
		}
		ready[i] = g.Tensors[i].IsConstant()
	}
	for _, id := range g.Inputs {
		if err := g.produce(id, ready); err != nil {
			return fmt.Errorf("graph input: %w", err)
		}
		if n, _ := g.Tensor(id).Shape.Elements(); n < 1 {
			return fmt.Errorf("%w: input %s has shape %v, want at least one value", ErrInvalid, g.label(id), g.Tensor(id).Shape)
		}
	}
	for i := range g.Nodes {
		if err := g.inferNode(&g.Nodes[i], ready); err != nil {
			return fmt.Errorf("node %d %s: %w", i, g.Nodes[i].Op.Name(), err)
		}
	}
	for _, id := range g.Outputs {
		if id < 0 || int(id) >= len(g.Tensors) || !ready[id] {
			return fmt.Errorf("%w: graph output %d is never computed", ErrInvalid, id)
		}
	}
	return nil
}

func (g *Graph) inferNode(n *Node, ready []bool) error {
	for _, id := range n.Inputs {
		if id == None {
			continue
		}
		if id < 0 || int(id) >= len(g.Tensors) {
			return fmt.Errorf("%w: input tensor %d of %d", ErrInvalid, id, len(g.Tensors))
		}
		if !ready[id] {
			return fmt.Errorf("%w: %s is used before it is computed", ErrInvalid, g.label(id))
		}
	}
	shapes, err := n.Op.infer(g, n)
	if err != nil {
		return err
	}
	if len(n.Outputs) != len(shapes) {
		return fmt.Errorf("%w: %d outputs, want %d", ErrInvalid, len(n.Outputs), len(shapes))
	}
	for i, id := range n.Outputs {
		if err := g.produce(id, ready); err != nil {
			return err
		}
		t := g.Tensor(id)
		if len(t.Shape) > 0 && !slices.Equal(t.Shape, shapes[i]) {
			return fmt.Errorf("%w: %s has shape %v, computed %v", ErrInvalid, g.label(id), t.Shape, shapes[i])
		}
		if n, ok := shapes[i].Elements(); !ok || n == 0 {
			return fmt.Errorf("%w: %s would have shape %v", ErrInvalid, g.label(id), shapes[i])
		}
		t.Shape = shapes[i]
	}
	return nil
}

// produce marks id as computed; each tensor has one source.
func (g *Graph) produce(id TensorID, ready []bool) error {
	if id < 0 || int(id) >= len(g.Tensors) {
		return fmt.Errorf("%w: tensor %d of %d", ErrInvalid, id, len(g.Tensors))
	}
	if ready[id] {
		return fmt.Errorf("%w: %s has two sources", ErrInvalid, g.label(id))
	}
	ready[id] = true
	return nil
}

func (g *Graph) checkTensor(id TensorID) error {
	t := g.Tensor(id)
	n, ok := t.Shape.Elements()
	if !ok {
		return fmt.Errorf("%w: %s has shape %v", ErrInvalid, g.label(id), t.Shape)
	}
	if !t.IsConstant() {
		return nil
	}
	if have := t.length(); have != n {
		return fmt.Errorf("%w: %s has %d values for shape %v", ErrInvalid, g.label(id), have, t.Shape)
	}
	for i, v := range t.Float {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("%w: %s holds %v at index %d", ErrInvalid, g.label(id), v, i)
		}
	}
	return nil
}
