package search

import (
	"context"
	"maps"

	"kedge/quant/calib"
	"kedge/quant/eval"
	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// LayerSensitivity is what one layer's quantization costs.
type LayerSensitivity struct {
	Node   int    // in the float graph
	Tensor string // the name of what it computes
	// SQNR is the logit SQNR with this layer alone in float32, in decibels: the
	// higher above that of the whole network, the more this layer costs.
	SQNR float64
}

// Sensitivity measures every node that multiplies by weights, or two activations,
// in order of execution, given the activations' ranges.
// Errors are those of Run.
func Sensitivity(ctx context.Context, g *graph.Graph, ranges calib.Ranges, r *eval.Recording, o Options) ([]LayerSensitivity, error) {
	c, err := newSearch(g, nil, r, o)
	if err != nil {
		return nil, err
	}
	layers := c.layers(nil)
	c.total = len(layers)
	out := make([]LayerSensitivity, 0, len(layers))
	for _, node := range layers {
		t := &trial{ranges: ranges, types: map[int]tensor.Type{node: tensor.Float32}}
		if t.measure, err = c.evaluate(ctx, t); err != nil {
			return nil, err
		}
		out = append(out, LayerSensitivity{node, g.Tensor(g.Nodes[node].Outputs[0]).Name, t.measure.logits})
	}
	return out, nil
}

// layers lists the nodes that multiply and have no type in any of these maps.
func (c *searching) layers(taken map[int]tensor.Type) []int {
	_, nodes := c.g.Cost()
	var out []int
	for i, n := range nodes {
		_, chosen := taken[i]
		_, asked := c.o.PTQ.Types[i]
		if n.MACs > 0 && !chosen && !asked {
			out = append(out, i)
		}
	}
	return out
}

// wider is t with one node in another type.
func wider(t *trial, node int, to tensor.Type) *trial {
	w := *t
	w.types = maps.Clone(t.types)
	if w.types == nil {
		w.types = make(map[int]tensor.Type)
	}
	w.types[node] = to
	return &w
}
