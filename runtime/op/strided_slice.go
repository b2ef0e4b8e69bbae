package op

import (
	"fmt"
	"math"

	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// Fields of STRIDED_SLICE's options.
const (
	maskBegin = iota
	maskEnd
	maskEllipsis
	maskNewAxis
	maskShrink
	sliceOffset
)

// prepareStridedSlice prepares STRIDED_SLICE: along each dimension the elements
// from begin to before end, step by step. Negative positions count from the end,
// positions beyond the input are taken back to its edge, and the masks replace
// begin or end by the edge, keep one element and drop the dimension, insert a
// dimension, or stand for all dimensions that are not named.
//
// TensorFlow Lite Micro leaves out the last two masks; they follow TensorFlow.
func prepareStridedSlice(p *Prep) (Evaluator, error) {
	if err := p.arity(4, 4, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	if err := p.movable(in, out); err != nil {
		return nil, err
	}
	if p.Operator.Options.Bool(sliceOffset, false) {
		return nil, p.unsupported(operand{}, "ends relative to begins", "absolute ends")
	}
	s := sliceSpec{p: p, in: in, strides: elementStrides(in.Shape)}
	if err := s.read(); err != nil {
		return nil, err
	}
	if err := s.resolve(); err != nil {
		return nil, err
	}
	if err := p.shape(out, s.shape); err != nil {
		return nil, err
	}
	if out.elements() == 0 {
		s.start = 0
	}
	return layStrided(in, out, s.start, s.loops), nil
}

// sliceSpec is a slice being resolved, dimension by dimension.
type sliceSpec struct {
	p                *Prep
	in               operand
	begin, end, step []int64
	strides          [maxRank]int

	dim   int // of the input, the next to be resolved
	start int // in elements
	loops []loop
	shape tensor.Shape
}

func (s *sliceSpec) read() error {
	n := s.p.in(1).elements()
	for i, to := range []*[]int64{&s.begin, &s.end, &s.step} {
		var err error
		if *to, err = s.p.constants(s.p.in(1+i), n, tensor.Int32); err != nil {
			return err
		}
	}
	if n > 2*maxRank {
		return s.p.invalid(s.p.in(1), fmt.Sprintf("%d values", n), "one for each dimension")
	}
	return nil
}

func maskBit(o tflite.Table, field, i int) bool { return o.Int32(field, 0)>>i&1 != 0 }

// resolve goes through the values. What they do not name is taken whole, at the
// ellipsis or else at the end.
func (s *sliceSpec) resolve() error {
	o := s.p.Operator.Options
	named := 0
	for i := range s.begin {
		if !maskBit(o, maskEllipsis, i) && !maskBit(o, maskNewAxis, i) {
			named++
		}
	}
	rest := len(s.in.Shape) - named
	if rest < 0 {
		return s.p.invalid(s.p.in(1), fmt.Sprintf("%d values", named), fmt.Sprintf("at most %d", len(s.in.Shape)))
	}
	ellipsis := false
	for i := range s.begin {
		switch {
		case maskBit(o, maskEllipsis, i):
			if ellipsis {
				return s.p.invalid(operand{}, fmt.Sprintf("ellipsis mask %b", o.Int32(maskEllipsis, 0)), "one bit")
			}
			ellipsis = true
			s.whole(rest)
		case maskBit(o, maskNewAxis, i):
			s.shape = append(s.shape, 1)
		default:
			if err := s.named(i); err != nil {
				return err
			}
		}
	}
	s.whole(len(s.in.Shape) - s.dim)
	return nil
}

// whole takes the next n dimensions as they are.
func (s *sliceSpec) whole(n int) {
	for range n {
		s.take(0, 1, s.in.Shape[s.dim], false)
	}
}

// take takes count elements of the next dimension.
func (s *sliceSpec) take(start, step int64, count int, drop bool) {
	stride := 0
	if count > 1 {
		stride = int(step) * s.strides[s.dim] // step < extent, so within the input
	}
	s.start += int(start) * s.strides[s.dim]
	s.loops = append(s.loops, loop{count, stride})
	if !drop {
		s.shape = append(s.shape, count)
	}
	s.dim++
}

// named resolves the next dimension by value i.
func (s *sliceSpec) named(i int) error {
	o := s.p.Operator.Options
	n, step := int64(s.in.Shape[s.dim]), s.step[i]
	if step == 0 {
		return s.p.invalid(s.p.in(3), "stride 0", "any other")
	}
	start := edge(s.begin[i], n, step)
	if maskBit(o, maskBegin, i) {
		start = edge(first(step), n, step)
	}
	if maskBit(o, maskShrink, i) {
		if step < 0 || start >= n {
			return s.p.invalid(s.p.in(1), fmt.Sprintf("position %d, stride %d", s.begin[i], step), fmt.Sprintf("one of %d elements, a positive stride", n))
		}
		s.take(start, 1, 1, true)
		return nil
	}
	end := edge(s.end[i], n, step)
	if maskBit(o, maskEnd, i) {
		end = edge(first(-step), n, step)
	}
	count := (end - start + step - 1) / step
	if step < 0 {
		count = (start - end - step - 1) / -step
	}
	s.take(start, step, int(max(count, 0)), false)
	return nil
}

// first is a position before anything else in the direction of step.
func first(step int64) int64 {
	if step > 0 {
		return math.MinInt32 * 2
	}
	return math.MaxInt32
}

// edge resolves position v on n elements: one counted from the end, and one
// beyond either edge, where a walk by step begins or ends there.
func edge(v, n, step int64) int64 {
	if v < 0 {
		v += n
	}
	if step > 0 {
		return min(max(v, 0), n)
	}
	return min(max(v, -1), n-1)
}
