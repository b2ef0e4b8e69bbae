package op

import (
	"cmp"
	"fmt"
	"math"

	"kedge/runtime/tensor"
)

// signalStacker is SignalStacker: stacker_left_context + 1 + stacker_right_context
// rows of num_channels features as one, after every stacker_step rows. The first
// row stands in for those before it. Output 1 tells whether there is a stack;
// where there is none, which the reference leaves as it is, output 0 is 0.
type signalStacker struct {
	in, out, valid       int
	state                int
	channels, left, step int
}

func prepareSignalStacker(p *Prep) (Evaluator, error) {
	if err := p.arity(1, 1, 2); err != nil {
		return nil, err
	}
	in, out, valid := p.in(0), p.out(0), p.out(1)
	o := p.options()
	s := &signalStacker{
		in: in.id, out: out.id, valid: valid.id, state: p.StateSlot,
		channels: o.required("num_channels", 1, math.MaxInt16), left: o.required("stacker_left_context", 0, math.MaxInt16),
		step: o.required("stacker_step", 1, math.MaxInt16),
	}
	stack := s.left + 1 + o.required("stacker_right_context", 0, math.MaxInt16)
	if err := cmp.Or(
		o.err, p.vector(in, tensor.Int16), p.vector(out, tensor.Int16), p.single(valid, tensor.Bool), p.count(in, s.channels),
		p.keep("num_channels", int64(stack), int64(s.channels), 2), p.count(out, p.State/2),
	); err != nil {
		return nil, err
	}
	if s.step > stack {
		return nil, p.invalid(operand{}, fmt.Sprintf("option stacker_step = %d", s.step), fmt.Sprintf("at most the %d rows of a stack", stack))
	}
	p.State += 4 // the count
	return s, nil
}

// Eval keeps, in front of the rows, one more than the number of features that
// are there, or 0 before the first row.
func (s *signalStacker) Eval(m *Memory) {
	in, out, valid := get[int16](m, s.in), get[int16](m, s.out), m.Tensors[s.valid]
	count, rows := view[int32](m.States[s.state])[:1], view[int16](m.States[s.state])[2:]
	copies := 1
	if count[0] == 0 {
		count[0], copies = 1, s.left+1
	}
	there := int(count[0]) - 1
	for range copies {
		there += copy(rows[there:], in)
	}
	clear(out)
	valid[0] = 0
	if there == len(out) {
		valid[0] = 1
		copy(out, rows)
		there = copy(rows, rows[s.step*s.channels:there])
	}
	count[0] = int32(there) + 1
}
