package op

import "kedge/runtime/tensor"

// shape is SHAPE: the input's extents, which are known at load.
type shape struct {
	out, rank int
	extents   [maxRank]int32
}

func prepareShape(p *Prep) (Evaluator, error) {
	if err := p.arity(1, 1, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	if err := p.types(out, tensor.Int32); err != nil {
		return nil, err
	}
	if err := p.shape(out, tensor.Shape{len(in.Shape)}); err != nil {
		return nil, err
	}
	s := &shape{out: out.id, rank: len(in.Shape)}
	for d, n := range in.Shape {
		s.extents[d] = int32(n)
	}
	return s, nil
}

func (s *shape) Eval(m *Memory) { copy(get[int32](m, s.out), s.extents[:s.rank]) }
