package graph

import (
	"math"

	"kedge/runtime/tensor"
)

// restoreActivations gives operators back the activations that old converters
// left out of uint8 models: where the output's range begins at 0, as behind ReLU,
// or is 0 to 6, saturation alone computes the activation. (Converters to int8
// keep it; there a range from 0 on need not mean any.)
func (g *Graph) restoreActivations() {
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if !g.single(n.Outputs) {
			continue
		}
		t := g.Tensor(n.Outputs[0])
		if t.Type != tensor.Uint8 || len(t.Quant.Scales) != 1 || t.Quant.ZeroPoint() != 0 {
			continue
		}
		a := ReLU
		if top := 255 * float64(t.Quant.Scale()); math.Abs(top-6) < 6.0/255 {
			a = ReLU6
		}
		n.Op = withImplied(n.Op, a)
	}
}

// withImplied is op with an activation, if it has none and can have one.
func withImplied(op Op, a Activation) Op {
	switch o := op.(type) {
	case Conv2D:
		if o.Activation == Linear {
			o.Activation = a
			return o
		}
	case DepthwiseConv2D:
		if o.Activation == Linear {
			o.Activation = a
			return o
		}
	case FullyConnected:
		if o.Activation == Linear {
			o.Activation = a
			return o
		}
	case Binary:
		if o.Activation == Linear && o.Kind <= Div {
			o.Activation = a
			return o
		}
	}
	return op
}

// scaleBiases gives integer biases without a scale the one that TFLite's
// specification fixes: the input's times the weights', channel by channel.
func (g *Graph) scaleBiases() {
	for i := range g.Nodes {
		n := &g.Nodes[i]
		switch n.Op.(type) {
		case Conv2D, DepthwiseConv2D, FullyConnected, TransposeConv:
		default:
			continue
		}
		if len(n.Inputs) != 3 || !g.has(n.Inputs[0]) || !g.has(n.Inputs[1]) || !g.has(n.Inputs[2]) {
			continue
		}
		x, w, b := g.Tensor(n.Inputs[0]), g.Tensor(n.Inputs[1]), g.Tensor(n.Inputs[2])
		if b.Int32 == nil && b.Int64 == nil || len(b.Quant.Scales) > 0 || len(x.Quant.Scales) != 1 {
			continue
		}
		b.Quant = tensor.Quant{}
		for _, s := range w.Quant.Scales {
			b.Quant.Scales = append(b.Quant.Scales, x.Quant.Scale()*s)
		}
	}
}

// has reports whether id is a tensor of the graph.
func (g *Graph) has(id TensorID) bool { return id >= 0 && int(id) < len(g.Tensors) }
