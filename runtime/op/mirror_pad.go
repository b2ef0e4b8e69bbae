package op

import (
	"fmt"

	"kedge/runtime/tensor"
)

// mirrorPad is MIRROR_PAD: what is added before and behind a dimension is its
// content in reverse, beginning with the edge (SYMMETRIC) or the element next to
// it (REFLECT). Behind the end, reflection may be asked to go farther than the
// input reaches: it stays at element 0.
type mirrorPad struct {
	in, out int
	size    int // bytes of an element
	rank    int
	skip    int                  // 1 where the edge is not repeated
	axes    [maxRank]mirroredDim // outermost first
}

// mirroredDim is one dimension: input elements n, stride bytes apart, before of
// the output's total positions in front of them.
type mirroredDim struct{ n, before, total, stride int }

func prepareMirrorPad(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	if err := p.movable(in, out); err != nil {
		return nil, err
	}
	amounts, err := p.paddings(p.in(1), in.Shape, tensor.Int32, tensor.Int64)
	if err != nil {
		return nil, err
	}
	if err := p.shape(out, padded(in.Shape, amounts)); err != nil {
		return nil, err
	}
	m := &mirrorPad{in: in.id, out: out.id, size: in.size(), rank: len(in.Shape)}
	switch mode := p.Operator.Options.Byte(0, 0); mode {
	case 0: // REFLECT
		m.skip = 1
	case 1: // SYMMETRIC
	default:
		return nil, p.invalid(operand{}, fmt.Sprintf("mode %d", mode), "0 (REFLECT) or 1 (SYMMETRIC)")
	}
	strides := elementStrides(in.Shape)
	for d, n := range in.Shape {
		before := int(amounts[2*d])
		if before > max(n-m.skip, 0) || n == 0 && out.Shape[d] > 0 {
			return nil, p.invalid(p.in(1), fmt.Sprintf("padding %d and %d", before, amounts[2*d+1]), fmt.Sprintf("what %v has to mirror", in.Shape))
		}
		m.axes[d] = mirroredDim{n, before, out.Shape[d], strides[d] * m.size}
	}
	return m, nil
}

// at is where position i of the output comes from, in bytes.
func (d *mirroredDim) at(i, skip int) int {
	switch i -= d.before; {
	case i < 0:
		i = skip - 1 - i
	case i >= d.n:
		i = max(2*d.n-1-skip-i, 0)
	}
	return i * d.stride
}

func (q *mirrorPad) Eval(m *Memory) {
	in, out := m.Tensors[q.in], m.Tensors[q.out]
	var index [maxRank]int
	row := mirroredDim{n: 1, total: 1}
	if q.rank > 0 {
		row = q.axes[q.rank-1]
	}
	for len(out) > 0 {
		from := 0
		for d := range q.rank - 1 {
			from += q.axes[d].at(index[d], q.skip)
		}
		for i := range row.total {
			at := from + row.at(i, q.skip)
			copy(out[:q.size], in[at:])
			out = out[q.size:]
		}
		for d := q.rank - 2; d >= 0; d-- {
			if index[d]++; index[d] < q.axes[d].total {
				break
			}
			index[d] = 0
		}
	}
}
