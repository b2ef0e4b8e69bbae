package pass

import (
	"slices"

	"kedge/quant/graph"
)

// maxSeeds bounds how many transposes are tried one by one.
const maxSeeds = 64

// eliminateTransposes moves transposes toward the graph's outputs, past
// operators that can as well work on the other order of dimensions, until they
// meet their inverse, end in the weights of a FULLY_CONNECTED or cannot go on.
// A result that moves fewer elements is kept. All transposes are tried
// together first, because two that meet in an ADD go on only together, then
// each alone, because a single bad one must not hold up the rest.
func eliminateTransposes(e *editor) error {
	e.tryLayout(-1)
	for seed, tried := 0, 0; seed < len(e.g.Nodes) && tried < maxSeeds; seed++ {
		if _, ok := e.g.Nodes[seed].Op.(graph.Transpose); ok {
			tried++
			e.tryLayout(seed)
		}
	}
	return nil
}

// tryLayout sinks transpose seed, or all if it is −1, on a copy and takes the
// copy if that is better.
func (e *editor) tryLayout(seed int) {
	t := newEditor(e.g.Clone())
	s := sinker{editor: t, moving: make([]bool, len(t.g.Nodes))}
	for i := range t.g.Nodes {
		_, ok := t.g.Nodes[i].Op.(graph.Transpose)
		s.moving[i] = ok && (seed < 0 || seed == i)
	}
	if !s.run() || t.finish() != nil {
		return
	}
	had, have := moved(e.g), moved(t.g)
	if have.elements > had.elements || have.elements == had.elements && have.count >= had.count {
		return
	}
	e.note("transposes from %d to %d, elements they move from %d to %d", had.count, have.count, had.elements, have.elements)
	steps := e.steps
	*e.g = *t.g
	*e = *newEditor(e.g)
	e.steps = steps
}

// movement is what the transposes of a graph cost.
type movement struct{ count, elements int }

func moved(g *graph.Graph) (m movement) {
	for i := range g.Nodes {
		if op, ok := g.Nodes[i].Op.(graph.Transpose); ok {
			in := g.Tensor(g.Nodes[i].Inputs[0]).Shape
			m.count++
			if !movesOnlyOnes(in, op.Perm) {
				size, _ := in.Elements()
				m.elements += size
			}
		}
	}
	return m
}

// sinker moves transposes down.
type sinker struct {
	*editor
	moving []bool // by node: a transpose that is to move
}

// run sinks until nothing moves. Every step puts a transpose behind an operator
// that it was in front of; limit is there so that a mistake in that argument
// costs a simplification and not a hanging program.
func (s *sinker) run() (done bool) {
	limit := 64 * (len(s.g.Nodes) + 16)
	for again := true; again; {
		again = false
		for i := 0; i < len(s.g.Nodes); i++ {
			op, ok := s.g.Nodes[i].Op.(graph.Transpose)
			if !ok || !s.isMoving(i) || identityPerm(op.Perm) || !s.sink(i) {
				continue
			}
			again = true
			if limit--; limit < 0 {
				return false
			}
		}
	}
	return true
}

func (s *sinker) isMoving(i int) bool { return i < len(s.moving) && s.moving[i] }

func (s *sinker) move(i int) {
	for len(s.moving) <= i {
		s.moving = append(s.moving, false)
	}
	s.moving[i] = true
}

// sink moves transpose i past every reader of its result that allows it.
func (s *sinker) sink(i int) bool {
	if s.absorbBefore(i) {
		return true
	}
	done, result := false, s.g.Nodes[i].Outputs[0]
	for _, r := range slices.Clone(s.readers[result]) {
		// Earlier steps may have removed either, or made r read something else.
		if s.g.Nodes[i].Op == nil || !slices.Contains(s.readers[result], r) {
			continue
		}
		done = s.past(i, r) || done
	}
	return done
}

// past moves transpose i, whose result node r reads, behind r.
func (s *sinker) past(i, r int) bool {
	switch op := s.g.Nodes[r].Op.(type) {
	case graph.Transpose:
		return s.join(i, r, op)
	case graph.Reshape:
		return s.pastReshape(i, r, op) || s.absorbFlattened(i, r) || s.delayReshape(i, r)
	case graph.BatchMatMul:
		return s.absorbMatMul(i, r, op)
	}
	perm := s.g.Nodes[i].Op.(graph.Transpose).Perm
	op, result, ok := permuted(s.g, &s.g.Nodes[r], perm)
	if !ok || !s.operandsFit(r, perm) {
		return false
	}
	s.operands(r, perm)
	s.g.Nodes[r].Op = op
	s.transposeResults(r, result)
	return true
}

// join makes transposes i and its reader r one, or none.
func (s *sinker) join(i, r int, op graph.Transpose) bool {
	s.g.Nodes[r].Op = graph.Transpose{Perm: compose(s.g.Nodes[i].Op.(graph.Transpose).Perm, op.Perm)}
	s.skip(r, i)
	s.move(r)
	s.mergeMovement(r)
	if op, ok := s.g.Nodes[r].Op.(graph.Transpose); ok && identityPerm(op.Perm) {
		s.bypass(r, s.g.Nodes[r].Inputs[0])
	}
	return true
}

// transposeResults lets node r, whose op now works on the order before the
// transposes, write new tensors, and transposes by perm write the old ones.
func (s *sinker) transposeResults(r int, perm []int) {
	if identityPerm(perm) {
		return
	}
	for k, id := range slices.Clone(s.g.Nodes[r].Outputs) {
		shape := permute(s.g.Tensor(id).Shape, inverse(perm))
		before := s.activation(id, shape)
		s.inherit(before, id)
		s.g.Nodes[r].Outputs[k] = before
		s.producer[before] = r
		s.move(s.add(graph.Transpose{Perm: slices.Clone(perm)}, []graph.TensorID{before}, []graph.TensorID{id}))
	}
}
