package op

import (
	"fmt"
	"slices"

	"kedge/runtime/tensor"
)

// gatherND is GATHER_ND: each row of indices names the first coordinates of a
// slice of the input.
//
// As in the reference it is the slice's position that must lie inside of the
// input, not each index for itself. It fails otherwise; here that is refused for
// constant indices, and computed ones give a slice of zeros (8-bit: zero points).
type gatherND struct {
	in, indices, out int
	depth            int // indices in a row
	stride           [maxRank]int64
	slices           int64 // in the input
	bytes            int   // of a slice
	zero             byte
}

func prepareGatherND(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	in, indices, out := p.in(0), p.in(1), p.out(0)
	if err := p.movable(in, out); err != nil {
		return nil, err
	}
	if err := p.types(indices, tensor.Int32); err != nil {
		return nil, err
	}
	last := len(indices.Shape) - 1
	if last < 0 || len(in.Shape) == 0 {
		return nil, p.invalid(indices, fmt.Sprintf("shapes %v of %v", indices.Shape, in.Shape), "dimensions")
	}
	depth := indices.Shape[last]
	if depth > len(in.Shape) {
		return nil, p.invalid(indices, fmt.Sprintf("%d indices", depth), fmt.Sprintf("at most %d", len(in.Shape)))
	}
	if err := p.shape(out, slices.Concat(indices.Shape[:last], in.Shape[depth:])); err != nil {
		return nil, err
	}
	g := &gatherND{in: in.id, indices: indices.id, out: out.id, depth: depth, slices: 1, bytes: in.size(), zero: in.zeroByte()}
	for _, n := range in.Shape[depth:] {
		g.bytes *= n
	}
	for d := depth - 1; d >= 0; d-- {
		g.stride[d] = g.slices
		g.slices *= int64(in.Shape[d])
	}
	if indices.Data != nil && depth > 0 {
		for rows := view[int32](indices.Data); len(rows) > 0; rows = rows[depth:] {
			if at := g.at(rows[:depth]); at < 0 || at >= g.slices {
				return nil, p.invalid(indices, fmt.Sprintf("indices %v", rows[:depth]), fmt.Sprintf("a part of %v", in.Shape))
			}
		}
	}
	return g, nil
}

// at is the slice that a row of indices names.
func (g *gatherND) at(row []int32) int64 {
	at := int64(0)
	for d, v := range row {
		at += int64(v) * g.stride[d]
	}
	return at
}

func (g *gatherND) Eval(m *Memory) {
	in, indices, out := m.Tensors[g.in], get[int32](m, g.indices), m.Tensors[g.out]
	for len(out) > 0 {
		at := g.at(indices[:g.depth])
		indices = indices[g.depth:]
		if at >= 0 && at < g.slices {
			copy(out[:g.bytes], in[int(at)*g.bytes:])
		} else {
			fill(out[:g.bytes], g.zero)
		}
		out = out[g.bytes:]
	}
}
