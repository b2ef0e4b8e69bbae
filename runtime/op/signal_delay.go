package op

import (
	"cmp"
	"fmt"
	"math"

	"kedge/runtime/tensor"
)

// signalDelay is SignalDelay: each row of samples delay_length samples later,
// with what the row before left, and 0 at the start.
type signalDelay struct {
	in, out    int
	state      int // delay samples of every row
	row, delay int
}

func prepareSignalDelay(p *Prep) (Evaluator, error) {
	if err := p.arity(1, 1, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	o := p.options()
	s := &signalDelay{in: in.id, out: out.id, state: p.StateSlot, delay: o.required("delay_length", 0, math.MaxInt32)}
	if err := cmp.Or(
		o.err, p.types(in, tensor.Int16), p.types(out, tensor.Int16), p.count(out, in.elements()),
	); err != nil {
		return nil, err
	}
	rows, row, err := p.frames(in)
	if err != nil {
		return nil, err
	}
	if s.row = row; rows == 0 {
		s.delay = 0
	}
	return s, p.keep("delay_length", int64(rows), int64(s.delay), 2)
}

// keep asks for rows times n values of size bytes as State; option is what made
// it n.
func (p *Prep) keep(option string, rows, n, size int64) error {
	if n > math.MaxInt32 || rows*n > (math.MaxInt32-4)/size {
		return p.invalid(operand{}, fmt.Sprintf("option %s for %d values in each of %d rows", option, n, rows), "less than 2 GiB")
	}
	p.State = int(rows * n * size)
	return nil
}

func (s *signalDelay) Eval(m *Memory) {
	in, out := get[int16](m, s.in), get[int16](m, s.out)
	if s.delay == 0 {
		copy(out, in)
		return // has no state
	}
	state := view[int16](m.States[s.state])
	for len(in) >= s.row {
		old, row := state[:s.delay], in[:s.row]
		n := copy(out[:s.row], old)
		kept := copy(out[n:s.row], row)
		copy(old, old[n:])
		copy(old[s.delay-n:], row[kept:])
		in, out, state = in[s.row:], out[s.row:], state[s.delay:]
	}
}
