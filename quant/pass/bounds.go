package pass

import (
	"math"
	"slices"

	"kedge/quant/graph"
)

// bounds gives an interval for every tensor's values, by interval arithmetic
// where that is simple and (-Inf, Inf) where it is not. It is what makes a RELU
// after a LOGISTIC removable.
func bounds(g *graph.Graph) []clamp {
	out := make([]clamp, len(g.Tensors))
	for i := range g.Tensors {
		out[i] = open
		if v := g.Tensors[i].Float; len(v) > 0 {
			out[i] = clamp{slices.Min(v), slices.Max(v)}
		}
	}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if n.Op == nil {
			continue
		}
		c := nodeBounds(g, n, out)
		if a, ok := fused(n.Op); ok {
			c = c.then(activationClamps[a])
		}
		for _, id := range n.Outputs {
			out[id] = c
		}
	}
	return out
}

func nodeBounds(g *graph.Graph, n *graph.Node, known []clamp) clamp {
	in := func(k int) clamp { return known[n.Inputs[k]] }
	switch op := n.Op.(type) {
	case graph.Unary:
		return unaryBounds(op.Kind, in(0))
	case graph.Softmax:
		return clamp{0, 1}
	case graph.L2Normalization:
		return clamp{-1, 1}
	case graph.LogSoftmax:
		return clamp{-inf, 0}
	case graph.Reshape, graph.Transpose, graph.Split, graph.StridedSlice, graph.MaxPool2D:
		return in(0)
	case graph.Concatenation:
		c := in(0)
		for k := range n.Inputs {
			c = clamp{min(c.lo, in(k).lo), max(c.hi, in(k).hi)}
		}
		return c.then(activationClamps[op.Activation])
	case graph.Pad:
		if op.Mode == graph.PadConstant {
			return clamp{min(in(0).lo, op.Value), max(in(0).hi, op.Value)}
		}
		return in(0)
	case graph.Reduce:
		if op.Kind == graph.ReduceMax || op.Kind == graph.ReduceMin {
			return in(0)
		}
		return in(0).sign()
	case graph.AveragePool2D, graph.Resize:
		return in(0).sign()
	case graph.Binary:
		return binaryBounds(op.Kind, in(0), in(1))
	}
	return open
}

// sign keeps only which side of 0 the values lie on: sums round, and a mean can
// leave the range of its terms by a bit.
func (c clamp) sign() clamp {
	switch {
	case c.lo >= 0:
		return clamp{0, inf}
	case c.hi <= 0:
		return clamp{-inf, 0}
	}
	return open
}

func unaryBounds(f graph.Function, x clamp) clamp {
	for _, u := range unaryClamps {
		if u.kind == f {
			return x.then(u.clamp)
		}
	}
	switch f {
	case graph.FuncLogistic:
		return clamp{0, 1}
	case graph.FuncTanh, graph.FuncSin, graph.FuncCos:
		return clamp{-1, 1}
	case graph.FuncAbs, graph.FuncExp, graph.FuncSqrt, graph.FuncRsqrt, graph.FuncSquare:
		return clamp{0, inf}
	case graph.FuncELU:
		return clamp{max(-1, min(x.lo, 0)), max(x.hi, 0)}
	case graph.FuncFloor, graph.FuncCeil, graph.FuncRound:
		return x.sign()
	}
	return open
}

func binaryBounds(k graph.Arithmetic, a, b clamp) clamp {
	switch k {
	case graph.Maximum:
		return clamp{max(a.lo, b.lo), max(a.hi, b.hi)}
	case graph.Minimum:
		return clamp{min(a.lo, b.lo), min(a.hi, b.hi)}
	case graph.SquaredDifference:
		return clamp{0, inf}
	case graph.Add, graph.Mul:
		if a.lo >= 0 && b.lo >= 0 {
			return clamp{0, inf}
		}
	}
	return open
}

// within reports whether c changes no value of the interval x.
func (c clamp) within(x clamp) bool {
	return !math.IsNaN(float64(x.lo)) && x.lo >= c.lo && x.hi <= c.hi
}
