package eval

import "kedge/quant/graph"

// Cost is what a network takes to store and to compute.
type Cost struct {
	graph.Cost
	Zeros int64 // weights that stand for 0
	Bytes int64 // of all constants, uncompressed
	Nodes []NodeCost
}

// NodeCost is the part of one operator.
type NodeCost struct {
	graph.Cost
	Zeros int64
}

// CostOf counts a graph that passed Infer, float or quantized. A constant that
// several operators use counts once in the sums.
func CostOf(g *graph.Graph) Cost {
	total, nodes := g.Cost()
	c := Cost{Cost: total, Nodes: make([]NodeCost, len(nodes))}
	counted := make([]bool, len(g.Tensors))
	for i, node := range nodes {
		c.Nodes[i].Cost = node
		for k, id := range g.Nodes[i].Inputs {
			if id == graph.None || !g.Tensor(id).IsConstant() {
				continue
			}
			t, zeros := g.Tensor(id), int64(0)
			if node.Weights > 0 && k < 2 { // a filter or a matrix
				zeros = zerosOf(t)
				c.Nodes[i].Zeros += zeros
			}
			if !counted[id] {
				counted[id] = true
				bytes, _ := t.Shape.Bytes(t.Type)
				c.Bytes += int64(bytes)
				c.Zeros += zeros
			}
		}
	}
	return c
}

// zerosOf counts the elements that stand for the real value 0.
func zerosOf(t *graph.Tensor) int64 {
	n := int64(0)
	count := func(zero bool) {
		if zero {
			n++
		}
	}
	for _, v := range t.Float {
		count(v == 0)
	}
	for i, v := range t.Int8 {
		count(int32(v) == zeroAt(t, i))
	}
	for i, v := range t.Uint8 {
		count(int32(v) == zeroAt(t, i))
	}
	for i, v := range t.Int16 {
		count(int32(v) == zeroAt(t, i))
	}
	return n
}

// zeroAt is the zero point of element i; several go along Quant.Dim.
func zeroAt(t *graph.Tensor, i int) int32 {
	z := t.Quant.ZeroPoints
	if len(z) <= 1 || t.Quant.Dim < 0 || t.Quant.Dim >= len(t.Shape) {
		return t.Quant.ZeroPoint()
	}
	inner, _ := t.Shape[t.Quant.Dim+1:].Elements()
	return z[i/max(inner, 1)%len(z)]
}
