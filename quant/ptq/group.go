package ptq

import (
	"slices"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// groups are sets of tensors of dst that have one pair of parameters, because
// operators between them move raw values. Each set is known by its least member.
//
// An operator of one input always ties its outputs to it. One of several
// (CONCATENATION, MAXIMUM) ties an input only where nobody but the group sees
// the wider range that the input gets; elsewhere a QUANTIZE comes in between.
type groups struct {
	c       *converter
	parent  []graph.TensorID
	members [][]graph.TensorID // of the least member
	users   [][]int
	made    []int // by tensor: the node that computes it, −1 for none
}

func (c *converter) group() *groups {
	g := &groups{c: c, users: c.dst.Users(), made: c.dst.Producers()}
	g.parent, g.members = make([]graph.TensorID, len(c.dst.Tensors)), make([][]graph.TensorID, len(c.dst.Tensors))
	for i := range g.parent {
		g.parent[i], g.members[i] = graph.TensorID(i), []graph.TensorID{graph.TensorID(i)}
	}
	for i := range c.dst.Nodes {
		n := &c.dst.Nodes[i]
		if !formOf(n.Op, c.types[i]).same || joins(n.Op) {
			continue
		}
		for _, out := range n.Outputs {
			g.unite(n.Inputs[0], out)
		}
	}
	for i := range c.dst.Nodes {
		if n := &c.dst.Nodes[i]; formOf(n.Op, c.types[i]).same && joins(n.Op) {
			g.join(i, n)
		}
	}
	return g
}

// of is the set that id belongs to.
func (g *groups) of(id graph.TensorID) graph.TensorID {
	for g.parent[id] != id {
		id = g.parent[id]
	}
	return id
}

func (g *groups) unite(a, b graph.TensorID) {
	a, b = g.of(a), g.of(b)
	if a == b {
		return
	}
	if b < a {
		a, b = b, a
	}
	g.parent[b] = a
	g.members[a] = append(g.members[a], g.members[b]...)
	g.members[b] = nil
}

// join ties the inputs of node i that may be tied.
func (g *groups) join(i int, n *graph.Node) {
	if q := g.agreed(n); q != nil {
		for _, id := range n.Inputs {
			g.unite(id, n.Outputs[0])
		}
		return
	}
	for _, id := range n.Inputs {
		if g.c.dst.Tensor(id).IsConstant() || g.private(g.of(id), i) {
			g.unite(id, n.Outputs[0])
		}
	}
}

// agreed is the pair of parameters that all inputs of n have already, nil where
// they have none or several, or where n has a constant that they need not cover.
func (g *groups) agreed(n *graph.Node) *tensor.Quant {
	var q *tensor.Quant
	for _, id := range n.Inputs {
		have := g.fixed(g.of(id))
		if have == nil || q != nil && !equal(*q, *have) {
			return nil
		}
		q = have
	}
	return q
}

// fixed is the pair of parameters that a set must have, that of the first member
// in order of execution which has one, or nil.
func (g *groups) fixed(set graph.TensorID) *tensor.Quant {
	first := graph.None
	for _, id := range g.members[set] {
		if g.c.fixed[id] == nil {
			continue
		}
		if first == graph.None || g.made[id] < g.made[first] || g.made[id] == g.made[first] && id < first {
			first = id
		}
	}
	if first == graph.None {
		return nil
	}
	return g.c.fixed[first]
}

// private reports whether a set has no fixed parameters and is seen by nobody but
// node i and the operators that tie it together.
func (g *groups) private(set graph.TensorID, i int) bool {
	if g.fixed(set) != nil {
		return false
	}
	for _, id := range g.members[set] {
		if slices.Contains(g.c.dst.Inputs, id) || slices.Contains(g.c.dst.Outputs, id) {
			return false
		}
		for _, user := range g.users[id] {
			if user != i && !g.within(user, set) {
				return false
			}
		}
	}
	return true
}

// within reports whether node i hands raw values on inside the set.
func (g *groups) within(i int, set graph.TensorID) bool {
	n := &g.c.dst.Nodes[i]
	return formOf(n.Op, g.c.types[i]).same && g.of(n.Outputs[0]) == set
}

// demands reports whether the range of a member counts for its set: it does not
// where the values go only into operators which clip them to what comes out.
func (g *groups) demands(id graph.TensorID) bool {
	if slices.Contains(g.c.dst.Inputs, id) || slices.Contains(g.c.dst.Outputs, id) || len(g.users[id]) == 0 {
		return true
	}
	for _, user := range g.users[id] {
		n := &g.c.dst.Nodes[user]
		if f := formOf(n.Op, g.c.types[user]); !f.same || !f.clips || g.of(n.Outputs[0]) != g.of(id) {
			return true
		}
	}
	return false
}

func equal(a, b tensor.Quant) bool {
	return slices.Equal(a.Scales, b.Scales) && slices.Equal(a.ZeroPoints, b.ZeroPoints)
}
