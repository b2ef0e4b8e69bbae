package prune

import (
	"cmp"
	"math"
	"slices"

	"kedge/quant/graph"
)

// unit is a run of neighboring weights that stay or go together.
type unit struct {
	layer, first, n int32
	score           float32 // mean magnitude
}

// choose makes the masks of the layers.
func choose(g *graph.Graph, layers []Layer, o Options) Masks {
	masks := make(Masks, len(layers))
	list := make([]Mask, len(layers))
	for i, l := range layers {
		list[i] = NewMask(l.Count)
		masks[g.Tensor(l.Weights).Name] = list[i]
	}
	var all []unit
	for i, l := range layers {
		w := g.Tensor(l.Weights)
		row := w.Shape[len(w.Shape)-1]
		switch o.Method {
		case NM:
			keepGreatest(list[i], w.Float, row, o.Pattern)
		case Block:
			drop(list, units(nil, i, w.Float, row, BlockSize), o.Sparsity)
		case Magnitude:
			drop(list, units(nil, i, w.Float, row, 1), o.Sparsity)
		default:
			lo := len(all)
			all = units(all, i, w.Float, row, 1)
			adapt(all[lo:])
		}
	}
	drop(list, all, o.Sparsity)
	return masks
}

// units appends the runs of size neighbors in w, rows of the given length; the
// last of a row may be shorter.
func units(to []unit, layer int, w []float32, row, size int) []unit {
	to = slices.Grow(to, (len(w)+size-1)/size)
	for lo := 0; lo < len(w); lo += row {
		for k := 0; k < row; k += size {
			run := w[lo+k : lo+min(k+size, row)]
			sum := float32(0)
			for _, v := range run {
				sum += max(v, -v)
			}
			to = append(to, unit{int32(layer), int32(lo + k), int32(len(run)), sum / float32(len(run))})
		}
	}
	return to
}

// adapt turns the magnitudes of a layer's weights into scores that compare
// between layers: the part that a weight has in the energy of all weights that
// are not smaller. Magnitudes themselves do not: folding batch normalization
// gives every layer a scale of its own, and the layers of small scale would lose
// all their weights.
//
// Source: LAMP, Lee et al., "Layer-Adaptive Sparsity for the Magnitude-Based
// Pruning" (2021); the root of its score, which has the same order.
func adapt(layer []unit) {
	slices.SortFunc(layer, func(a, b unit) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.first, b.first))
	})
	energy := 0.0
	for i := range layer {
		u := &layer[i]
		energy += float64(u.score) * float64(u.score)
		if energy > 0 {
			u.score = float32(float64(u.score) / math.Sqrt(energy))
		}
	}
}

// drop marks the units of the smallest scores, of equal ones the last, until the
// number of weights is as near as can be to the sparsity of all in units. Each
// layer keeps one unit.
func drop(masks []Mask, list []unit, sparsity float64) {
	total, left := 0, make([]int, len(masks))
	for _, u := range list {
		total += int(u.n)
		left[u.layer]++
	}
	slices.SortFunc(list, func(a, b unit) int {
		return cmp.Or(cmp.Compare(a.score, b.score), cmp.Compare(b.layer, a.layer), cmp.Compare(b.first, a.first))
	})
	target, dropped := int(math.Round(sparsity*float64(total))), 0
	for _, u := range list {
		if 2*dropped+int(u.n) > 2*target {
			return
		}
		if left[u.layer] == 1 {
			continue
		}
		left[u.layer]--
		dropped += int(u.n)
		for i := range int(u.n) {
			masks[u.layer].Drop(int(u.first) + i)
		}
	}
}

// keepGreatest marks all but the greatest magnitudes of every group of
// neighbors, of equal ones the first.
func keepGreatest(m Mask, w []float32, row int, p Pattern) {
	order := make([]int, 0, p.M)
	for lo := 0; lo < len(w); lo += row {
		for k := 0; k < row; k += p.M {
			n := min(p.M, row-k)
			order = order[:0]
			for i := range n {
				order = append(order, lo+k+i)
			}
			slices.SortStableFunc(order, func(a, b int) int {
				return cmp.Compare(max(w[b], -w[b]), max(w[a], -w[a]))
			})
			for _, i := range order[(p.N*n+p.M-1)/p.M:] {
				m.Drop(i)
			}
		}
	}
}
