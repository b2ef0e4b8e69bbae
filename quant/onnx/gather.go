package onnx

import (
	"slices"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// gather takes the elements of dimension axis that the indices name. Of an
// activation that is one slice, or several joined, each of evenly spaced indices.
func gather(c *call) []*value {
	s := c.shape(0)
	axis := c.axis(c.integer("axis", 0), len(s))
	list, ok := c.constantInts(1)
	if !ok || c.err != nil {
		return nil
	}
	indices := make([]int, len(list))
	for i, v := range list {
		indices[i] = c.axis(v, s[axis])
	}
	if c.err != nil {
		return nil
	}
	shape := slices.Concat(s[:axis], c.shape(1), s[axis+1:])
	if c.in[0].isConstant() {
		return c.pickConstant(indices, axis, shape)
	}
	if len(indices) == 0 {
		return c.unsupported("no indices")
	}
	var parts []graph.TensorID
	for len(indices) > 0 {
		n, step := run(indices)
		if len(parts) == maxTaps {
			return c.unsupported("more than %d stretches of an activation", maxTaps)
		}
		op := graph.StridedSlice{Begin: make([]int, len(s)), Count: slices.Clone([]int(s)), Stride: []int(ones(len(s)))}
		op.Begin[axis], op.Count[axis], op.Stride[axis] = indices[0], n, step
		parts, indices = append(parts, c.emit(op, c.tensor(0))), indices[n:]
	}
	if len(parts) > 1 {
		parts[0] = c.emit(graph.Concatenation{Axis: axis}, parts...)
	}
	return c.result(c.reshape(parts[0], shape))
}

// run is how many indices, from the first on, are evenly spaced.
func run(indices []int) (n, step int) {
	if len(indices) == 1 || indices[1] == indices[0] {
		return 1, 1
	}
	n, step = 2, indices[1]-indices[0]
	for n < len(indices) && indices[n]-indices[n-1] == step {
		n++
	}
	return n, step
}

// pickConstant is gather of a constant.
func (c *call) pickConstant(indices []int, axis int, shape tensor.Shape) []*value {
	n, ok := shape.Elements()
	if !ok {
		return c.invalid("result of shape %v", shape)
	}
	if err := c.im.spent.spend(2 * n); err != nil {
		return c.fail(err)
	}
	from := c.in[0].Tensor
	inner, _ := from.Shape[axis+1:].Elements()
	outer, _ := from.Shape[:axis].Elements()
	t := &Tensor{Shape: shape, Type: from.Type}
	for o := range outer {
		for _, index := range indices {
			at := (o*from.Shape[axis] + index) * inner
			if from.isReal() {
				t.Float = append(t.Float, from.Float[at:at+inner]...)
			} else {
				t.Int = append(t.Int, from.Int[at:at+inner]...)
			}
		}
	}
	return []*value{constantValue(t)}
}
