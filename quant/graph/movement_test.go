package graph

import (
	"slices"
	"testing"

	"kedge/runtime/tensor"
)

func TestTransposeAgainstDefinition(t *testing.T) {
	r := seeded()
	for range 300 {
		x := randomArray(r, randomShape(r, 0, 5)...)
		perm := r.Perm(len(x.shape))
		shape := make(tensor.Shape, len(perm))
		for i, p := range perm {
			shape[i] = x.shape[p]
		}
		want := newArray(shape...).fill(func(index []int) float32 {
			from := make([]int, len(perm))
			for i, p := range perm {
				from[p] = index[i]
			}
			return x.at(from)
		})
		sameArray(t, perm, run(t, Transpose{Perm: perm}, 1, x)[0], want, 0)
	}
}

func TestReshapeKeepsElements(t *testing.T) {
	x := randomArray(seeded(), 2, 3, 4)
	for _, shape := range []tensor.Shape{{24}, {4, 3, 2}, {1, 24, 1}, {2, 3, 4}} {
		got := run(t, Reshape{Shape: shape}, 1, x)[0]
		sameArray(t, shape, got, array{shape: shape, v: x.v}, 0)
	}
	sameArray(t, "scalar", run(t, Reshape{Shape: tensor.Shape{}}, 1, row(5))[0], array{v: []float32{5}}, 0)
}

// Splitting and joining again gives the input, and each part holds what its
// place says.
func TestSplitAndConcatenationAgainstDefinition(t *testing.T) {
	r := seeded()
	for range 300 {
		x := randomArray(r, randomShape(r, 1, 4)...)
		axis := r.IntN(len(x.shape))
		var sizes []int
		for rest := x.shape[axis]; rest > 0; {
			size := 1 + r.IntN(rest)
			sizes, rest = append(sizes, size), rest-size
		}
		parts, begin := run(t, Split{Axis: axis, Sizes: sizes}, len(sizes), x), 0
		for i, size := range sizes {
			shape := slices.Clone(x.shape)
			shape[axis] = size
			want := newArray(shape...).fill(func(index []int) float32 {
				from := slices.Clone(index)
				from[axis] += begin
				return x.at(from)
			})
			sameArray(t, sizes, parts[i], want, 0)
			begin += size
			parts[i] = array{shape: parts[i].shape, v: slices.Clone(parts[i].v), constant: i%2 == 1}
		}
		sameArray(t, sizes, run(t, Concatenation{Axis: axis}, 1, parts...)[0], x, 0)
	}
}

func TestStridedSliceAgainstDefinition(t *testing.T) {
	r := seeded()
	for range 300 {
		x := randomArray(r, randomShape(r, 0, 4)...)
		op := StridedSlice{Begin: []int{}, Count: []int{}, Stride: []int{}}
		for _, size := range x.shape {
			begin, stride := r.IntN(size), r.IntN(7)-3
			if stride == 0 {
				stride = 1
			}
			room := size - 1 - begin
			if stride < 0 {
				room = begin
			}
			most := room/max(stride, -stride) + 1
			op.Begin, op.Stride, op.Count = append(op.Begin, begin), append(op.Stride, stride), append(op.Count, 1+r.IntN(most))
		}
		want := newArray(op.Count...).fill(func(index []int) float32 {
			from := make([]int, len(index))
			for d, i := range index {
				from[d] = op.Begin[d] + i*op.Stride[d]
			}
			return x.at(from)
		})
		sameArray(t, op, run(t, op, 1, x)[0], want, 0)
	}
}

func TestPadAgainstDefinition(t *testing.T) {
	r := seeded()
	for i := range 600 {
		x := randomArray(r, randomShape(r, 0, 4)...)
		op := Pad{Mode: PadMode(i % 3), Value: float32(i % 2), Before: []int{}, After: []int{}}
		shape := tensor.Shape{}
		for _, size := range x.shape {
			most := min(op.most(size), 4)
			before, after := r.IntN(most+1), r.IntN(most+1)
			op.Before, op.After = append(op.Before, before), append(op.After, after)
			shape = append(shape, before+size+after)
		}
		want := newArray(shape...).fill(func(index []int) float32 {
			from := make([]int, len(index))
			for d, i := range index {
				at, size := i-op.Before[d], x.shape[d]
				if at < 0 || at >= size {
					switch op.Mode {
					case PadConstant:
						return op.Value
					case PadReflect: // a triangle of period 2(size−1)
						at = ((at % (2*size - 2)) + 2*size - 2) % (2*size - 2)
						at = min(at, 2*size-2-at)
					case PadSymmetric: // of period 2·size, each end twice
						at = (at%(2*size) + 2*size) % (2 * size)
						at = min(at, 2*size-1-at)
					}
				}
				from[d] = at
			}
			return x.at(from)
		})
		sameArray(t, op, run(t, op, 1, x)[0], want, 0)
	}
}

func TestPadRows(t *testing.T) {
	x := row(1, 2, 3)
	for _, c := range []struct {
		op   Pad
		want array
	}{
		{Pad{Before: []int{1}, After: []int{2}, Value: 9}, row(9, 1, 2, 3, 9, 9)},
		{Pad{Before: []int{2}, After: []int{2}, Mode: PadReflect}, row(3, 2, 1, 2, 3, 2, 1)},
		{Pad{Before: []int{3}, After: []int{2}, Mode: PadSymmetric}, row(3, 2, 1, 1, 2, 3, 3, 2)},
	} {
		sameArray(t, c.op, run(t, c.op, 1, x)[0], c.want, 0)
	}
}
