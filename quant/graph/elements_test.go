package graph

import (
	"errors"
	"math"
	"strings"
	"testing"

	"kedge/runtime/tensor"
)

// TestElementsRefuse: malformed operators are errors that say what was found,
// whatever the fields hold.
func TestElementsRefuse(t *testing.T) {
	const huge = math.MaxInt
	x, scalar, image := newArray(2, 3), newArray(), newArray(1, 2, 2, 1)
	empty := array{shape: tensor.Shape{0, 3}, v: []float32{}, constant: true}
	alpha := array{shape: tensor.Shape{3}, v: make([]float32, 3), constant: true}
	wide := array{shape: tensor.Shape{4, 2, 3}, v: make([]float32, 24), constant: true}
	for _, c := range []struct {
		op   Op
		in   []array
		says string
	}{
		{Binary{}, []array{x}, "1 inputs, want 2"},
		{Binary{}, []array{x, newArray(2)}, "do not broadcast: 3 against 2"},
		{Binary{}, []array{x, empty}, "[0,3]"},
		{Binary{Kind: 99}, []array{x, x}, "kind 99"},
		{Binary{Kind: Maximum, Activation: ReLU}, []array{x, x}, "relu"},
		{Unary{}, nil, "0 inputs, want 1"},
		{Unary{Kind: 200}, []array{x}, "kind 200"},
		{LeakyReLU{}, []array{x, x}, "2 inputs, want 1"},
		{LeakyReLU{Alpha: float32(math.NaN())}, []array{x}, "alpha NaN"},
		{LeakyReLU{Alpha: float32(math.Inf(1))}, []array{x}, "alpha +Inf"},
		{PReLU{}, []array{x}, "1 inputs, want 2"},
		{PReLU{}, []array{newArray(2, 4), alpha}, "do not broadcast"},
		{PReLU{}, []array{x, wide}, "does not broadcast"},
		{LogSoftmax{}, []array{scalar}, "scalar"},
		{L2Normalization{}, []array{scalar}, "scalar"},
		{L2Normalization{}, []array{x, x}, "2 inputs"},
		{Reshape{Shape: tensor.Shape{5}}, []array{x}, "6 elements"},
		{Reshape{Shape: tensor.Shape{-1}}, []array{x}, "[-1]"},
		{Reshape{Shape: tensor.Shape{huge, huge}}, []array{x}, "6 elements"},
		{Transpose{Perm: []int{0}}, []array{x}, "1 entries in perm"},
		{Transpose{Perm: []int{1, 1}}, []array{x}, "[1 1]"},
		{Transpose{Perm: []int{0, 2}}, []array{x}, "[0 2]"},
		{Transpose{Perm: []int{0, -1}}, []array{x}, "[0 -1]"},
		{Concatenation{Axis: 2}, []array{x, x}, "axis 2"},
		{Concatenation{Axis: -1}, []array{x, x}, "axis -1"},
		{Concatenation{}, nil, "no inputs"},
		{Concatenation{}, []array{scalar}, "axis 0"},
		{Concatenation{}, []array{x, newArray(2, 4)}, "[2,4]"},
		{Concatenation{}, []array{x, newArray(2)}, "[2]"},
		{Concatenation{}, []array{x, empty}, "[0,3]"},
		{Split{Axis: 2, Sizes: []int{1}}, []array{x}, "axis 2"},
		{Split{Axis: 1}, []array{x}, "leave 3"},
		{Split{Axis: 1, Sizes: []int{1, 1}}, []array{x}, "leave 1"},
		{Split{Axis: 1, Sizes: []int{2, 2}}, []array{x}, "part 1 has 2 of the 1"},
		{Split{Axis: 1, Sizes: []int{4, -1}}, []array{x}, "part 0 has 4"},
		{Split{Axis: 1, Sizes: []int{3, 0}}, []array{x}, "part 1 has 0"},
		{StridedSlice{Begin: []int{0, 0}, Count: []int{1, 1}, Stride: []int{1}}, []array{x}, "1 entries in stride"},
		{slice(0, 1, 0), []array{x}, "0 apart"},
		{slice(3, 1, 1), []array{x}, "from 3"},
		{slice(-1, 1, 1), []array{x}, "from -1"},
		{slice(1, 3, 1), []array{x}, "3 elements from 1"},
		{slice(1, 2, 2), []array{x}, "2 elements from 1, 2 apart"},
		{slice(1, 3, -1), []array{x}, "3 elements from 1"},
		{slice(0, 0, 1), []array{x}, "0 elements"},
		{slice(0, huge, 1), []array{x}, "of the 3 in dimension 1"},
		{slice(0, 2, huge), []array{x}, "of the 3 in dimension 1"},
		{slice(2, 2, math.MinInt), []array{x}, "of the 3 in dimension 1"},
		{Pad{Before: []int{0}, After: []int{0, 0}}, []array{x}, "1 entries in before"},
		{Pad{Before: []int{0, 0}}, []array{x}, "0 entries in after"},
		{Pad{Before: []int{0, -1}, After: []int{0, 0}}, []array{x}, "-1 before"},
		{Pad{Before: []int{0, 0}, After: []int{0, huge}}, []array{x}, "dimension 1"},
		{Pad{Before: []int{0, 1 << 30}, After: []int{0, 1 << 30}}, []array{x}, "2147483651 elements"},
		{Pad{Before: []int{1 << 20, 0}, After: []int{0, 1 << 20}}, []array{x}, "would have shape"},
		{Pad{Before: []int{0, 0}, After: []int{0, 3}, Mode: PadReflect}, []array{x}, "want 0 to 2"},
		{Pad{Before: []int{0, 4}, After: []int{0, 0}, Mode: PadSymmetric}, []array{x}, "want 0 to 3"},
		{Pad{Before: []int{0, 0}, After: []int{0, 0}, Mode: 7}, []array{x}, "mode 7"},
		{Pad{Before: []int{0, 0}, After: []int{0, 0}, Value: float32(math.NaN())}, []array{x}, "NaN"},
		{Resize{H: 2, W: 2}, []array{x}, "want (n, h, w, c)"},
		{Resize{H: 0, W: 2}, []array{image}, "0 × 2"},
		{Resize{H: 2, W: huge}, []array{image}, "would have shape"},
		{Resize{H: 2, W: 2, AlignCorners: true, HalfPixelCenters: true}, []array{image}, "both"},
		{Reduce{Kind: 4, Axes: []int{0}}, []array{x}, "kind 4"},
		{Reduce{}, []array{x}, "no axes"},
		{Reduce{Axes: []int{2}}, []array{x}, "axis 2"},
		{Reduce{Axes: []int{-1}}, []array{x}, "axis -1"},
		{Reduce{Axes: []int{1, 0}}, []array{x}, "ascending"},
		{Reduce{Axes: []int{1, 1}}, []array{x}, "ascending"},
	} {
		in := c.in
		if len(in) == 0 {
			in = []array{x} // a graph needs an input, the node does not
		}
		g := build(c.op, 1, in...)
		g.Nodes[0].Inputs = g.Nodes[0].Inputs[:len(c.in)]
		err := g.Infer()
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: got %v, want %v with %q", c.op, err, ErrInvalid, c.says)
		}
	}
}

// slice is a StridedSlice of dimension 1 of two.
func slice(begin, count, stride int) StridedSlice {
	return StridedSlice{Begin: []int{0, begin}, Count: []int{1, count}, Stride: []int{1, stride}}
}

func TestElementsRefuseAbsentOperands(t *testing.T) {
	x := newArray(1, 2, 2, 1)
	for _, op := range []Op{
		Binary{}, Unary{}, LeakyReLU{}, PReLU{}, LogSoftmax{}, L2Normalization{}, Reshape{}, Transpose{}, Concatenation{},
		Split{}, StridedSlice{}, Pad{}, Resize{H: 1, W: 1}, Reduce{Axes: []int{0}}, Quantize{}, Dequantize{},
	} {
		g := build(op, 1, x, x)
		g.Nodes[0].Inputs = []TensorID{None, None}
		if err := g.Infer(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v, want %v", op.Name(), err, ErrInvalid)
		}
	}
}

func TestElementsRefuseWhatIsNotCovered(t *testing.T) {
	x := newArray(2, 3)
	for _, c := range []struct {
		op Op
		in []array
	}{
		{Binary{Activation: 4}, []array{x, x}},
		{Concatenation{Activation: 5}, []array{x, x}},
		{PReLU{}, []array{x, newArray(3)}}, // alpha computed
	} {
		if err := build(c.op, 1, c.in...).Infer(); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%+v: got %v, want %v", c.op, err, ErrUnsupported)
		}
	}
}
