package op

import (
	"cmp"
	"fmt"
	"math"

	"kedge/runtime/tensor"
)

// signalOverlapAdd is SignalOverlapAdd: frames laid over each other, each
// frame_step samples after the one before, and added; int16 saturates. Of every
// frame the first frame_step samples of the sum so far are the output, the rest
// stays for the frames to come, also those of the next inference.
type signalOverlapAdd[T int16 | float32] struct {
	in, out    int
	state      int // a frame of every row
	frames     int // of a row
	size, step int
	add        func(a, b T) T
}

func prepareSignalOverlapAdd(p *Prep) (Evaluator, error) {
	if err := p.arity(1, 1, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	o := p.options()
	step := o.required("frame_step", 1, math.MaxInt32)
	t := o.optional("T", 0, 255, int64(in.Type))
	if err := cmp.Or(o.err, p.types(in, tensor.Int16, tensor.Float32), p.types(out, in.Type)); err != nil {
		return nil, err
	}
	if tensor.Type(t) != in.Type {
		return nil, p.invalid(in, in.Type.String(), fmt.Sprintf("the option T, %v", tensor.Type(t)))
	}
	if len(in.Shape) < 2 || in.elements() == 0 {
		return nil, p.invalid(in, fmt.Sprintf("shape %v", in.Shape), "frames of samples")
	}
	if err := p.rank(out, len(in.Shape)-1); err != nil {
		return nil, err
	}
	size, frames := in.Shape[len(in.Shape)-1], in.Shape[len(in.Shape)-2]
	if step > size {
		return nil, p.invalid(operand{}, fmt.Sprintf("option frame_step = %d", step), fmt.Sprintf("at most the frame's %d samples", size))
	}
	all := in.elements() / size
	if err := cmp.Or(p.count(out, all*step), p.keep("frame_step", int64(all/frames), int64(size), int64(in.size()))); err != nil {
		return nil, err
	}
	if in.Type == tensor.Float32 {
		return &signalOverlapAdd[float32]{in: in.id, out: out.id, state: p.StateSlot, frames: frames, size: size, step: step, add: func(a, b float32) float32 { return a + b }}, nil
	}
	return &signalOverlapAdd[int16]{in: in.id, out: out.id, state: p.StateSlot, frames: frames, size: size, step: step, add: saturatedSum}, nil
}

func (s *signalOverlapAdd[T]) Eval(m *Memory) {
	in, out, rows := view[T](m.Tensors[s.in]), view[T](m.Tensors[s.out]), view[T](m.States[s.state])
	for len(rows) > 0 {
		row := rows[:s.size]
		for range s.frames {
			for i, v := range in[:s.size] {
				row[i] = s.add(row[i], v)
			}
			copy(out, row[:s.step])
			copy(row, row[s.step:])
			clear(row[s.size-s.step:])
			in, out = in[s.size:], out[s.step:]
		}
		rows = rows[s.size:]
	}
}

// saturatedSum is a + b, clamped to int16.
func saturatedSum(a, b int16) int16 {
	return int16(min(max(int32(a)+int32(b), math.MinInt16), math.MaxInt16))
}
