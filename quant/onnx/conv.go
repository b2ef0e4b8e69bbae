package onnx

import (
	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// conv imports Conv: inputs x (n, in, …), W (out, in/group, …), perhaps b (out).
// A filter for each channel is DepthwiseConv2D; other groups are convolutions
// side by side.
func conv(c *call) []*value {
	f, ok := c.filters(0)
	if !ok {
		return nil
	}
	w, ok := c.window(c.extent(), f.kernel)
	if !ok {
		return nil
	}
	win, _, _ := w.in2D()
	x := c.image(0)
	if f.groups > 1 && f.groups == f.in {
		t := c.permute(f.weights, []int{1, 2, 3, 0})
		op := graph.DepthwiseConv2D{Window: win, Multiplier: f.out / f.in}
		return c.result(c.ofImage(c.emit(op, c.filtered(x, t, f.bias)...)))
	}
	t := c.permute(f.weights, []int{0, 2, 3, 1})
	return c.result(c.ofImage(c.grouped(graph.Conv2D{Window: win}, x, t, f)))
}

// filters are the weights and bias of Conv or ConvTranspose.
type filters struct {
	weights         Tensor // with a height, 1 in one dimension
	bias            []float32
	kernel          []int
	groups, in, out int
}

// filters checks inputs 1 and 2. The weights' first dimension is the output
// channels or, for ConvTranspose, the input channels (inputAt 0 and 1 tell which
// dimension is counted per group: out has it in dimension 1).
func (c *call) filters(transposed int) (filters, bool) {
	extent, w := c.extent(), c.in[1]
	if c.err != nil {
		return filters{}, false
	}
	if !w.isConstant() || !w.isReal() {
		c.unsupported("weights computed at run time")
		return filters{}, false
	}
	groups := c.integer("group", 1)
	if len(w.Shape) != len(extent)+2 || groups < 1 || groups > int64(w.Shape[0]) || w.length() == 0 {
		c.invalid("weights %v for an input of shape %v in %d groups", w.Shape, c.shape(0), groups)
		return filters{}, false
	}
	f := filters{kernel: w.Shape[2:], groups: int(groups), in: c.shape(0)[1], out: w.Shape[0], weights: w.Tensor}
	want := f.in / f.groups
	have := w.Shape[1]
	if transposed == 1 {
		f.out, have, want = w.Shape[1]*f.groups, w.Shape[0], f.in
	}
	if have != want || f.in%f.groups != 0 || f.out%f.groups != 0 {
		c.invalid("weights %v for %d channels in %d groups", w.Shape, f.in, f.groups)
		return filters{}, false
	}
	if len(extent) == 1 {
		f.weights.Shape = tensor.Shape{w.Shape[0], w.Shape[1], 1, w.Shape[2]}
	}
	if c.has(2) {
		b := c.in[2]
		if !b.isConstant() {
			c.unsupported("bias computed at run time")
		} else if len(b.Float) != f.out {
			c.invalid("bias of shape %v for %d channels", b.Shape, f.out)
		}
		f.bias = b.Float
	}
	return f, c.err == nil
}

// filtered are the operands of a convolution of x.
func (c *call) filtered(x graph.TensorID, weights Tensor, bias []float32) []graph.TensorID {
	ids := []graph.TensorID{x, c.constant(weights.Shape, weights.Float...)}
	if bias != nil {
		ids = append(ids, c.constant(tensor.Shape{len(bias)}, bias...))
	}
	return ids
}

// grouped applies op, with weights whose dimension 0 is the output channels, to
// each group's channels of x.
func (c *call) grouped(op graph.Op, x graph.TensorID, weights Tensor, f filters) graph.TensorID {
	if f.groups == 1 || c.err != nil {
		return c.emit(op, c.filtered(x, weights, f.bias)...)
	}
	sizes := make([]int, f.groups)
	for i := range sizes {
		sizes[i] = f.in / f.groups
	}
	parts := c.emitMany(graph.Split{Axis: 3, Sizes: sizes}, f.groups, x)
	out := f.out / f.groups
	size := len(weights.Float) / f.groups
	shape := append(tensor.Shape{out}, weights.Shape[1:]...)
	for i := range parts {
		group := Tensor{Shape: shape, Type: weights.Type, Float: weights.Float[i*size : (i+1)*size]}
		var bias []float32
		if f.bias != nil {
			bias = f.bias[i*out : (i+1)*out]
		}
		parts[i] = c.emit(op, c.filtered(parts[i], group, bias)...)
	}
	return c.emit(graph.Concatenation{Axis: 3}, parts...)
}
