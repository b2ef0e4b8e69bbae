package pass

import (
	"slices"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// permuted gives the operator that does to the operand before a transpose by
// perm what n does to its result, and the transpose that its own results then
// need.
func permuted(g *graph.Graph, n *graph.Node, perm []int) (op graph.Op, result []int, ok bool) {
	back := inverse(perm)
	if len(g.Tensor(n.Outputs[0]).Shape) != len(perm) {
		if _, isReduce := n.Op.(graph.Reduce); !isReduce {
			return nil, nil, false
		}
	}
	switch op := n.Op.(type) {
	case graph.Unary, graph.LeakyReLU, graph.PReLU, graph.Binary:
		return op, perm, true
	case graph.Softmax, graph.LogSoftmax, graph.L2Normalization:
		last := len(perm) - 1
		return op, perm, perm[last] == last
	case graph.Quantize:
		op.Quant = permuteQuant(op.Quant, perm)
		return op, perm, true
	case graph.Dequantize:
		op.Quant = permuteQuant(op.Quant, perm)
		return op, perm, true
	case graph.Concatenation:
		op.Axis = perm[op.Axis]
		return op, perm, true
	case graph.Split:
		op.Axis = perm[op.Axis]
		return op, perm, true
	case graph.Pad:
		op.Before, op.After = permute(op.Before, back), permute(op.After, back)
		return op, perm, true
	case graph.StridedSlice:
		return graph.StridedSlice{Begin: permute(op.Begin, back), Count: permute(op.Count, back), Stride: permute(op.Stride, back)}, perm, true
	case graph.Reduce:
		return permuteReduce(op, perm)
	}
	return nil, nil, false
}

func permuteQuant(q tensor.Quant, perm []int) tensor.Quant {
	if q.PerChannel() {
		q.Dim = perm[q.Dim]
	}
	return q
}

// permuteReduce drops the reduced dimensions from the result's transpose where
// the result does not have them.
func permuteReduce(op graph.Reduce, perm []int) (graph.Op, []int, bool) {
	axes := permute(perm, op.Axes)
	slices.Sort(axes)
	result := perm
	if !op.KeepDims {
		result = nil
		for i, d := range perm {
			if slices.Contains(op.Axes, i) {
				continue
			}
			gone := 0
			for _, a := range axes {
				if a < d {
					gone++
				}
			}
			result = append(result, d-gone)
		}
	}
	op.Axes = axes
	return op, result, true
}

// operandsFit reports whether every operand of node r can be had in the order
// before a transpose by perm: another such transpose's, a constant, or what a
// reshape gives.
func (s *sinker) operandsFit(r int, perm []int) bool {
	n := &s.g.Nodes[r]
	for k, id := range n.Inputs {
		if id == graph.None {
			return false
		}
		t := s.g.Tensor(id)
		if s.transposedBy(r, k, perm) || t.Float != nil && len(t.Shape) <= len(perm) {
			continue
		}
		if _, ok := n.Op.(graph.Binary); !ok || t.IsConstant() || len(t.Shape) > len(perm) || !movesOnlyOnes(padShape(t.Shape, len(perm)), inverse(perm)) {
			return false
		}
	}
	return true
}

// transposedBy reports whether operand k of node r is a transpose by perm.
func (s *sinker) transposedBy(r, k int, perm []int) bool {
	p := s.maker(r, k)
	if p < 0 {
		return false
	}
	op, ok := s.g.Nodes[p].Op.(graph.Transpose)
	return ok && slices.Equal(op.Perm, perm)
}

// operands gives node r its operands in the order before a transpose by perm.
func (s *sinker) operands(r int, perm []int) {
	back := inverse(perm)
	_, joins := s.g.Nodes[r].Op.(graph.Concatenation)
	for k, id := range slices.Clone(s.g.Nodes[r].Inputs) {
		t := s.g.Tensor(id)
		shape := padShape(t.Shape, len(perm))
		switch {
		case t.Float != nil:
			shape, data := transposed(t.Float, shape, back)
			for !joins && len(shape) > 1 && shape[0] == 1 {
				shape = shape[1:]
			}
			s.rewire(r, k, s.constant(id, shape, data))
		case s.transposedBy(r, k, perm):
			s.skipOperand(r, k)
		default:
			other := s.activation(id, permute(shape, back))
			s.add(graph.Reshape{Shape: permute(shape, back)}, []graph.TensorID{id}, []graph.TensorID{other})
			s.producer[other] = len(s.g.Nodes) - 1
			s.rewire(r, k, other)
		}
	}
}

// skipOperand makes operand k of node r what its maker reads.
func (s *sinker) skipOperand(r, k int) {
	p := s.maker(r, k)
	s.rewire(r, k, s.g.Nodes[p].Inputs[0])
	if s.unused(p) {
		s.remove(p)
	}
}

// absorbMatMul turns a transpose of an operand's matrices into the flag that
// says so.
func (s *sinker) absorbMatMul(i, r int, op graph.BatchMatMul) bool {
	perm := s.g.Nodes[i].Op.(graph.Transpose).Perm
	last := len(perm) - 1
	if last < 1 || perm[last] != last-1 || perm[last-1] != last || !identityPerm(perm[:last-1]) {
		return false
	}
	for k := range 2 {
		if s.maker(r, k) == i {
			if k == 0 {
				op.AdjX = !op.AdjX
			} else {
				op.AdjY = !op.AdjY
			}
			s.skipOperand(r, k)
		}
	}
	s.g.Nodes[r].Op = op
	return true
}
