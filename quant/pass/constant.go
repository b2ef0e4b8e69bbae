package pass

import (
	"slices"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// Limits of constant folding, so that a small file cannot make a large graph
// or keep the importer busy: values added over one pass, and multiplications
// of one node.
const (
	maxGrowth = 1 << 20
	maxMACs   = 1 << 28
)

// foldConstants replaces nodes whose operands are all constants by their
// results.
func foldConstants(e *editor) error {
	budget := maxGrowth
	for i := range e.g.Nodes {
		n := &e.g.Nodes[i]
		if !e.foldable(n) {
			continue
		}
		if grown := e.growth(n); grown > 0 && grown > budget {
			continue
		} else if grown > 0 {
			budget -= grown
		}
		values := evaluate(e.g, n)
		if values == nil {
			continue
		}
		e.note("%s computed", e.describe(i))
		for k, id := range n.Outputs {
			t := e.g.Tensor(id)
			e.replace(id, e.tensor(graph.Tensor{Name: t.Name, Shape: t.Shape, Type: tensor.Float32, Float: values[k]}))
		}
		e.remove(i)
	}
	return nil
}

// foldable reports whether all operands are constants and the results float. A
// graph output stays computed: formats want an operator behind it.
func (e *editor) foldable(n *graph.Node) bool {
	if n.Op == nil || slices.ContainsFunc(n.Outputs, func(id graph.TensorID) bool { return e.output[id] || e.g.Tensor(id).Type != tensor.Float32 }) {
		return false
	}
	return !slices.ContainsFunc(n.Inputs, func(id graph.TensorID) bool { return id != graph.None && !e.g.Tensor(id).IsConstant() })
}

// growth is how many values more the results hold than the operands.
func (e *editor) growth(n *graph.Node) int {
	grown := 0
	for _, id := range n.Outputs {
		size, _ := e.g.Tensor(id).Shape.Elements()
		grown += size
	}
	for _, id := range n.Inputs {
		if id != graph.None {
			size, _ := e.g.Tensor(id).Shape.Elements()
			grown -= size
		}
	}
	return grown
}

// evaluate runs a node by itself, nil if it cannot be. Its first operand, if it
// is float, becomes the input of a graph of one node, because operators want at
// least one that is not a constant; else the input is one that nothing reads.
func evaluate(g *graph.Graph, n *graph.Node) [][]float32 {
	one := &graph.Graph{}
	node := graph.Node{Op: n.Op}
	var input []float32
	for k, id := range n.Inputs {
		if id == graph.None {
			node.Inputs = append(node.Inputs, graph.None)
			continue
		}
		t := *g.Tensor(id)
		if k == 0 && t.Float != nil {
			input, t.Float = t.Float, nil
			one.Inputs = []graph.TensorID{one.AddTensor(t)}
			node.Inputs = append(node.Inputs, one.Inputs[0])
			continue
		}
		node.Inputs = append(node.Inputs, one.AddTensor(t))
	}
	if one.Inputs == nil {
		one.Inputs, input = []graph.TensorID{one.AddTensor(graph.Tensor{Shape: tensor.Shape{1}, Type: tensor.Float32})}, []float32{0}
	}
	for range n.Outputs {
		node.Outputs = append(node.Outputs, one.AddTensor(graph.Tensor{Type: tensor.Float32}))
	}
	one.Nodes, one.Outputs = []graph.Node{node}, node.Outputs
	if one.Infer() != nil {
		return nil
	}
	if total, _ := one.Cost(); total.MACs > maxMACs {
		return nil
	}
	ex, err := graph.NewExecutor(one)
	if err != nil {
		return nil
	}
	values, err := ex.Run([][]float32{input}, nil)
	if err != nil || !finite(values...) {
		return nil
	}
	return values
}

// finite reports whether no value is NaN or infinite.
func finite(lists ...[]float32) bool {
	for _, list := range lists {
		for _, v := range list {
			if v-v != 0 {
				return false
			}
		}
	}
	return true
}
