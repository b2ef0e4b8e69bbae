package pass

import (
	"slices"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// block is a run of dimensions before a reshape that holds the same elements
// as a run of dimensions after it.
type block struct{ from, to []int }

// blocks cuts a reshape into its smallest blocks. Dimensions of extent 1 before
// it are left out, those after it belong to the block in front of them.
func blocks(from, to tensor.Shape) []block {
	var out []block
	i, j := 0, 0
	for i < len(from) || j < len(to) {
		if i < len(from) && from[i] == 1 {
			i++
			continue
		}
		if j < len(to) && to[j] == 1 {
			if len(out) == 0 {
				out = append(out, block{})
			}
			out[len(out)-1].to = append(out[len(out)-1].to, j)
			j++
			continue
		}
		b := block{}
		left, right := 1, 1
		for left == 1 || left != right {
			if left <= right {
				if from[i] != 1 {
					b.from, left = append(b.from, i), left*from[i]
				}
				i++
			} else {
				b.to, right = append(b.to, j), right*to[j]
				j++
			}
		}
		out = append(out, b)
	}
	return out
}

// pastReshape moves transpose i behind its reader r, a reshape whose blocks
// the transpose moves as wholes: squeezing, splitting a dimension, joining two
// that were neighbors before.
func (s *sinker) pastReshape(i, r int, op graph.Reshape) bool {
	perm := s.g.Nodes[i].Op.(graph.Transpose).Perm
	mid := s.g.Tensor(s.g.Nodes[i].Outputs[0]).Shape
	cut := blocks(mid, op.Shape)
	source := s.g.Tensor(s.g.Nodes[i].Inputs[0]).Shape
	for _, b := range cut {
		for k := 1; k < len(b.from); k++ {
			for d := perm[b.from[k-1]] + 1; d != perm[b.from[k]]; d++ {
				if d >= len(source) || source[d] != 1 {
					return false
				}
			}
		}
	}
	// In the order of the transpose's operand.
	slices.SortStableFunc(cut, func(a, b block) int {
		return place(a, perm) - place(b, perm)
	})
	var order []int // the result's dimensions in that order
	for _, b := range cut {
		order = append(order, b.to...)
	}
	shape := tensor.Shape(permute(op.Shape, order))
	s.skip(r, i)
	s.g.Nodes[r].Op = graph.Reshape{Shape: shape}
	s.transposeResults(r, inverse(order))
	return true
}

// place is where the block's first dimension was before the transpose; a block
// of ones goes first.
func place(b block, perm []int) int {
	if len(b.from) == 0 {
		return -1
	}
	return perm[b.from[0]]
}

// flattened reports whether a reshape from shape to to joins all dimensions
// from at on into the last one and leaves the elements before alone.
func flattened(shape, to tensor.Shape) (at int, ok bool) {
	if len(to) == 0 {
		return 0, false
	}
	have := 1
	for at = len(shape); at > 0 && have < to[len(to)-1]; at-- {
		have *= shape[at-1]
	}
	return at, have == to[len(to)-1]
}

// absorbFlattened puts transpose i, whose result is flattened by reshape r for
// a FULLY_CONNECTED, into the order of the weights' columns.
func (s *sinker) absorbFlattened(i, r int) bool {
	perm := s.g.Nodes[i].Op.(graph.Transpose).Perm
	shape, flat := s.g.Tensor(s.g.Nodes[i].Outputs[0]).Shape, s.g.Nodes[r].Outputs[0]
	to := s.g.Tensor(flat).Shape
	at, ok := flattened(shape, to)
	if !ok || !identityPerm(perm[:at]) {
		return false
	}
	done := false
	for _, f := range slices.Clone(s.readers[flat]) {
		l, ok := layerOf(s.g, f)
		if _, dense := s.g.Nodes[f].Op.(graph.FullyConnected); !ok || !dense || l.in != to[len(to)-1] || s.g.Nodes[f].Inputs[0] != flat {
			continue
		}
		columns := append(tensor.Shape{l.out}, shape[at:]...)
		order := []int{0}
		for _, d := range inverse(perm)[at:] {
			order = append(order, d-at+1)
		}
		_, weights := transposed(l.weights.Float, columns, order)
		s.setWeights(l, weights, nil)
		own := s.activation(flat, slices.Clone(to))
		s.add(graph.Reshape{Shape: slices.Clone(to)}, s.g.Nodes[i].Inputs[:1:1], []graph.TensorID{own})
		s.rewire(f, 0, own)
		done = true
	}
	if done && s.unused(r) {
		s.remove(r)
	}
	return done
}

// delayReshape lets a function of single elements that alone reads reshape r
// come before it, so that transpose i can go on.
func (s *sinker) delayReshape(i, r int) bool {
	mid := s.g.Nodes[i].Outputs[0]
	flat := s.g.Nodes[r].Outputs[0]
	if !s.sole(flat) {
		return false
	}
	u := s.readers[flat][0]
	shape := s.g.Tensor(mid).Shape
	switch s.g.Nodes[u].Op.(type) {
	case graph.Unary, graph.LeakyReLU:
	case graph.Binary:
		o, ok := constantOperand(s.g, &s.g.Nodes[u])
		to := s.g.Tensor(flat).Shape
		at, flattens := flattened(shape, to)
		if !ok || !flattens {
			return false
		}
		axis, values, ok := o.axis()
		if !ok || axis >= 0 && axis != len(to)-1 {
			return false
		}
		constant := tensor.Shape{1}
		if axis >= 0 {
			constant = slices.Clone(shape[at:])
		}
		s.rewire(u, o.k, s.constant(s.g.Nodes[u].Inputs[o.k], constant, values))
	default:
		return false
	}
	result := s.g.Nodes[u].Outputs[0]
	early := s.activation(result, slices.Clone(shape))
	s.rewire(u, slices.Index(s.g.Nodes[u].Inputs, flat), mid)
	s.rewire(r, 0, early)
	s.g.Nodes[u].Outputs[0], s.g.Nodes[r].Outputs[0] = early, result
	s.producer[early], s.producer[result], s.producer[flat] = u, r, -1
	return true
}

// absorbBefore puts transpose i of a reshaped result of a FULLY_CONNECTED into
// the order of that operator's rows.
func (s *sinker) absorbBefore(i int) bool {
	r := s.maker(i, 0)
	if r < 0 || !s.sole(s.g.Nodes[i].Inputs[0]) {
		return false
	}
	f := s.maker(r, 0)
	if _, ok := s.g.Nodes[r].Op.(graph.Reshape); !ok || f < 0 || !s.sole(s.g.Nodes[r].Inputs[0]) {
		return false
	}
	l, ok := layerOf(s.g, f)
	if _, dense := s.g.Nodes[f].Op.(graph.FullyConnected); !ok || !dense {
		return false
	}
	perm := s.g.Nodes[i].Op.(graph.Transpose).Perm
	shape := s.g.Tensor(s.g.Nodes[i].Inputs[0]).Shape
	at, ok := flattened(shape, s.g.Tensor(s.g.Nodes[f].Outputs[0]).Shape)
	if !ok || !identityPerm(perm[:at]) {
		return false
	}
	order := make([]int, 0, len(perm)-at+1)
	for _, d := range perm[at:] {
		order = append(order, d-at)
	}
	rows := append(slices.Clone(shape[at:]), l.in)
	_, weights := transposed(l.weights.Float, rows, append(order, len(order)))
	var bias []float32
	if l.bias != nil {
		_, bias = transposed(l.bias, shape[at:], order)
	}
	s.setWeights(l, weights, bias)
	s.g.Nodes[i].Op = graph.Reshape{Shape: slices.Clone(s.g.Tensor(s.g.Nodes[i].Outputs[0]).Shape)}
	s.skip(i, r)
	return true
}
