package op

import (
	"cmp"
	"fmt"

	"kedge/runtime/tensor"
)

// dynamicUpdateSlice is DYNAMIC_UPDATE_SLICE: the input with a box of it
// overwritten by the update. Where the box begins is computed, and taken back so
// that the box lies inside.
type dynamicUpdateSlice struct {
	in, update, begin, out int
	wide                   bool // begin is int64
	rank, row              int  // bytes of the update's last dimension
	rows                   int  // of the update
	extent                 [maxRank]int
	last, stride           [maxRank]int // largest begin; bytes of the output between neighbors
}

func prepareDynamicUpdateSlice(p *Prep) (Evaluator, error) {
	if err := p.arity(3, 3, 1); err != nil {
		return nil, err
	}
	in, update, begin, out := p.in(0), p.in(1), p.in(2), p.out(0)
	rank := len(in.Shape)
	if err := cmp.Or(
		p.movable(in, out), p.types(update, in.Type), p.types(begin, tensor.Int32, tensor.Int64),
		p.shape(out, in.Shape), p.rank(update, rank), p.shape(begin, tensor.Shape{rank}),
	); err != nil {
		return nil, err
	}
	if rank == 0 {
		return nil, p.invalid(in, "a scalar", "dimensions")
	}
	d := &dynamicUpdateSlice{in: in.id, update: update.id, begin: begin.id, out: out.id, wide: begin.Type == tensor.Int64, rank: rank}
	strides := elementStrides(in.Shape)
	for i, n := range update.Shape {
		if n > in.Shape[i] {
			return nil, p.invalid(update, fmt.Sprintf("shape %v", update.Shape), fmt.Sprintf("a part of %v", in.Shape))
		}
		d.extent[i], d.last[i], d.stride[i] = n, in.Shape[i]-n, strides[i]*in.size()
	}
	d.row = d.extent[rank-1] * in.size()
	if d.row > 0 {
		d.rows = update.elements() * in.size() / d.row
	}
	return d, nil
}

func (d *dynamicUpdateSlice) Eval(m *Memory) {
	update, out := m.Tensors[d.update], m.Tensors[d.out]
	copy(out, m.Tensors[d.in])
	at := 0
	for i := range d.rank {
		at += d.from(m, i) * d.stride[i]
	}
	var index [maxRank]int
	for range d.rows {
		copy(out[at:], update[:d.row])
		update = update[d.row:]
		for i := d.rank - 2; i >= 0; i-- {
			at += d.stride[i]
			if index[i]++; index[i] < d.extent[i] {
				break
			}
			at -= d.stride[i] * d.extent[i]
			index[i] = 0
		}
	}
}

// from is where the box begins along dimension i.
func (d *dynamicUpdateSlice) from(m *Memory, i int) int {
	if d.wide {
		return int(min(max(get[int64](m, d.begin)[i], 0), int64(d.last[i])))
	}
	return min(max(int(get[int32](m, d.begin)[i]), 0), d.last[i])
}
