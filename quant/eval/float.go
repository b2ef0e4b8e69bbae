package eval

import (
	"kedge/quant/graph"
)

// floatModel runs a graph on its executor.
type floatModel struct {
	parts
	g *graph.Graph
}

// Float makes a Model of a float graph that passed Infer. The graph must not
// change afterwards. Errors match ErrModel or are package graph's.
func Float(g *graph.Graph) (Model, error) {
	if _, err := graph.NewExecutor(g); err != nil {
		return nil, err
	}
	var activations []Tensor
	var operators []operator
	add := func(ids []graph.TensorID) {
		for _, id := range ids {
			t := g.Tensor(id)
			activations = append(activations, Tensor{int(id), t.Name, t.Shape, t.Type})
		}
	}
	add(g.Inputs)
	for i := range g.Nodes {
		n := &g.Nodes[i]
		add(n.Outputs)
		operators = append(operators, operator{n.Op.Name(), numbers(n.Inputs), numbers(n.Outputs)})
	}
	p, err := newParts(activations, numbers(g.Inputs), numbers(g.Outputs), operators)
	if err != nil {
		return nil, err
	}
	return &floatModel{p, g}, nil
}

func (m *floatModel) NewSession(watch []int) (Session, error) {
	e, err := graph.NewExecutor(m.g)
	if err != nil {
		return nil, err
	}
	s := &floatSession{e: e, watched: make([]bool, len(m.g.Tensors))}
	for _, t := range watch {
		if t >= 0 && t < len(s.watched) {
			s.watched[t] = true
		}
	}
	s.show = func(id graph.TensorID, values []float32) {
		if s.watched[id] {
			s.observe(int(id), values)
		}
	}
	return s, nil
}

type floatSession struct {
	e       *graph.Executor
	watched []bool
	observe func(int, []float32)
	show    func(graph.TensorID, []float32)
}

func (s *floatSession) Run(inputs [][]float32, observe func(int, []float32)) ([][]float32, error) {
	if observe == nil {
		return s.e.Run(inputs, nil)
	}
	s.observe = observe
	return s.e.Run(inputs, s.show)
}

func numbers(ids []graph.TensorID) []int {
	out := make([]int, len(ids))
	for i, id := range ids {
		out[i] = int(id)
	}
	return out
}
