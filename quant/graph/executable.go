package graph

import (
	"fmt"

	"kedge/runtime/tensor"
)

// checkExecutable follows integers through the graph. They come from a Quantize
// or a constant, may be moved, and end in a Dequantize or as a result: anything
// else would compute with them, which needs the rounding rules of package
// runtime.
func (g *Graph) checkExecutable() error {
	integer := make([]bool, len(g.Tensors)) // known so far to hold integers
	for i := range g.Tensors {
		t := &g.Tensors[i]
		integer[i] = t.IsConstant() && t.Type != tensor.Float32
		if t.IsConstant() && integer[i] == (t.Float != nil) {
			return fmt.Errorf("%w: %s is %v and holds other values", ErrUnsupported, g.label(TensorID(i)), t.Type)
		}
	}
	for _, id := range g.Inputs {
		if t := g.Tensor(id); t.Type != tensor.Float32 {
			return fmt.Errorf("%w: graph input %s is %v; only float32 graphs can be executed", ErrUnsupported, g.label(id), t.Type)
		}
	}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if err := g.checkNodeTypes(n, integer); err != nil {
			return fmt.Errorf("node %d %s: %w", i, n.Op.Name(), err)
		}
	}
	return nil
}

func (g *Graph) checkNodeTypes(n *Node, integer []bool) error {
	want, result := false, tensor.Float32 // of the inputs; of the outputs
	switch op := n.Op.(type) {
	case Quantize:
		result = op.To
	case Dequantize:
		want = true
	default:
		if moves(op) && integer[n.Inputs[0]] {
			want, result = true, g.Tensor(n.Inputs[0]).Type
		}
	}
	for _, id := range n.Inputs {
		if id == None {
			continue
		}
		t := g.Tensor(id)
		if integer[id] != want {
			return fmt.Errorf("%w: input %s is %v; only float32 graphs can be executed", ErrUnsupported, g.label(id), t.Type)
		}
		if want && result != tensor.Float32 && t.Type != result {
			return fmt.Errorf("%w: input %s is %v beside %v", ErrInvalid, g.label(id), t.Type, result)
		}
	}
	for _, id := range n.Outputs {
		if t := g.Tensor(id); t.Type != result {
			return fmt.Errorf("%w: output %s is %v, computed %v", ErrUnsupported, g.label(id), t.Type, result)
		}
		integer[id] = result != tensor.Float32
	}
	return nil
}

// moves reports whether op copies values and computes none. A Pad does not: its
// constant is a real number.
func moves(op Op) bool {
	switch op := op.(type) {
	case Reshape, Transpose, Split, StridedSlice:
		return true
	case Concatenation:
		return op.Activation == Linear
	}
	return false
}

// numbers are a constant's values as the executor holds them; an integer beyond
// 2²⁴ is rounded. Int64 operands are shapes and axes, which no operator reads.
func (t *Tensor) numbers() []float32 {
	switch {
	case t.Int8 != nil:
		return asFloats(t.Int8)
	case t.Uint8 != nil:
		return asFloats(t.Uint8)
	case t.Int16 != nil:
		return asFloats(t.Int16)
	case t.Int32 != nil:
		return asFloats(t.Int32)
	}
	return t.Float
}

func asFloats[T int8 | uint8 | int16 | int32](v []T) []float32 {
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x)
	}
	return out
}
