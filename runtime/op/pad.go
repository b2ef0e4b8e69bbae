package op

import (
	"cmp"
	"fmt"

	"kedge/runtime/tensor"
)

// pad is PAD and PADV2: the input set into a larger tensor whose other elements
// are PADV2's value, or for PAD 0, which 8-bit types state as the output's zero
// point. It only moves elements, so it works on bytes.
type pad struct {
	in, out int
	value   int          // tensor of the value, or -1
	fill    []byte       // one element, where there is no such tensor
	rank    int          // of the walk over rows: all dimensions but the last
	extent  [maxRank]int // of the input
	stride  [maxRank]int // of the output, in bytes
	start   int          // of the input's first element in the output, in bytes
	row     int          // bytes of the input's last dimension
}

// preparePad prepares both operators: the reference tells them by the presence
// of the value, not by name.
func preparePad(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 3, 1); err != nil {
		return nil, err
	}
	in, paddings, value, out := p.in(0), p.in(1), p.in(2), p.out(0)
	if err := p.movable(in, out); err != nil {
		return nil, err
	}
	if err := p.padValue(value, out); err != nil {
		return nil, err
	}
	if len(in.Shape) == 0 {
		return nil, p.invalid(in, "a scalar", "dimensions")
	}
	amounts, err := p.paddings(paddings, in.Shape, tensor.Int32, tensor.Int64)
	if err != nil {
		return nil, err
	}
	if err := p.shape(out, padded(in.Shape, amounts)); err != nil {
		return nil, err
	}
	q := layPad(in, out, amounts)
	if value.given() {
		q.value = value.id
	}
	p.Pads = p.padding(in, value, out, amounts)
	return q, nil
}

// padValue checks that the padding can be stated in the output's quantization.
func (p *Prep) padValue(value, out operand) error {
	if !value.given() {
		if out.Type == tensor.Int8 || out.Type == tensor.Uint8 && len(out.Quant.Scales) > 0 {
			return p.quantized(out)
		}
		return nil
	}
	if value.elements() != 1 {
		return p.invalid(value, fmt.Sprintf("shape %v", value.Shape), "one element")
	}
	return cmp.Or(p.types(value, out.Type), p.keepsQuant8(value, out))
}

// paddings decodes a constant of pairs, how many elements to add before and
// behind each dimension of s.
func (p *Prep) paddings(t operand, s tensor.Shape, types ...tensor.Type) ([]int64, error) {
	amounts, err := p.constants(t, 2*len(s), types...)
	if err != nil {
		return nil, err
	}
	for d, n := range s {
		before, after := amounts[2*d], amounts[2*d+1]
		const most = 1<<31 - 1
		if before < 0 || after < 0 || before > most || after > most || int64(n)+before+after > most {
			return nil, p.invalid(t, fmt.Sprintf("padding %d and %d", before, after), "none below 0 or beyond 2^31")
		}
	}
	return amounts, nil
}

// padded is s with its paddings.
func padded(s tensor.Shape, amounts []int64) tensor.Shape {
	out := make(tensor.Shape, len(s))
	for d, n := range s {
		out[d] = n + int(amounts[2*d]+amounts[2*d+1])
	}
	return out
}

// layPad computes where the input's rows come to lie.
func layPad(in, out operand, amounts []int64) *pad {
	size := in.size()
	last := len(in.Shape) - 1
	q := &pad{in: in.id, out: out.id, value: -1, rank: last, row: in.Shape[last] * size}
	for ; q.rank > 0 && amounts[2*q.rank] == 0 && amounts[2*q.rank+1] == 0; q.rank-- {
		q.row *= in.Shape[q.rank-1] // rows without padding between them are one
	}
	q.fill = make([]byte, size)
	fill(q.fill, out.zeroByte())
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
	element := q.fill
	if q.value >= 0 {
		element = m.Tensors[q.value]
	}
	for n := copy(out, element); n < len(out); n *= 2 {
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
