package prune

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"kedge/quant/graph"
	"kedge/quant/pass"
)

// candidate is a group of coupled channels that can be removed.
type candidate struct {
	pass.Channel
	score float64 // sum of the magnitudes of all weights that compute them
}

// removeChannels removes from every family the share of channels with the
// smallest scores, of equal ones the last. A family are the groups of channels
// that pass through the same tensors: the output channels of a layer, or of all
// layers whose outputs are added. At least one of each stays.
//
// The score is the L1 norm of Li et al., "Pruning Filters for Efficient
// ConvNets" (2017), on weights with batch normalization folded in.
func removeChannels(g *graph.Graph, layers []Layer, sparsity float64) (*graph.Graph, error) {
	c, err := pass.Couple(g)
	if err != nil {
		return nil, err
	}
	norms, excluded := channelNorms(g, layers)
	families, order := make(map[string][]candidate), []string(nil)
	for _, group := range c.Groups() {
		score, made := 0.0, false
		ok := !group.Fixed
		key := []graph.TensorID{}
		for _, ch := range group.Channels {
			ok = ok && !excluded[ch.Tensor]
			if norm := norms[ch.Tensor]; norm != nil {
				score, made = score+norm[ch.Index], true
			}
			if len(key) == 0 || key[len(key)-1] != ch.Tensor {
				key = append(key, ch.Tensor)
			}
		}
		if !ok || !made {
			continue
		}
		name := fmt.Sprint(key)
		if families[name] == nil {
			order = append(order, name)
		}
		families[name] = append(families[name], candidate{group.Channels[0], score})
	}
	if len(order) == 0 {
		return nil, fmt.Errorf("%w: every channel reaches an input, an output, an operator that mixes channels or an excluded layer", ErrNothing)
	}
	var gone []pass.Channel
	for _, name := range order {
		gone = append(gone, smallest(families[name], sparsity)...)
	}
	out, err := pass.RemoveChannels(g, gone)
	if err != nil {
		return nil, err
	}
	out.Compact()
	return out, out.Infer()
}

// smallest gives the share of a family that goes.
func smallest(family []candidate, sparsity float64) []pass.Channel {
	slices.SortFunc(family, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.score, b.score), cmp.Compare(b.Tensor, a.Tensor), cmp.Compare(b.Index, a.Index))
	})
	n := min(int(math.Round(sparsity*float64(len(family)))), len(family)-1)
	gone := make([]pass.Channel, n)
	for i := range gone {
		gone[i] = family[i].Channel
	}
	return gone
}

// channelNorms gives, by tensor, the sum of the magnitudes of the weights that
// compute each channel, nil where no layer does; and the outputs of layers that
// are not to be pruned.
func channelNorms(g *graph.Graph, layers []Layer) (norms [][]float64, excluded []bool) {
	pruned := make([]bool, len(g.Tensors))
	for _, l := range layers {
		pruned[l.Weights] = true
	}
	norms, excluded = make([][]float64, len(g.Tensors)), make([]bool, len(g.Tensors))
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if !weighted(n.Op) {
			continue
		}
		w, out := g.Tensor(n.Inputs[1]), n.Outputs[0]
		excluded[out] = !pruned[n.Inputs[1]]
		if w.Float == nil {
			continue
		}
		shape := g.Tensor(out).Shape
		channels := shape[len(shape)-1]
		norms[out] = make([]float64, channels)
		_, interleaved := n.Op.(graph.DepthwiseConv2D)
		for k, v := range w.Float {
			channel := k / (len(w.Float) / channels)
			if interleaved {
				channel = k % channels
			}
			norms[out][channel] += math.Abs(float64(v))
		}
	}
	return norms, excluded
}
