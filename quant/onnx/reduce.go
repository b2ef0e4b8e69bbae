package onnx

import (
	"slices"

	"kedge/quant/graph"
)

// reduce imports an operator whose axes are an input since the opset given.
func reduce(kind graph.Reduction, since int64) func(*call) []*value {
	return func(c *call) []*value {
		rank := len(c.shape(0))
		list := c.axes("axes", 1, since)
		if len(list) == 0 {
			if c.integer("noop_with_empty_axes", 0) != 0 || rank == 0 {
				return c.in[:1]
			}
			for i := range rank {
				list = append(list, int64(i))
			}
		}
		op := graph.Reduce{Kind: kind, KeepDims: c.integer("keepdims", 1) != 0}
		for _, a := range list {
			op.Axes = append(op.Axes, c.axis(a, rank))
		}
		slices.Sort(op.Axes)
		op.Axes = slices.Compact(op.Axes)
		return c.result(c.emit(op, c.tensor(0)))
	}
}
