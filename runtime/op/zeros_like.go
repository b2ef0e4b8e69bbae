package op

// zerosLike is ZEROS_LIKE: raw zeros in the input's shape, whatever the zero
// point.
type zerosLike struct{ out int }

func prepareZerosLike(p *Prep) (Evaluator, error) {
	if err := p.arity(1, 1, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	if err := p.movable(in, out); err != nil {
		return nil, err
	}
	return &zerosLike{out.id}, p.shape(out, in.Shape)
}

func (z *zerosLike) Eval(m *Memory) { clear(m.Tensors[z.out]) }
