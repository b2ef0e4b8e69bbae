package ptq

import (
	"fmt"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// Like finds activation parameters for g, a float graph, in model, an int8 graph
// of the same network: another converter's file, to be compared with or replaced
// like for like. Tensors are matched in order of execution where both have the
// same operators, conversions left out, with results of the same shapes;
// otherwise by their names and sizes: converters call inputs and outputs alike in
// every network. Activations without a match are not in the result.
// An error that matches ErrOptions says that there is no match at all.
func Like(g, model *graph.Graph) (map[graph.TensorID]tensor.Quant, error) {
	given := likeOrder(g, model)
	if given == nil {
		given = likeNames(g, model)
	}
	if len(given) == 0 {
		return nil, fmt.Errorf("%w: no activation of the float graph is in the int8 model, by order of operators or by name", ErrOptions)
	}
	return given, nil
}

// likeOrder matches step by step; nil where the two differ.
func likeOrder(g, model *graph.Graph) map[graph.TensorID]tensor.Quant {
	a, b := computing(g), computing(model)
	if len(a) != len(b) || len(g.Inputs) != len(model.Inputs) {
		return nil
	}
	given := make(map[graph.TensorID]tensor.Quant)
	for i, id := range g.Inputs {
		note(given, id, model, quantizedInput(model, model.Inputs[i]))
	}
	for i, n := range a {
		m := b[i]
		if n.Op.Name() != m.Op.Name() || len(n.Outputs) != len(m.Outputs) {
			return nil
		}
		for k, id := range n.Outputs {
			if !g.Tensor(id).Shape.Equal(model.Tensor(m.Outputs[k]).Shape) {
				return nil
			}
			note(given, id, model, m.Outputs[k])
		}
	}
	return given
}

// computing are the nodes other than conversions.
func computing(g *graph.Graph) []*graph.Node {
	var nodes []*graph.Node
	for i := range g.Nodes {
		switch g.Nodes[i].Op.(type) {
		case graph.Quantize, graph.Dequantize:
		default:
			nodes = append(nodes, &g.Nodes[i])
		}
	}
	return nodes
}

// quantizedInput is a graph input, or what a QUANTIZE makes of it if it is not
// int8 itself.
func quantizedInput(g *graph.Graph, id graph.TensorID) graph.TensorID {
	if g.Tensor(id).Type == tensor.Int8 {
		return id
	}
	for i := range g.Nodes {
		if _, ok := g.Nodes[i].Op.(graph.Quantize); ok && g.Nodes[i].Inputs[0] == id {
			return g.Nodes[i].Outputs[0]
		}
	}
	return id
}

func likeNames(g, model *graph.Graph) map[graph.TensorID]tensor.Quant {
	byName := make(map[string]graph.TensorID)
	for i := range model.Tensors {
		if t := &model.Tensors[i]; t.Name != "" && t.Type == tensor.Int8 && !t.IsConstant() {
			byName[t.Name] = graph.TensorID(i)
		}
	}
	given := make(map[graph.TensorID]tensor.Quant)
	take := func(ids []graph.TensorID) {
		for _, id := range ids {
			t := g.Tensor(id)
			if from, ok := byName[t.Name]; ok && sameSize(t, model.Tensor(from)) {
				note(given, id, model, from)
			}
		}
	}
	take(g.Inputs)
	for i := range g.Nodes {
		take(g.Nodes[i].Outputs)
	}
	return given
}

// sameSize reports whether two tensors hold as many elements, in whatever shape.
func sameSize(a, b *graph.Tensor) bool {
	n, ok := a.Shape.Elements()
	m, fits := b.Shape.Elements()
	return ok && fits && n == m
}

// note takes over the parameters of an int8 tensor.
func note(given map[graph.TensorID]tensor.Quant, to graph.TensorID, model *graph.Graph, from graph.TensorID) {
	t := model.Tensor(from)
	if t.Type == tensor.Int8 && len(t.Quant.Scales) == 1 {
		given[to] = fixed(t.Quant.Scale(), t.Quant.ZeroPoint())
	}
}
