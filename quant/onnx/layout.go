package onnx

import (
	"slices"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// channelsLast gives x (batch, channels, …) as (batch, …, channels). What was
// itself made by channelsFirst, or is asked for again, takes no new node.
func (c *call) channelsLast(x graph.TensorID) graph.TensorID {
	if c.err != nil {
		return graph.None
	}
	if id, ok := c.im.last[x]; ok {
		return id
	}
	y := c.emit(graph.Transpose{Perm: toLast(len(c.shapeOf(x)))}, x)
	if c.err == nil {
		c.im.last[x] = y
	}
	return y
}

// channelsFirst gives x (batch, …, channels) as (batch, channels, …).
func (c *call) channelsFirst(x graph.TensorID) graph.TensorID {
	if c.err != nil {
		return graph.None
	}
	y := c.emit(graph.Transpose{Perm: toFirst(len(c.shapeOf(x)))}, x)
	if c.err == nil {
		c.im.last[y] = x
	}
	return y
}

// image gives input i, (batch, channels, height, width) or, in one dimension,
// (batch, channels, width), as an image (batch, height, width, channels), of
// height 1 in one dimension. Check its rank with extent first.
func (c *call) image(i int) graph.TensorID {
	x := c.channelsLast(c.tensor(i))
	if s := c.shapeOf(x); len(s) == 3 {
		return c.reshape(x, tensor.Shape{s[0], 1, s[1], s[2]})
	}
	return x
}

// ofImage undoes image for a result, of as many dimensions as input 0.
func (c *call) ofImage(y graph.TensorID) graph.TensorID {
	if s := c.shapeOf(y); len(c.shape(0)) == 3 && s != nil {
		y = c.reshape(y, tensor.Shape{s[0], s[2], s[3]})
	}
	return c.channelsFirst(y)
}

// reshape adds a Reshape unless x has that shape.
func (c *call) reshape(x graph.TensorID, shape tensor.Shape) graph.TensorID {
	if c.err != nil || slices.Equal(c.shapeOf(x), shape) {
		return x
	}
	return c.emit(graph.Reshape{Shape: shape}, x)
}

// extent is the height and width of input 0, or its width alone; nil (after an
// error) when it is no image in one or two dimensions.
func (c *call) extent() []int {
	s := c.shape(0)
	if len(s) != 3 && len(s) != 4 {
		c.unsupported("input of shape %v: only images in one and two dimensions (rank 3 and 4)", s)
		return nil
	}
	return s[2:]
}
