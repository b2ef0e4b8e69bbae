package onnx

import (
	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// softmax is along one dimension or, before opset 13, along all from axis on.
func softmax(c *call) []*value {
	return c.alongAxis(graph.Softmax{Beta: 1})
}

func logSoftmax(c *call) []*value {
	return c.alongAxis(graph.LogSoftmax{})
}

// alongAxis applies an operator of the last dimension.
func (c *call) alongAxis(op graph.Op) []*value {
	s := c.shape(0)
	absent := int64(-1)
	if c.im.opset < 13 {
		absent = 1
	}
	axis := c.axis(c.integer("axis", absent), len(s))
	if c.err != nil {
		return nil
	}
	x := c.tensor(0)
	last := len(s) - 1
	switch {
	case axis == last:
		return c.result(c.emit(op, x))
	case c.im.opset < 13:
		rows, _ := s[:axis].Elements()
		columns, _ := s[axis:].Elements()
		y := c.emit(op, c.reshape(x, tensor.Shape{rows, columns}))
		return c.result(c.reshape(y, s))
	}
	swap := make([]int, len(s))
	for i := range swap {
		swap[i] = i
	}
	swap[axis], swap[last] = last, axis
	y := c.emit(op, c.emit(graph.Transpose{Perm: swap}, x))
	return c.result(c.emit(graph.Transpose{Perm: swap}, y))
}
