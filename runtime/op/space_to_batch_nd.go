package op

import "kedge/runtime/tensor"

// spaceToBatch is SPACE_TO_BATCH_ND: images with a border are cut into blocks,
// and cell c of every block becomes batch c.
//
// The border is 0 in the raw value, whatever the zero point, as TensorFlow Lite
// Micro leaves it; uint8, which that does not have, takes the zero point.
type spaceToBatch struct {
	blocks
	border byte
}

func prepareSpaceToBatchND(p *Prep) (Evaluator, error) {
	if err := p.arity(3, 3, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	if err := p.movable(in, out); err != nil {
		return nil, err
	}
	b, err := p.layBlocks(in, out)
	if err != nil {
		return nil, err
	}
	s := &spaceToBatch{blocks: b}
	if out.Type == tensor.Uint8 {
		s.border = out.zeroByte()
	}
	return s, nil
}

func (s *spaceToBatch) Eval(m *Memory) {
	in, out := m.Tensors[s.spatial], m.Tensors[s.batched]
	if len(out) == 0 {
		return
	}
	s.each(func(batched, spatial int) {
		to := out[batched : batched+s.pixel]
		if spatial < 0 {
			fill(to, s.border)
		} else {
			copy(to, in[spatial:])
		}
	})
}
