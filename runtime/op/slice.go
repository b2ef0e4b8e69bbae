package op

import (
	"cmp"
	"fmt"

	"kedge/runtime/tensor"
)

// prepareSlice prepares SLICE: a box of the input, given by where it begins and
// how large it is; size -1 reaches to the end. Either may be computed; then the
// output's shape says how large the box is.
func prepareSlice(p *Prep) (Evaluator, error) {
	if err := p.arity(3, 3, 1); err != nil {
		return nil, err
	}
	in, begin, out := p.in(0), p.in(1), p.out(0)
	if err := cmp.Or(p.movable(in, out), p.rank(out, len(in.Shape))); err != nil {
		return nil, err
	}
	begins, err := p.sliceValues(begin, len(in.Shape))
	if err != nil {
		return nil, err
	}
	sizes, err := p.sliceValues(p.in(2), len(in.Shape))
	if err != nil {
		return nil, err
	}
	want, err := p.box(in, out, begins, sizes)
	if err != nil {
		return nil, err
	}
	if err := p.shape(out, want); err != nil {
		return nil, err
	}
	strides := elementStrides(in.Shape)
	loops, start := make([]loop, len(want)), 0
	for d, n := range want {
		loops[d] = loop{n, strides[d]}
		if begins != nil && out.elements() > 0 {
			start += int(begins[d]) * strides[d]
		}
	}
	s := layStrided(in, out, start, loops)
	if begins != nil {
		return s, nil
	}
	moving := &movingSlice{strided: *s, begin: begin.id, wide: begin.Type == tensor.Int64, dims: len(want)}
	for d, n := range want {
		moving.last[d], moving.step[d] = in.Shape[d]-n, strides[d]*in.size()
	}
	return moving, nil
}

// sliceValues is one value for each dimension, nil if they are computed.
func (p *Prep) sliceValues(t operand, rank int) ([]int64, error) {
	if t.Data != nil || rank == 0 {
		return p.constants(t, rank, tensor.Int32, tensor.Int64)
	}
	if t.elements() != rank {
		return nil, p.invalid(t, fmt.Sprintf("%d values", t.elements()), fmt.Sprint(rank))
	}
	return nil, p.types(t, tensor.Int32, tensor.Int64)
}

// box is the shape that the slice has. What is computed is taken from out.
func (p *Prep) box(in, out operand, begins, sizes []int64) (tensor.Shape, error) {
	want := make(tensor.Shape, len(in.Shape))
	for d, n := range in.Shape {
		begin, size := int64(0), int64(-1)
		if begins != nil {
			begin = begins[d]
		}
		if sizes != nil {
			size = sizes[d]
		}
		if size == -1 {
			size = int64(n) - begin
			if begins == nil || sizes == nil {
				size = int64(out.Shape[d])
			}
		}
		if begin < 0 || begin > int64(n) || size < 0 || size > int64(n)-begin {
			return nil, p.invalid(p.in(1), fmt.Sprintf("%d elements from %d", size, begin), fmt.Sprintf("a part of dimension %d, %d elements", d, n))
		}
		want[d] = int(size)
	}
	return want, nil
}

// movingSlice is SLICE with a computed begin. One that would let the box reach
// outside of the input, which the reference reads, is taken back to the edge.
type movingSlice struct {
	strided
	begin      int
	wide       bool // begin is int64
	dims       int
	last, step [maxRank]int // largest begin; bytes between neighbors
}

func (s *movingSlice) Eval(m *Memory) {
	at := 0
	for d := range s.dims {
		at += s.at(m, d) * s.step[d]
	}
	s.move(m.Tensors[s.out], m.Tensors[s.in], at)
}

// at is where the box begins along dimension d.
func (s *movingSlice) at(m *Memory, d int) int {
	if s.wide {
		return int(min(max(get[int64](m, s.begin)[d], 0), int64(s.last[d])))
	}
	return min(max(int(get[int32](m, s.begin)[d]), 0), s.last[d])
}
