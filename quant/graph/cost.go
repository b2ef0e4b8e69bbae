package graph

// Cost is what a node or a graph holds and computes.
type Cost struct {
	// Weights counts the elements of constant filters and matrices. Biases and
	// the constants of elementwise operators are not among them.
	Weights int64
	// MACs counts the multiplications of one run that are accumulated, border
	// taps that fall into the padding included, as is usual.
	MACs int64
}

// Cost gives the cost of each node of g, which passed Infer, and of the whole
// graph. A filter that several nodes share counts once in the total.
func (g *Graph) Cost() (total Cost, nodes []Cost) {
	nodes = make([]Cost, len(g.Nodes))
	counted := make([]bool, len(g.Tensors))
	for i := range g.Nodes {
		n := &g.Nodes[i]
		c := g.cost(n)
		nodes[i] = c
		total.MACs += c.MACs
		if c.Weights > 0 {
			for _, id := range n.Inputs[:2] {
				if g.Tensor(id).IsConstant() && !counted[id] {
					counted[id] = true
					total.Weights += elements(g.Tensor(id))
				}
			}
		}
	}
	return total, nodes
}

func (g *Graph) cost(n *Node) Cost {
	switch n.Op.(type) {
	case Conv2D, FullyConnected:
		// Every output element sums over one filter.
		w := g.Tensor(n.Inputs[1])
		return Cost{elements(w), elements(g.Tensor(n.Outputs[0])) * elements(w) / int64(w.Shape[0])}
	case DepthwiseConv2D:
		w := g.Tensor(n.Inputs[1])
		return Cost{elements(w), elements(g.Tensor(n.Outputs[0])) * int64(w.Shape[1]*w.Shape[2])}
	case TransposeConv:
		// Every input element is spread by all filters.
		w := g.Tensor(n.Inputs[1])
		return Cost{elements(w), elements(g.Tensor(n.Inputs[0])) * elements(w) / int64(w.Shape[3])}
	case BatchMatMul:
		return g.costBatchMatMul(n)
	}
	return Cost{}
}

func (g *Graph) costBatchMatMul(n *Node) Cost {
	x, y := g.Tensor(n.Inputs[0]), g.Tensor(n.Inputs[1])
	depth := x.Shape[len(x.Shape)-1]
	if n.Op.(BatchMatMul).AdjX {
		depth = x.Shape[len(x.Shape)-2]
	}
	c := Cost{MACs: elements(g.Tensor(n.Outputs[0])) * int64(depth)}
	for _, t := range []*Tensor{x, y} {
		if t.IsConstant() {
			c.Weights += elements(t)
		}
	}
	return c
}

func elements(t *Tensor) int64 {
	n, _ := t.Shape.Elements()
	return int64(n)
}
