package op

import (
	"cmp"

	"kedge/runtime/tensor"
)

// logicalNot is LOGICAL_NOT on bool.
type logicalNot struct{ in, out int }

func prepareLogicalNot(p *Prep) (Evaluator, error) {
	if err := p.arity(1, 1, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	if err := cmp.Or(p.types(in, tensor.Bool), p.types(out, tensor.Bool), p.shape(out, in.Shape)); err != nil {
		return nil, err
	}
	p.overwrites(0)
	return &logicalNot{in.id, out.id}, nil
}

func (l *logicalNot) Eval(m *Memory) {
	out := m.Tensors[l.out]
	for i, v := range m.Tensors[l.in][:len(out)] {
		out[i] = truth(v == 0)
	}
}
