package op

import (
	"encoding/binary"
	"fmt"

	"kedge/runtime/tensor"
)

// movable checks an operator that moves elements without looking at them: one
// type, of whole bytes, on both sides. Such operators ignore quantization.
func (p *Prep) movable(in, out operand) error {
	if err := p.types(in, tensor.Int8, tensor.Uint8, tensor.Int16, tensor.Int32, tensor.Int64, tensor.Bool, tensor.Float32); err != nil {
		return err
	}
	return p.types(out, in.Type)
}

// size is the bytes of one element of a movable type.
func (t operand) size() int { return t.Type.Bits() / 8 }

// zeroByte is the byte that, repeated, stands for 0 in t: the zero point where
// elements are bytes, else 0.
func (t operand) zeroByte() byte {
	if t.Type == tensor.Int8 || t.Type == tensor.Uint8 {
		return byte(t.Quant.ZeroPoint())
	}
	return 0
}

// fill sets every byte.
func fill(b []byte, v byte) {
	for i := range b {
		b[i] = v
	}
}

// loop is one loop of a walk: extent positions, stride elements of the input
// apart. A stride of 0 repeats, a negative one goes backward.
type loop struct{ extent, stride int }

// maxLoops is the most loops of a walk: dimensions may be split into two.
const maxLoops = 2 * maxRank

// strided fills its output in order from an input that is read in regular
// steps. Loops that continue each other are one, and what is contiguous in the
// input is moved at once. It works on bytes, whatever the element.
type strided struct {
	in, out        int
	start          int // of the first element in the input, in bytes
	run            int // bytes moved at once
	rank           int
	extent, stride [maxLoops]int // innermost first; strides in bytes of the input
}

// layStrided prepares the walk of loops, outermost first, from element start.
// Their extents multiply to the output's elements.
func layStrided(in, out operand, start int, loops []loop) *strided {
	size := in.size()
	s := &strided{in: in.id, out: out.id, start: start * size, run: size}
	for i := len(loops) - 1; i >= 0; i-- {
		n, stride := loops[i].extent, loops[i].stride*size
		last := s.rank - 1
		switch {
		case n == 1:
		case s.rank == 0 && stride == s.run:
			s.run *= n
		case s.rank > 0 && stride == s.stride[last]*s.extent[last]:
			s.extent[last] *= n
		default:
			s.extent[s.rank], s.stride[s.rank] = n, stride
			s.rank++
		}
	}
	return s
}

func (s *strided) Eval(m *Memory) {
	m.share(s, len(m.Tensors[s.out]), movedPerPart*min(max(s.run, 1), mostRun))
}

// Part implements kernel.Job: parts have a range of the outermost loop each.
func (s *strided) Part(i, parts int, operands any) {
	m, at := operands.(*Memory), s.start
	in, out := m.Tensors[s.in], m.Tensors[s.out]
	if parts == 1 {
		s.move(out, in, at)
		return
	}
	piece, outer, unit := *s, max(s.rank-1, 0), 1
	if s.interleaves() && outer == 1 {
		unit = 8 // so that words stay aligned
	}
	n := max(s.extent[outer], 1) // 1 in place of no loop
	first, end := portion(n, i, parts, unit), portion(n, i+1, parts, unit)
	if first == end {
		return
	}
	piece.extent[outer] = end - first
	size := len(out) / n
	piece.move(out[first*size:end*size], in, at+first*s.stride[outer])
}

// move fills out from in, beginning at byte position at.
func (s *strided) move(out, in []byte, at int) {
	var index [maxLoops]int
	inner := 1
	if s.interleaves() {
		inner = 2
	}
	for len(out) > 0 {
		if inner == 2 {
			out = s.interleave(out, in, at)
		} else {
			out = s.row(out, in, at)
		}
		for d := inner; d < s.rank; d++ {
			at += s.stride[d]
			if index[d]++; index[d] < s.extent[d] {
				break
			}
			at -= s.stride[d] * s.extent[d]
			index[d] = 0
		}
	}
}

// interleaves reports whether the two innermost loops weave a few planes of bytes
// into each other, as a change from channels first to channels last does.
func (s *strided) interleaves() bool {
	return s.run == 1 && s.rank > 1 && s.stride[1] == 1 && s.extent[0] < s.extent[1]
}

// interleave does the two innermost loops, the longer of them inside, and returns
// what it left of out.
func (s *strided) interleave(out, in []byte, at int) []byte {
	n, planes := s.extent[1], s.extent[0]
	block, done := out[:n*planes], 0
	if planes == 3 {
		done = weave3(block, in[at:at+n], in[at+s.stride[0]:][:n], in[at+2*s.stride[0]:][:n])
	}
	for p := range planes {
		to := p + done*planes
		for _, v := range in[at+done : at+n] {
			block[to] = v
			to += planes
		}
		at += s.stride[0]
	}
	return out[n*planes:]
}

// row does the innermost loop and returns what it left of out.
func (s *strided) row(out, in []byte, at int) []byte {
	switch {
	case s.rank == 0:
		copy(out[:s.run], in[at:])
		return out[s.run:]
	case s.run == 1:
		row := out[:s.extent[0]]
		for i := range row {
			row[i] = in[at]
			at += s.stride[0]
		}
		return out[s.extent[0]:]
	}
	for range s.extent[0] {
		copy(out[:s.run], in[at:])
		out = out[s.run:]
		at += s.stride[0]
	}
	return out
}

// elementStrides are the distances, in elements, between neighbors along each
// dimension of s. Its elements have been counted.
func elementStrides(s tensor.Shape) (strides [maxRank]int) {
	n := 1
	for d := len(s) - 1; d >= 0; d-- {
		strides[d] = n
		n *= s[d]
	}
	return strides
}

// axis resolves an axis counted from either end of rank dimensions. A zero t
// stands for the operator's options.
func (p *Prep) axis(t operand, a int64, rank int) (int, error) {
	found := a
	if a < 0 {
		a += int64(rank)
	}
	if a < 0 || a >= int64(rank) {
		return 0, p.invalid(t, fmt.Sprintf("axis %d", found), fmt.Sprintf("one of %d dimensions", rank))
	}
	return int(a), nil
}

// constantAxis is the axis that a constant of one int32 names.
func (p *Prep) constantAxis(t operand, rank int) (int, error) {
	v, err := p.constants(t, 1, tensor.Int32)
	if err != nil {
		return 0, err
	}
	return p.axis(t, v[0], rank)
}

// constants decodes a constant of n values of one of the given integer types.
func (p *Prep) constants(t operand, n int, types ...tensor.Type) ([]int64, error) {
	if err := p.types(t, types...); err != nil {
		return nil, err
	}
	if t.elements() != n {
		return nil, p.invalid(t, fmt.Sprintf("%d values", t.elements()), fmt.Sprint(n))
	}
	if err := p.constant(t); err != nil {
		return nil, err
	}
	if err := p.Budget.Spend(n, 8); err != nil {
		return nil, err
	}
	values := make([]int64, n)
	for i := range values {
		switch t.Type {
		case tensor.Int8:
			values[i] = int64(int8(t.Data[i]))
		case tensor.Int16:
			values[i] = int64(int16(binary.LittleEndian.Uint16(t.Data[2*i:])))
		case tensor.Int64:
			values[i] = int64(binary.LittleEndian.Uint64(t.Data[8*i:]))
		default:
			values[i] = int64(int32(binary.LittleEndian.Uint32(t.Data[4*i:])))
		}
	}
	return values, nil
}
