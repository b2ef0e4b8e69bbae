package pass

import "kedge/quant/graph"

// fuseActivations merges operators that clamp into the operator that makes
// their operand: CONV_2D + RELU6, MAXIMUM 0 + MINIMUM 6, RELU + MINIMUM 6, and
// so on. Reshapes and transposes between the two do not matter.
func fuseActivations(e *editor) error {
	for i := range e.g.Nodes {
		if e.g.Nodes[i].Op == nil {
			continue
		}
		if c, x, ok := clampOf(e.g, &e.g.Nodes[i]); ok && !e.fuseClamp(i, x, c) {
			e.nameClamp(i, x, c)
		}
	}
	return nil
}

// fuseClamp merges clamp i of x into the operator that makes x.
func (e *editor) fuseClamp(i int, x graph.TensorID, c clamp) bool {
	p := e.origin(x)
	if p < 0 || !e.sole(x) {
		return false
	}
	op := e.g.Nodes[p].Op
	if a, ok := fused(op); ok {
		both, ok := activationClamps[a].then(c).activation()
		if !ok {
			return false
		}
		step := e.describe(i) + " into " + e.describe(p)
		if !e.bypass(i, x) {
			return false
		}
		e.g.Nodes[p].Op = withActivation(op, both)
		e.note("%s", step)
		return true
	}
	first, source, ok := clampOf(e.g, &e.g.Nodes[p])
	if !ok {
		return false
	}
	both, ok := first.then(c).unary()
	if !ok {
		return false
	}
	step := e.describe(p) + " and " + e.describe(i)
	if !e.bypass(i, x) {
		return false
	}
	e.setUnary(p, source, both)
	e.note("%s are one %s", step, both.Name())
	return true
}

// nameClamp writes MAXIMUM 0 as RELU.
func (e *editor) nameClamp(i int, x graph.TensorID, c clamp) {
	u, ok := c.unary()
	if _, isUnary := e.g.Nodes[i].Op.(graph.Unary); isUnary || !ok {
		return
	}
	e.note("%s is a %s", e.describe(i), u.Name())
	e.setUnary(i, x, u)
}

// setUnary makes node i apply u to x.
func (e *editor) setUnary(i int, x graph.TensorID, u graph.Unary) {
	for _, id := range e.g.Nodes[i].Inputs {
		e.unread(id, i)
	}
	e.g.Nodes[i].Op, e.g.Nodes[i].Inputs = u, []graph.TensorID{x}
	e.readers[x] = append(e.readers[x], i)
}

// origin is the operator that computes the values of x, looking through
// reshapes and transposes that nothing else reads; -1 if there is none.
func (e *editor) origin(x graph.TensorID) int {
	for {
		p := e.producer[x]
		if p < 0 || !e.sole(x) {
			return -1
		}
		switch e.g.Nodes[p].Op.(type) {
		case graph.Reshape, graph.Transpose:
			x = e.g.Nodes[p].Inputs[0]
		default:
			return p
		}
	}
}
