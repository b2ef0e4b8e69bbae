package search

import (
	"context"

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
	_, nodes := g.Cost()
	var layers []int
	for i, n := range nodes {
		if n.MACs > 0 {
			layers = append(layers, i)
		}
	}
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
