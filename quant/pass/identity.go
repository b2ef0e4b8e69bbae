package pass

import (
	"fmt"
	"slices"

	"kedge/quant/graph"
)

// removeIdentities takes out nodes that hand on their operand, merges reshapes
// and transposes that follow each other, and computes once what is computed
// twice.
func removeIdentities(e *editor) error {
	ranges := bounds(e.g)
	for i := range e.g.Nodes {
		if e.g.Nodes[i].Op == nil {
			continue
		}
		e.mergeMovement(i)
		if x, ok := identity(e.g, &e.g.Nodes[i], ranges); ok {
			step := e.describe(i)
			if e.bypass(i, x) {
				e.note("%s changes nothing", step)
			}
		}
	}
	e.removeDuplicates()
	return nil
}

// mergeMovement joins node i, a reshape or transpose, with one that makes its
// operand, and writes a transpose that moves only dimensions of extent 1, and a
// reduction over such, as a reshape.
func (e *editor) mergeMovement(i int) {
	n := &e.g.Nodes[i]
	out := e.g.Tensor(n.Outputs[0]).Shape
	switch op := n.Op.(type) {
	case graph.Reshape:
		if p := e.maker(i, 0); p >= 0 {
			if _, ok := e.g.Nodes[p].Op.(graph.Reshape); ok {
				e.note("%s reshapes only once", e.describe(i))
				e.skip(i, p)
			}
		}
	case graph.Transpose:
		if p := e.maker(i, 0); p >= 0 {
			if first, ok := e.g.Nodes[p].Op.(graph.Transpose); ok {
				e.note("%s and %s are one", e.describe(p), e.describe(i))
				e.g.Nodes[i].Op = graph.Transpose{Perm: compose(first.Perm, op.Perm)}
				e.skip(i, p)
			}
		}
		op = e.g.Nodes[i].Op.(graph.Transpose)
		if in := e.g.Tensor(e.g.Nodes[i].Inputs[0]).Shape; !identityPerm(op.Perm) && movesOnlyOnes(in, op.Perm) {
			e.note("%s is a reshape", e.describe(i))
			e.g.Nodes[i].Op = graph.Reshape{Shape: slices.Clone(out)}
		}
	case graph.Reduce:
		in := e.g.Tensor(n.Inputs[0]).Shape
		if !slices.ContainsFunc(op.Axes, func(a int) bool { return in[a] != 1 }) {
			e.note("%s is a reshape", e.describe(i))
			n.Op = graph.Reshape{Shape: slices.Clone(out)}
		}
	}
}

// skip makes node i read what node p, which made its operand, reads.
func (e *editor) skip(i, p int) {
	e.rewire(i, 0, e.g.Nodes[p].Inputs[0])
	if e.unused(p) {
		e.remove(p)
	}
}

// identity reports whether n hands on one of its operands, x, unchanged. ranges
// are the tensors' bounds.
func identity(g *graph.Graph, n *graph.Node, ranges []clamp) (x graph.TensorID, ok bool) {
	if len(n.Inputs) == 0 || len(n.Outputs) != 1 || n.Inputs[0] == graph.None {
		return 0, false
	}
	if c, x, isClamp := clampOf(g, n); isClamp {
		return x, c.within(ranges[x])
	}
	x = n.Inputs[0]
	if b, isBinary := n.Op.(graph.Binary); isBinary {
		return neutral(g, n, b)
	}
	if !slices.Equal(g.Tensor(x).Shape, g.Tensor(n.Outputs[0]).Shape) {
		return 0, false
	}
	switch op := n.Op.(type) {
	case graph.Reshape, graph.Resize, graph.Pad, graph.Split:
		// The same shape leaves them nothing to do.
		return x, true
	case graph.Concatenation:
		return x, len(n.Inputs) == 1 && op.Activation == graph.Linear
	case graph.Transpose:
		return x, identityPerm(op.Perm)
	case graph.StridedSlice:
		return x, !slices.ContainsFunc(op.Stride, func(s int) bool { return s < 0 })
	case graph.MaxPool2D:
		return x, op.FilterH == 1 && op.FilterW == 1 && op.Window.Pad == (graph.Padding{}) && op.Activation == graph.Linear
	case graph.AveragePool2D:
		return x, op.FilterH == 1 && op.FilterW == 1 && op.Window.Pad == (graph.Padding{}) && op.Activation == graph.Linear
	case graph.LeakyReLU:
		return x, op.Alpha == 1 || ranges[x].lo >= 0
	case graph.PReLU:
		alpha := g.Tensor(n.Inputs[1]).Float
		return x, ranges[x].lo >= 0 || uniform(alpha) && alpha[0] == 1
	}
	return 0, false
}

// neutral recognizes x + 0, x − 0, x · 1 and x / 1.
func neutral(g *graph.Graph, n *graph.Node, op graph.Binary) (graph.TensorID, bool) {
	o, ok := constantOperand(g, n)
	if !ok || !o.uniform() || op.Activation != graph.Linear {
		return 0, false
	}
	switch op.Kind {
	case graph.Add:
		return o.x, o.values[0] == 0
	case graph.Sub:
		return o.x, o.k == 1 && o.values[0] == 0
	case graph.Mul:
		return o.x, o.values[0] == 1
	case graph.Div:
		return o.x, o.k == 1 && o.values[0] == 1
	}
	return 0, false
}

// removeDuplicates lets the readers of a node that repeats an earlier one, with
// the same operands, read the earlier one's results.
func (e *editor) removeDuplicates() {
	first := map[string]int{}
	for i := range e.g.Nodes {
		n := &e.g.Nodes[i]
		if n.Op == nil || slices.ContainsFunc(n.Outputs, func(id graph.TensorID) bool { return e.output[id] }) {
			continue
		}
		key := fmt.Sprintf("%T%+v%v", n.Op, n.Op, n.Inputs)
		p, found := first[key]
		if !found {
			first[key] = i
			continue
		}
		e.note("%s repeats %s", e.describe(i), e.describe(p))
		for k, id := range n.Outputs {
			e.replace(id, e.g.Nodes[p].Outputs[k])
		}
		e.remove(i)
	}
}
