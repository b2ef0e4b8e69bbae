package pass

import (
	"slices"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// layer is a view of an operator with constant weights: which output and which
// input channel each weight belongs to. CONV_2D, DEPTHWISE_CONV_2D,
// TRANSPOSE_CONV and FULLY_CONNECTED differ in nothing else here.
type layer struct {
	node    int
	weights *graph.Tensor
	bias    []float32 // nil without one
	out, in int       // channels
	// inner is the distance of neighboring output channels' weights; multiplier
	// is 0 but for DEPTHWISE_CONV_2D.
	inner, multiplier int
	// padded: some output elements lack taps, so that a constant input does not
	// give a constant output.
	padded bool
}

// layerOf returns node i as a layer, if it is one with float weights.
func layerOf(g *graph.Graph, i int) (layer, bool) {
	n := &g.Nodes[i]
	l := layer{node: i}
	switch op := n.Op.(type) {
	case graph.Conv2D:
		l.padded = op.Window.Pad != graph.Padding{}
	case graph.DepthwiseConv2D:
		l.padded, l.multiplier = op.Window.Pad != graph.Padding{}, op.Multiplier
	case graph.TransposeConv:
		l.padded = true
	case graph.FullyConnected:
	default:
		return l, false
	}
	l.weights = g.Tensor(n.Inputs[1])
	if l.weights.Float == nil {
		return l, false
	}
	if len(n.Inputs) > 2 && n.Inputs[2] != graph.None {
		if l.bias = g.Tensor(n.Inputs[2]).Float; l.bias == nil {
			return l, false
		}
	}
	s := l.weights.Shape
	last := s[len(s)-1]
	if l.multiplier > 0 {
		l.out, l.in, l.inner = last, last/l.multiplier, 1
	} else {
		l.out, l.in, l.inner = s[0], last, len(l.weights.Float)/s[0]
	}
	return l, true
}

// channels gives the output and the input channel of weight j.
func (l *layer) channels(j int) (out, in int) {
	if l.multiplier > 0 {
		return j % l.out, j % l.out / l.multiplier
	}
	return j / l.inner, j % l.in
}

// setWeights gives the layer new weights and a new bias, which may be nil, of
// the same shapes.
func (e *editor) setWeights(l layer, weights, bias []float32) {
	n := &e.g.Nodes[l.node]
	w, result := n.Inputs[1], n.Outputs[0]
	named := w
	if len(n.Inputs) > 2 && n.Inputs[2] != graph.None {
		named = n.Inputs[2]
	}
	e.rewire(l.node, 1, e.constant(w, slices.Clone(e.g.Tensor(w).Shape), weights))
	if bias == nil {
		return
	}
	id := e.constant(named, tensor.Shape{len(bias)}, bias)
	if named == w {
		e.g.Tensors[id].Name = e.g.Tensor(result).Name + "/bias"
	}
	for n := &e.g.Nodes[l.node]; len(n.Inputs) < 3; {
		n.Inputs = append(n.Inputs, graph.None)
	}
	e.rewire(l.node, 2, id)
}
