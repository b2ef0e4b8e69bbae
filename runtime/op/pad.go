package op

import (
	"cmp"
	"fmt"

	"kedge/runtime/tensor"
)

// pad is PAD: the input set into a larger tensor whose other elements are 0,
// which for int8 is the output's zero point. It only moves elements, so it works
// on bytes.
type pad struct {
	in, out int
	fill    []byte       // one element
	rank    int          // of the walk over rows: all dimensions but the last
	extent  [maxRank]int // of the input
	stride  [maxRank]int // of the output, in bytes
	start   int          // of the input's first element in the output, in bytes
	row     int          // bytes of the input's last dimension
}

func preparePad(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	in, paddings, out := p.in(0), p.in(1), p.out(0)
	if err := cmp.Or(
		p.types(in, tensor.Int8, tensor.Int16, tensor.Int32, tensor.Float32), p.types(out, in.Type),
		p.types(paddings, tensor.Int32), p.constant(paddings),
	); err != nil {
		return nil, err
	}
	if out.Type == tensor.Int8 {
		if err := p.quantized(out); err != nil {
			return nil, err
		}
	}
	amounts, err := p.int32s(paddings)
	if err != nil {
		return nil, err
	}
	if len(in.Shape) == 0 || len(amounts) != 2*len(in.Shape) {
		return nil, p.invalid(paddings, fmt.Sprintf("%d values", len(amounts)), fmt.Sprintf("2 for each dimension of %v", in.Shape))
	}
	want := make(tensor.Shape, len(in.Shape))
	for d, n := range in.Shape {
		before, after := amounts[2*d], amounts[2*d+1]
		total := int64(n) + int64(before) + int64(after)
		if before < 0 || after < 0 || total > 1<<31-1 {
			return nil, p.invalid(paddings, fmt.Sprintf("padding %d and %d", before, after), "none below 0 or beyond 2^31")
		}
		want[d] = int(total)
	}
	if err := p.shape(out, want); err != nil {
		return nil, err
	}
	return layPad(in, out, amounts), nil
}

// layPad computes where the input's rows come to lie.
func layPad(in, out operand, amounts []int32) *pad {
	size := in.Type.Bits() / 8
	last := len(in.Shape) - 1
	q := &pad{in: in.id, out: out.id, rank: last, row: in.Shape[last] * size}
	q.fill = make([]byte, size)
	if out.Type == tensor.Int8 {
		q.fill[0] = byte(out.Quant.ZeroPoint())
	}
	stride := size
	for d := last; d >= 0; d-- {
		q.extent[d], q.stride[d] = in.Shape[d], stride
		q.start += int(amounts[2*d]) * stride
		stride *= out.Shape[d]
	}
	return q
}

func (q *pad) Eval(m *Memory) {
	in, out := m.Tensors[q.in], m.Tensors[q.out]
	for n := copy(out, q.fill); n < len(out); n *= 2 {
		copy(out[n:], out[:n])
	}
	var index [maxRank]int
	for at := q.start; len(in) > 0; in = in[q.row:] {
		copy(out[at:], in[:q.row])
		for d := q.rank - 1; d >= 0; d-- {
			at += q.stride[d]
			if index[d]++; index[d] < q.extent[d] {
				break
			}
			at -= q.stride[d] * q.extent[d]
			index[d] = 0
		}
	}
}
