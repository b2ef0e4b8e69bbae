package graph

import (
	"fmt"

	"kedge/runtime/tensor"
)

// StridedSlice takes Count[i] elements of dimension i, beginning at Begin[i]
// (0 ≤ Begin < dimension) and Stride[i] apart; a stride may be negative, never 0.
// The rank stays.
type StridedSlice struct {
	Begin, Count, Stride []int
}

// Name implements Op. Strides of one are TFLite's SLICE.
func (op StridedSlice) Name() string {
	for _, s := range op.Stride {
		if s != 1 {
			return "STRIDED_SLICE"
		}
	}
	return "SLICE"
}

func (op StridedSlice) infer(g *Graph, n *Node) ([]tensor.Shape, error) {
	in, err := operands(g, n, 1)
	if err != nil {
		return nil, err
	}
	x := in[0].Shape
	for _, f := range []struct {
		name string
		list []int
	}{{"begin", op.Begin}, {"count", op.Count}, {"stride", op.Stride}} {
		if err := checkList(f.name, f.list, x); err != nil {
			return nil, err
		}
	}
	out := make(tensor.Shape, len(x))
	for d := range x {
		if !within(op.Begin[d], op.Count[d], op.Stride[d], x[d]) {
			return nil, fmt.Errorf("%w: %d elements from %d, %d apart, of the %d in dimension %d", ErrInvalid, op.Count[d], op.Begin[d], op.Stride[d], x[d], d)
		}
		out[d] = op.Count[d]
	}
	return []tensor.Shape{out}, nil
}

// within reports whether all elements taken lie in 0 … size−1. Nothing here
// can overflow: a size is below 2³¹.
func within(begin, count, stride, size int) bool {
	if begin < 0 || begin >= size || count < 1 || count > size || stride == 0 {
		return false
	}
	if stride > 0 {
		return count-1 <= (size-1-begin)/stride
	}
	return stride > -1<<31 && count-1 <= begin/-stride
}

func (op StridedSlice) eval(e *Executor, n *Node) {
	from := strides(e.g.Tensor(n.Inputs[0]).Shape)
	base, steps := 0, make([]int, len(from))
	for d, s := range from {
		base += op.Begin[d] * s
		steps[d] = op.Stride[d] * s
	}
	gather(e.values[n.Outputs[0]], e.g.Tensor(n.Outputs[0]).Shape, e.values[n.Inputs[0]], base, steps)
}
