package ptq

import (
	"slices"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// Ties lists the activations of g whose ranges decide parameters, in sets that
// share one pair because operators between them move raw values. Those whose
// parameters are given or fixed by an operator are left out: their ranges do
// not matter. Sets and their members are in ascending order.
// Errors are those of Quantize.
func Ties(g *graph.Graph, o Options) ([][]graph.TensorID, error) {
	if o.Activations == tensor.Float32 {
		o.Activations = tensor.Int8
	}
	c := &converter{src: g, options: o, dst: g.Clone()}
	if err := c.layOut(); err != nil {
		return nil, err
	}
	if err := c.prescribe(); err != nil {
		return nil, err
	}
	sets := c.group()
	var out [][]graph.TensorID
	for set, members := range sets.members {
		if len(members) == 0 || !c.quantizes(members[0]) || sets.fixed(graph.TensorID(set)) != nil {
			continue
		}
		var tied []graph.TensorID
		for _, id := range members {
			if from := c.origin[id]; sets.demands(id) && !g.Tensor(from).IsConstant() {
				tied = append(tied, from)
			}
		}
		if len(tied) > 0 {
			slices.Sort(tied)
			out = append(out, slices.Compact(tied))
		}
	}
	return out, nil
}
