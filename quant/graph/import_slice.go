package graph

import (
	"fmt"
	"math"

	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// Fields of STRIDED_SLICE's options: bit i of a mask is about value i of the
// operands.
const (
	maskBegin    = iota // from the edge
	maskEnd             // up to the edge
	maskEllipsis        // stands for all dimensions that are not named
	maskNewAxis         // a new dimension of extent 1
	maskShrink          // one element, and the dimension goes
	fieldOffset         // ends are relative to begins
)

// importSlice reads SLICE and STRIDED_SLICE. Where dimensions come or go a
// Reshape follows.
func importSlice(r *reader, o *tflite.Operator) error {
	op, shape, err := r.slice(o)
	if err != nil {
		return err
	}
	cut := make(tensor.Shape, len(op.Count))
	copy(cut, op.Count)
	if cut.Equal(shape) {
		return r.add(op, ids(o.Inputs[:1]), ids(o.Outputs))
	}
	part, err := r.temporary(TensorID(o.Outputs[0]), "/cut")
	if err != nil {
		return err
	}
	if err := r.add(op, ids(o.Inputs[:1]), []TensorID{part}); err != nil {
		return err
	}
	return r.add(Reshape{Shape: shape}, []TensorID{part}, ids(o.Outputs))
}

// slice gives what a slicing operator takes, and the shape it gives that.
func (r *reader) slice(o *tflite.Operator) (StridedSlice, tensor.Shape, error) {
	x := r.g.Tensor(TensorID(o.Inputs[0])).Shape
	lists := make([][]int, len(o.Inputs)-1)
	for i := range lists {
		var err error
		if lists[i], err = r.integers(TensorID(o.Inputs[i+1]), maxList); err != nil {
			return StridedSlice{}, nil, err
		}
		if len(lists[i]) != len(lists[0]) {
			return StridedSlice{}, nil, fmt.Errorf("%w: %d and %d values to slice by", ErrInvalid, len(lists[0]), len(lists[i]))
		}
	}
	if o.Code == tflite.Slice {
		op, err := sliced(x, lists[0], lists[1])
		return op, tensor.Shape(op.Count), err
	}
	s := stridedSlice{x: x, options: o.Options, begin: lists[0], end: lists[1], stride: lists[2]}
	err := s.resolve()
	return s.op, s.shape, err
}

// sliced is SLICE: so many elements from begin, −1 for the rest.
func sliced(x tensor.Shape, begin, size []int) (StridedSlice, error) {
	var op StridedSlice
	if len(begin) != len(x) {
		return op, fmt.Errorf("%w: %d values to slice %v by", ErrInvalid, len(begin), x)
	}
	for i, n := range x {
		count := size[i]
		if count == -1 {
			count = n - begin[i]
		}
		if begin[i] < 0 || count < 1 || count > n-begin[i] {
			return op, fmt.Errorf("%w: %d elements from %d of dimension %d of %v", ErrInvalid, size[i], begin[i], i, x)
		}
		op.take(begin[i], count, 1)
	}
	return op, nil
}

// take resolves the next dimension.
func (op *StridedSlice) take(begin, count, stride int) {
	op.Begin, op.Count, op.Stride = append(op.Begin, begin), append(op.Count, count), append(op.Stride, stride)
}

// stridedSlice is a STRIDED_SLICE being resolved, dimension by dimension.
type stridedSlice struct {
	x                  tensor.Shape
	options            tflite.Table
	begin, end, stride []int

	op    StridedSlice
	shape tensor.Shape
}

func (s *stridedSlice) mask(field, i int) bool { return i < 32 && s.options.Int32(field, 0)>>i&1 != 0 }

// resolve goes through the values. What they do not name is taken whole, at the
// ellipsis or else at the end.
func (s *stridedSlice) resolve() error {
	if s.options.Bool(fieldOffset, false) {
		return fmt.Errorf("%w: ends relative to begins", ErrUnsupported)
	}
	named, ellipses := 0, 0
	for i := range s.begin {
		switch {
		case s.mask(maskEllipsis, i):
			ellipses++
		case !s.mask(maskNewAxis, i):
			named++
		}
	}
	if named > len(s.x) || ellipses > 1 {
		return fmt.Errorf("%w: %d dimensions and %d ellipses to slice %v by", ErrInvalid, named, ellipses, s.x)
	}
	s.shape = tensor.Shape{}
	for i := range s.begin {
		switch {
		case s.mask(maskEllipsis, i):
			s.whole(len(s.x) - named)
		case s.mask(maskNewAxis, i):
			s.shape = append(s.shape, 1)
		default:
			if err := s.dimension(i); err != nil {
				return err
			}
		}
	}
	s.whole(len(s.x) - len(s.op.Begin))
	return nil
}

// whole takes the next n dimensions as they are.
func (s *stridedSlice) whole(n int) {
	for range n {
		d := s.x[len(s.op.Begin)]
		s.op.take(0, d, 1)
		s.shape = append(s.shape, d)
	}
}

// dimension resolves the next dimension by value i.
func (s *stridedSlice) dimension(i int) error {
	n, stride := s.x[len(s.op.Begin)], s.stride[i]
	if stride == 0 {
		return fmt.Errorf("%w: stride 0", ErrInvalid)
	}
	begin, end := edge(s.begin[i], n, stride), edge(s.end[i], n, stride)
	if s.mask(maskBegin, i) {
		begin = edge(farthest(-stride), n, stride)
	}
	if s.mask(maskEnd, i) {
		end = edge(farthest(stride), n, stride)
	}
	if s.mask(maskShrink, i) {
		if stride < 0 || begin >= n {
			return fmt.Errorf("%w: element %d of %d, stride %d", ErrInvalid, s.begin[i], n, stride)
		}
		s.op.take(begin, 1, 1)
		return nil
	}
	count := (end - begin + stride - 1) / stride
	if stride < 0 {
		count = (begin - end - stride - 1) / -stride
	}
	if count < 1 {
		return fmt.Errorf("%w: nothing from %d to %d by %d of %d elements", ErrInvalid, s.begin[i], s.end[i], stride, n)
	}
	s.op.take(begin, count, stride)
	s.shape = append(s.shape, count)
	return nil
}

// farthest is a position beyond all others in the direction of stride.
func farthest(stride int) int {
	if stride > 0 {
		return math.MaxInt32
	}
	return math.MinInt32 // stays below 0 whatever extent is added
}

// edge resolves position v of n elements: those below 0 count from the end, and
// those beyond an edge are taken back to where a walk by stride begins or ends.
func edge(v, n, stride int) int {
	if v < 0 {
		v += n
	}
	if stride > 0 {
		return min(max(v, 0), n)
	}
	return min(max(v, -1), n-1)
}
