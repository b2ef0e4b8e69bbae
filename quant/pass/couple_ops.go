package pass

import (
	"slices"

	"kedge/quant/graph"
)

// node couples the channels of n's operands and results. Operators that sum
// over input channels with weights of their own couple nothing: their weights
// are what is cut. What is not known to treat channels apart fixes them.
func (c *Coupling) node(i int) {
	n := &c.g.Nodes[i]
	if !c.coupleNode(i, n) {
		for _, id := range slices.Concat(n.Inputs, n.Outputs) {
			c.fix(id)
		}
	}
}

func (c *Coupling) coupleNode(i int, n *graph.Node) bool {
	in, out := n.Inputs[0], n.Outputs[0]
	last := len(c.g.Tensor(in).Shape) - 1
	switch op := n.Op.(type) {
	case graph.Conv2D, graph.TransposeConv, graph.FullyConnected, graph.DepthwiseConv2D:
		return c.coupleLayer(i, n)
	case graph.Unary, graph.LeakyReLU, graph.PReLU, graph.AveragePool2D, graph.MaxPool2D, graph.Resize:
		return c.along(in, out, 0)
	case graph.Binary:
		return c.coupleBinary(n)
	case graph.Quantize:
		return !op.Quant.PerChannel() && c.along(in, out, 0)
	case graph.Dequantize:
		return !op.Quant.PerChannel() && c.along(in, out, 0)
	case graph.Pad:
		return op.Before[last] == 0 && op.After[last] == 0 && c.along(in, out, 0)
	case graph.Transpose:
		return op.Perm[last] == last && c.along(in, out, 0)
	case graph.Reduce:
		return !slices.Contains(op.Axes, last) && c.along(in, out, 0)
	case graph.StridedSlice:
		return op.Stride[last] == 1 && c.along(out, in, op.Begin[last])
	case graph.Reshape:
		return c.coupleReshape(in, out)
	case graph.Concatenation:
		return c.coupleParts(n.Inputs, out, op.Axis == last)
	case graph.Split:
		return c.coupleParts(n.Outputs, in, op.Axis == last)
	}
	return false
}

// along couples channel x of part with channel x + offset of whole.
func (c *Coupling) along(part, whole graph.TensorID, offset int) bool {
	if c.width(part) == 0 || c.width(part)+offset > c.width(whole) {
		return false
	}
	for x := range c.width(part) {
		c.join(c.base[part]+x, c.base[whole]+offset+x)
	}
	return true
}

// coupleParts couples the parts that make up a whole, one after the other
// along the channels or else on top of each other.
func (c *Coupling) coupleParts(parts []graph.TensorID, whole graph.TensorID, apart bool) bool {
	offset := 0
	for _, id := range parts {
		if !c.along(id, whole, offset) {
			return false
		}
		if apart {
			offset += c.width(id)
		}
	}
	return true
}

// coupleLayer: DEPTHWISE_CONV_2D hands on channel by channel, unless it makes
// all from a single one. The others only have to read what they are said to.
func (c *Coupling) coupleLayer(i int, n *graph.Node) bool {
	in, out := n.Inputs[0], n.Outputs[0]
	l, ok := layerOf(c.g, i)
	if !ok || c.width(in) != l.in || c.width(out) != l.out {
		return false
	}
	if l.multiplier == 0 || l.in == 1 {
		return true
	}
	for x := range l.out {
		c.join(c.base[in]+x/l.multiplier, c.base[out]+x)
	}
	return true
}

// coupleBinary: an operand of one channel that meets many stays.
func (c *Coupling) coupleBinary(n *graph.Node) bool {
	out := n.Outputs[0]
	for _, id := range n.Inputs {
		switch t := c.g.Tensor(id); {
		case t.Float != nil:
		case t.IsConstant() || c.width(id) == 0:
			return false
		case c.width(id) == c.width(out):
			c.along(id, out, 0)
		default:
			c.fix(id)
		}
	}
	return true
}

// coupleReshape: where one last dimension is a multiple of the other, as when
// an image is flattened, an element's channel in the one follows from its
// channel in the other.
func (c *Coupling) coupleReshape(in, out graph.TensorID) bool {
	narrow, wide := in, out
	if c.width(out) < c.width(in) {
		narrow, wide = out, in
	}
	few, many := c.width(narrow), c.width(wide)
	if few == 0 || many%few != 0 || few == 1 && many > 1 {
		return false
	}
	for x := range many {
		c.join(c.base[narrow]+x%few, c.base[wide]+x)
	}
	return true
}
