package pass

import (
	"math"

	"kedge/quant/graph"
)

// clamp is min(max(x, lo), hi); infinite where there is no bound.
type clamp struct{ lo, hi float32 }

var (
	inf  = float32(math.Inf(1))
	open = clamp{-inf, inf}
)

// then is the clamp that equals c followed by d.
func (c clamp) then(d clamp) clamp { return clamp{d.of(c.lo), d.of(c.hi)} }

func (c clamp) of(x float32) float32 { return min(max(x, c.lo), c.hi) }

// activationClamps are the fused activations as clamps.
var activationClamps = [...]clamp{graph.Linear: open, graph.ReLU: {0, inf}, graph.ReLUN1To1: {-1, 1}, graph.ReLU6: {0, 6}}

// unaryClamps are the functions that clamp.
var unaryClamps = []struct {
	kind  graph.Function
	clamp clamp
}{
	{graph.FuncReLU, clamp{0, inf}},
	{graph.FuncReLU6, clamp{0, 6}},
	{graph.FuncReLUN1To1, clamp{-1, 1}},
	{graph.FuncReLU0To1, clamp{0, 1}},
}

// activation is the fused activation that equals c.
func (c clamp) activation() (graph.Activation, bool) {
	for a, have := range activationClamps {
		if have == c {
			return graph.Activation(a), true
		}
	}
	return 0, false
}

// unary is the function that equals c.
func (c clamp) unary() (graph.Unary, bool) {
	for _, u := range unaryClamps {
		if u.clamp == c {
			return graph.Unary{Kind: u.kind}, true
		}
	}
	return graph.Unary{}, false
}

// clampOf reads a node that does nothing but clamp its operand x: one of the
// functions above, or MINIMUM or MAXIMUM with a single constant value.
func clampOf(g *graph.Graph, n *graph.Node) (c clamp, x graph.TensorID, ok bool) {
	switch op := n.Op.(type) {
	case graph.Unary:
		for _, u := range unaryClamps {
			if u.kind == op.Kind {
				return u.clamp, n.Inputs[0], true
			}
		}
	case graph.Binary:
		if op.Kind != graph.Maximum && op.Kind != graph.Minimum {
			break
		}
		o, found := constantOperand(g, n)
		if !found || !o.uniform() {
			break
		}
		if op.Kind == graph.Maximum {
			return clamp{o.values[0], inf}, o.x, true
		}
		return clamp{-inf, o.values[0]}, o.x, true
	}
	return open, graph.None, false
}

// fused returns the activation that is part of op, if op can have one. TFLite
// knows none for CONCATENATION.
func fused(op graph.Op) (graph.Activation, bool) {
	switch op := op.(type) {
	case graph.Conv2D:
		return op.Activation, true
	case graph.DepthwiseConv2D:
		return op.Activation, true
	case graph.TransposeConv:
		return op.Activation, true
	case graph.FullyConnected:
		return op.Activation, true
	case graph.AveragePool2D:
		return op.Activation, true
	case graph.MaxPool2D:
		return op.Activation, true
	case graph.Binary:
		return op.Activation, op.Kind == graph.Add || op.Kind == graph.Sub || op.Kind == graph.Mul || op.Kind == graph.Div
	}
	return graph.Linear, false
}

// withActivation is op, one that can have an activation, with activation a.
func withActivation(op graph.Op, a graph.Activation) graph.Op {
	switch op := op.(type) {
	case graph.Conv2D:
		op.Activation = a
		return op
	case graph.DepthwiseConv2D:
		op.Activation = a
		return op
	case graph.TransposeConv:
		op.Activation = a
		return op
	case graph.FullyConnected:
		op.Activation = a
		return op
	case graph.AveragePool2D:
		op.Activation = a
		return op
	case graph.MaxPool2D:
		op.Activation = a
		return op
	case graph.Binary:
		op.Activation = a
		return op
	}
	return op
}
