package pass

import (
	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// affine is y = scale·x + offset, each with one value for all channels or one
// for each. In float64: the products are rounded once, when they become
// weights.
type affine struct {
	axis          int // of x; -1 when all channels are alike
	scale, offset []float64
}

// affineOf reads a Binary with a constant that varies along one axis at most.
// 5 − x counts, 5 / x does not.
func affineOf(g *graph.Graph, n *graph.Node) (a affine, x graph.TensorID, ok bool) {
	op, isBinary := n.Op.(graph.Binary)
	if !isBinary {
		return a, 0, false
	}
	o, ok := constantOperand(g, n)
	if !ok {
		return a, 0, false
	}
	axis, values, ok := o.axis()
	if !ok {
		return a, 0, false
	}
	a = affine{axis, make([]float64, len(values)), make([]float64, len(values))}
	for i, v := range values {
		c := float64(v)
		switch {
		case op.Kind == graph.Add:
			a.scale[i], a.offset[i] = 1, c
		case op.Kind == graph.Sub && o.k == 1:
			a.scale[i], a.offset[i] = 1, -c
		case op.Kind == graph.Sub:
			a.scale[i], a.offset[i] = -1, c
		case op.Kind == graph.Mul:
			a.scale[i] = c
		case op.Kind == graph.Div && o.k == 1 && c != 0:
			a.scale[i] = 1 / c
		default:
			return a, 0, false
		}
	}
	return a, o.x, true
}

// at gives the values for a channel.
func (a affine) at(channel int) (scale, offset float64) {
	if a.axis < 0 {
		return a.scale[0], a.offset[0]
	}
	return a.scale[channel], a.offset[channel]
}

// shifts reports whether some offset is not 0.
func (a affine) shifts() bool {
	for _, v := range a.offset {
		if v != 0 {
			return true
		}
	}
	return false
}

// axisBefore follows an axis of a reshape's or transpose's result to the axis
// of its operand along which the elements with the same index are the same
// ones.
func axisBefore(g *graph.Graph, n *graph.Node, axis int) (int, bool) {
	switch op := n.Op.(type) {
	case graph.Transpose:
		if axis < 0 {
			return axis, true
		}
		return op.Perm[axis], true
	case graph.Reshape:
		return matchAxis(g.Tensor(n.Outputs[0]).Shape, g.Tensor(n.Inputs[0]).Shape, axis)
	}
	return 0, false
}

// matchAxis finds the dimension of shape to, a reshape of from, that has the
// same extent as from's axis and as many elements before it.
func matchAxis(from, to tensor.Shape, axis int) (int, bool) {
	if axis < 0 {
		return axis, true
	}
	before, _ := from[:axis].Elements()
	have := 1
	for d, extent := range to {
		if have == before && extent == from[axis] {
			return d, true
		}
		have *= extent
	}
	return 0, false
}
