package pass

import (
	"slices"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// operand is the constant side of a Binary whose result has the shape of its
// other side x.
type operand struct {
	x      graph.TensorID
	k      int          // which input is the constant
	shape  tensor.Shape // of the constant, with as many dimensions as x
	values []float32
}

// constantOperand takes a Binary apart. It refuses one whose constant widens
// x, because then values of x meet several of the constant's.
func constantOperand(g *graph.Graph, n *graph.Node) (operand, bool) {
	for k := range 2 {
		c, x := g.Tensor(n.Inputs[k]), g.Tensor(n.Inputs[1-k])
		if c.Float == nil || x.IsConstant() || !slices.Equal(x.Shape, g.Tensor(n.Outputs[0]).Shape) {
			continue
		}
		return operand{n.Inputs[1-k], k, padShape(c.Shape, len(x.Shape)), c.Float}, true
	}
	return operand{}, false
}

// padShape gives s leading ones up to rank dimensions.
func padShape(s tensor.Shape, rank int) tensor.Shape {
	out := slices.Repeat(tensor.Shape{1}, max(rank, len(s)))
	copy(out[len(out)-len(s):], s)
	return out
}

// uniform reports whether all values are the same.
func (o operand) uniform() bool { return uniform(o.values) }

func uniform(values []float32) bool {
	for _, v := range values {
		if v != values[0] {
			return false
		}
	}
	return len(values) > 0
}

// axis is the only dimension along which the constant varies; -1 if its values
// are all the same, in which case one value is left. ok is false where it varies
// along more.
func (o operand) axis() (axis int, values []float32, ok bool) {
	if o.uniform() {
		return -1, o.values[:1], true
	}
	axis = -1
	for d, extent := range o.shape {
		if extent != 1 {
			if axis >= 0 {
				return 0, nil, false
			}
			axis = d
		}
	}
	return axis, o.values, true
}
