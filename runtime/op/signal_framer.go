package op

import (
	"cmp"
	"fmt"
	"math"

	"kedge/runtime/tensor"
)

// signalFramer is SignalFramer: overlapping frames of frame_size samples, one for
// every frame_step samples of each row. With prefill the first frame begins with
// silence; without, output 1 is false until enough samples have come. A frame that
// is not there yet, which the reference leaves as it is, is 0.
type signalFramer struct {
	in, out, valid    int
	state             int
	rows, steps       int
	size, step        int
	capacity, prefill int // samples of a row that are kept, and there at the start
}

func prepareSignalFramer(p *Prep) (Evaluator, error) {
	if err := p.arity(1, 1, 2); err != nil {
		return nil, err
	}
	in, out, valid := p.in(0), p.out(0), p.out(1)
	o := p.options()
	f := &signalFramer{
		in: in.id, out: out.id, valid: valid.id, state: p.StateSlot,
		size: o.required("frame_size", 1, math.MaxInt16), step: o.required("frame_step", 1, math.MaxInt16),
	}
	prefill := o.required("prefill", 0, 1) == 1
	if err := cmp.Or(
		o.err, p.types(in, tensor.Int16), p.types(out, tensor.Int16), p.single(valid, tensor.Bool), p.rank(out, len(in.Shape)+1),
	); err != nil {
		return nil, err
	}
	rows, row, err := p.frames(in)
	if err != nil {
		return nil, err
	}
	if row%f.step != 0 {
		return nil, p.invalid(in, fmt.Sprintf("rows of %d samples", row), fmt.Sprintf("a multiple of frame_step, %d", f.step))
	}
	f.rows, f.steps = rows, row/f.step
	if n := int64(f.size) * int64(rows*f.steps); n != int64(out.elements()) {
		return nil, p.invalid(out, fmt.Sprintf("%d values", out.elements()), fmt.Sprintf("%d frames of %d", rows*f.steps, f.size))
	}
	if prefill {
		if f.prefill = f.size - f.step; f.prefill < 0 {
			return nil, p.invalid(operand{}, fmt.Sprintf("prefill with frame_step %d", f.step), fmt.Sprintf("at most frame_size, %d", f.size))
		}
	}
	f.capacity = (f.size + f.step - 1) / f.step * f.step
	err = p.keep("frame_size", int64(rows), int64(f.capacity), 2)
	p.State += 4 // the count
	return f, err
}

// Eval keeps, in front of the rows' samples, how many there are of each beyond
// prefill.
func (f *signalFramer) Eval(m *Memory) {
	in, out, valid := get[int16](m, f.in), get[int16](m, f.out), m.Tensors[f.valid]
	count, rows := view[int32](m.States[f.state])[:1], view[int16](m.States[f.state])[2:]
	valid[0] = 1
	there := 0
	for i := range f.rows {
		row := rows[i*f.capacity:][:f.capacity]
		there = f.prefill + int(count[0])
		for range f.steps {
			copy(row[there:], in[:f.step])
			there += f.step
			if there >= f.size {
				copy(out, row[:f.size])
				copy(row, row[f.step:there])
				there -= f.step
			} else {
				clear(out[:f.size])
				valid[0] = 0
			}
			in, out = in[f.step:], out[f.size:]
		}
	}
	count[0] = int32(there - f.prefill)
}
