package op

// batchToSpace is BATCH_TO_SPACE_ND: the inverse of SPACE_TO_BATCH_ND, whose
// border is cropped.
type batchToSpace struct{ blocks }

func prepareBatchToSpaceND(p *Prep) (Evaluator, error) {
	if err := p.arity(3, 3, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	if err := p.movable(in, out); err != nil {
		return nil, err
	}
	b, err := p.layBlocks(out, in)
	if err != nil {
		return nil, err
	}
	return &batchToSpace{b}, nil
}

func (s *batchToSpace) Eval(m *Memory) {
	in, out := m.Tensors[s.batched], m.Tensors[s.spatial]
	if len(out) == 0 {
		return
	}
	s.each(func(batched, spatial int) {
		if spatial >= 0 {
			copy(out[spatial:spatial+s.pixel], in[batched:])
		}
	})
}
