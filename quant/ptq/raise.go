package ptq

import (
	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// raise widens output scales that are too fine for what an operator's fixed-point
// arithmetic can reach from its inputs; the runtime, like TFLite, refuses such
// models. Wider outputs may ask the same of what follows, so nodes are gone through
// in order of execution until none asks for more.
func (c *converter) raise(g *groups) {
	for range c.dst.Nodes {
		changed := false
		for i := range c.dst.Nodes {
			n := &c.dst.Nodes[i]
			out := n.Outputs[0]
			least := c.leastScale(n, c.types[i])
			if !c.quantizes(out) || c.dst.Tensor(out).Quant.Scale() >= least || g.fixed(g.of(out)) != nil {
				continue
			}
			changed = true
			for _, id := range g.members[g.of(out)] {
				t := c.dst.Tensor(id)
				t.Quant = fixed(least, t.Quant.ZeroPoint())
			}
		}
		if !changed {
			return
		}
	}
}

// leastScale is the least output scale for the node's input scales, 0 where any
// will do. A margin of 1 % keeps clear of how the bound is rounded.
func (c *converter) leastScale(n *graph.Node, to tensor.Type) float32 {
	if to == tensor.Float32 {
		return 0
	}
	scale := func(i int) float32 { return c.dst.Tensor(n.Inputs[i]).Quant.Scale() }
	switch op := n.Op.(type) {
	case graph.Unary:
		if op.Kind == graph.FuncHardSwish {
			// The product of two Q0.15 numbers is only ever shifted right.
			return 1.01 * scale(0) / 128
		}
	case graph.Binary:
		switch op.Kind {
		case graph.Add, graph.Sub:
			// Inputs are shifted left by 20 bits (15 for int16), brought to twice the
			// greater scale, and their sum must shrink on its way to the output.
			bits := float32(1 << 20)
			if to == tensor.Int16 {
				bits = 1 << 15
			}
			return 1.01 * 2 * max(scale(0), scale(1)) / bits
		case graph.Div:
			return 1.01 * scale(0) / scale(1) / (1 << 22)
		}
	}
	return 0
}
