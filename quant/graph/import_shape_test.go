package graph_test

import (
	"testing"

	"kedge/quant/graph"
	"kedge/runtime/runtimetest"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

func TestImportShapes(t *testing.T) {
	x, y := real("x", 1, 6, 1, 4), tensors(real("y"))
	reshape := func(shape ...int) []graph.Op { return []graph.Op{graph.Reshape{Shape: shape}} }
	for _, c := range []struct {
		operator
		want  []graph.Op
		shape tensor.Shape
	}{
		{operator{"reshape", tflite.Reshape, nil, tensors(x, list(2, -1, 4)), nil, y}, reshape(2, 3, 4), tensor.Shape{2, 3, 4}},
		{operator{"reshape by options", tflite.Reshape, []any{[]int{-1, 8}}, tensors(x), nil, y}, reshape(3, 8), tensor.Shape{3, 8}},
		{operator{"the operand counts, not the options", tflite.Reshape, []any{[]int{24}}, tensors(x, list(4, 6)), nil, y}, reshape(4, 6), tensor.Shape{4, 6}},
		{operator{"to a scalar", tflite.Reshape, []any{[]int{0}}, tensors(real("x", 1)), nil, y}, []graph.Op{graph.Reshape{Shape: tensor.Shape{}}}, nil},
		{operator{"a stale operand", tflite.Reshape, nil, tensors(x, list(-1, 7)), nil, tensors(real("y", 1, 24))}, reshape(1, 24), tensor.Shape{1, 24}},
		{operator{"squeeze", tflite.Squeeze, []any{[]int{-2}}, tensors(x), nil, y}, reshape(1, 6, 4), tensor.Shape{1, 6, 4}},
		{operator{"squeeze all", tflite.Squeeze, nil, tensors(x), nil, y}, reshape(6, 4), tensor.Shape{6, 4}},
		{operator{"expand", tflite.ExpandDims, nil, tensors(x, scalar(-1)), nil, y}, reshape(1, 6, 1, 4, 1), tensor.Shape{1, 6, 1, 4, 1}},
		{operator{"concatenation", tflite.Concatenation, []any{-1}, tensors(x, real("z", 1, 6, 1, 2), reals("c", 1, 6, 1, 3)), nil, y},
			[]graph.Op{graph.Concatenation{Axis: 3}}, tensor.Shape{1, 6, 1, 9}},
		{operator{"pack", tflite.Pack, []any{2, -1}, tensors(real("x", 3), reals("c", 3)), nil, y},
			[]graph.Op{graph.Reshape{Shape: tensor.Shape{3, 1}}, graph.Concatenation{Axis: 1}}, tensor.Shape{3, 2}},
		{operator{"pack one", tflite.Pack, []any{1, 0}, tensors(real("x", 3)), nil, y}, reshape(1, 3), tensor.Shape{1, 3}},
		{operator{"split", tflite.Split, []any{2}, tensors(scalar(-3), x), nil, tensors(real("y"), real("z"))},
			[]graph.Op{graph.Split{Axis: 1, Sizes: []int{3, 3}}}, tensor.Shape{1, 3, 1, 4}},
		{operator{"split by sizes", tflite.SplitV, []any{3}, tensors(x, list(1, -1, 2), scalar(1)), nil, tensors(real("y"), real("z"), real("u"))},
			[]graph.Op{graph.Split{Axis: 1, Sizes: []int{1, 3, 2}}}, tensor.Shape{1, 1, 1, 4}},
		{operator{"unpack", tflite.Unpack, []any{2, 1}, tensors(real("x", 3, 2)), nil, tensors(real("y"), real("z"))},
			[]graph.Op{graph.Split{Axis: 1, Sizes: []int{1, 1}}, graph.Reshape{Shape: tensor.Shape{3}}, graph.Reshape{Shape: tensor.Shape{3}}}, tensor.Shape{3}},
		{operator{"unpack one", tflite.Unpack, []any{1, 0}, tensors(real("x", 1, 2)), nil, y}, reshape(2), tensor.Shape{2}},
		{operator{"slice", tflite.Slice, nil, tensors(x, list(0, 1, 0, 1), list(1, 3, 1, -1)), nil, y},
			[]graph.Op{graph.StridedSlice{Begin: []int{0, 1, 0, 1}, Count: []int{1, 3, 1, 3}, Stride: []int{1, 1, 1, 1}}}, tensor.Shape{1, 3, 1, 3}},
	} {
		c.check(t, c.want, c.shape)
	}
}

// TestImportStridedSlice: what NumPy takes with the slices named.
func TestImportStridedSlice(t *testing.T) {
	x, y := real("x", 5, 6), tensors(real("y"))
	for _, c := range []struct {
		name                 string
		begin, end, stride   []int
		masks                []any // begin, end, ellipsis, new axis, shrink axis
		from, count, by      []int
		reshaped, outputSize tensor.Shape
	}{
		{"[1:4, 0:6]", []int{1, 0}, []int{4, 6}, []int{1, 1}, nil, []int{1, 0}, []int{3, 6}, []int{1, 1}, nil, tensor.Shape{3, 6}},
		{"[-4:-1:2]", []int{-4}, []int{-1}, []int{2}, nil, []int{1, 0}, []int{2, 6}, []int{2, 1}, nil, tensor.Shape{2, 6}},
		{"[:3, 4:]", []int{2, 4}, []int{3, 5}, []int{1, 1}, []any{1, 2}, []int{0, 4}, []int{3, 2}, []int{1, 1}, nil, tensor.Shape{3, 2}},
		{"[::-1, 9:0:-2]", []int{0, 9}, []int{0, 0}, []int{-1, -2}, []any{1, 1}, []int{4, 5}, []int{5, 3}, []int{-1, -2}, nil, tensor.Shape{5, 3}},
		{"[..., 1:3]", []int{0, 1}, []int{0, 3}, []int{1, 1}, []any{0, 0, 1}, []int{0, 1}, []int{5, 2}, []int{1, 1}, nil, tensor.Shape{5, 2}},
		{"[2, 1:3]", []int{2, 1}, []int{3, 3}, []int{1, 1}, []any{0, 0, 0, 0, 1}, []int{2, 1}, []int{1, 2}, []int{1, 1}, tensor.Shape{2}, tensor.Shape{2}},
		{"[:, -1]", []int{0, -1}, []int{0, 0}, []int{1, 1}, []any{1, 1, 0, 0, 2}, []int{0, 5}, []int{5, 1}, []int{1, 1}, tensor.Shape{5}, tensor.Shape{5}},
		{"[newaxis, 1:2]", []int{0, 1}, []int{0, 2}, []int{1, 1}, []any{0, 0, 0, 1}, []int{1, 0}, []int{1, 6}, []int{1, 1}, tensor.Shape{1, 1, 6}, tensor.Shape{1, 1, 6}},
	} {
		want := []graph.Op{graph.StridedSlice{Begin: c.from, Count: c.count, Stride: c.by}}
		if c.reshaped != nil {
			want = append(want, graph.Reshape{Shape: c.reshaped})
		}
		operator{c.name, tflite.StridedSlice, c.masks, tensors(x, list(c.begin...), list(c.end...), list(c.stride...)), nil, y}.check(t, want, c.outputSize)
	}
}

// foldedShapes is a Flatten that Keras wrote for any batch, and a Conv2DTranspose
// whose shape depends on its input's.
func foldedShapes() *runtimetest.Builder {
	return &runtimetest.Builder{
		Tensors: []runtimetest.Tensor{
			real("x", 1, 3, 4, 2),                                                           // 0
			{Name: "shape", Type: tensor.Int32, Shape: []int{4}}, list(0), list(1), list(1), // 1-4
			{Name: "batch", Type: tensor.Int32}, scalar(-1), {Name: "to", Type: tensor.Int32, Shape: []int{2}}, // 5-7
			real("flat", 1, 1),                                                                                       // 8: the file does not know the width
			list(1), list(2), {Name: "height", Type: tensor.Int32}, scalar(2), {Name: "doubled", Type: tensor.Int32}, // 9-13
			scalar(8), scalar(5), {Name: "image", Type: tensor.Int32, Shape: []int{4}}, reals("w", 5, 2, 2, 2), real("up", 1, 1, 1, 5), // 14-18
		},
		Inputs: []int{0}, Outputs: []int{8, 18},
		Ops: []runtimetest.Op{
			{Code: tflite.Shape, Inputs: []int{0}, Outputs: []int{1}, Options: []any{byte(tensor.Int32)}},
			{Code: tflite.StridedSlice, Inputs: []int{1, 2, 3, 4}, Outputs: []int{5}, Options: []any{0, 0, 0, 0, 1}},
			{Code: tflite.Pack, Inputs: []int{5, 6}, Outputs: []int{7}, Options: []any{2, 0}},
			{Code: tflite.Reshape, Inputs: []int{0, 7}, Outputs: []int{8}},
			{Code: tflite.StridedSlice, Inputs: []int{1, 9, 10, 3}, Outputs: []int{11}, Options: []any{0, 0, 0, 0, 1}},
			{Code: tflite.Mul, Inputs: []int{11, 12}, Outputs: []int{13}},
			{Code: tflite.Pack, Inputs: []int{5, 13, 14, 15}, Outputs: []int{16}, Options: []any{4, 0}},
			{Code: tflite.TransposeConv, Inputs: []int{16, 17, 0}, Outputs: []int{18}, Options: []any{byte(0), 2, 2}},
		},
	}
}

func TestImportFoldsShapes(t *testing.T) {
	g, err := graph.FromTFLite(foldedShapes().Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Nodes) != 2 || len(g.Tensors) != 4 {
		t.Errorf("got %d nodes on %d tensors, want 2 on 4", len(g.Nodes), len(g.Tensors))
	}
	for i, want := range []tensor.Shape{{1, 24}, {1, 6, 8, 5}} {
		if got := g.Tensor(g.Outputs[i]).Shape; !got.Equal(want) {
			t.Errorf("output %d: got %v, want %v", i, got, want)
		}
	}
}

// TestImportFoldsArithmetic: every operator on integers, as the shape that a
// Reshape takes from it.
func TestImportFoldsArithmetic(t *testing.T) {
	x := real("x", 4, 6)
	for _, c := range []struct {
		name     string
		code     tflite.Code
		options  []any
		operands []runtimetest.Tensor
		want     tensor.Shape
	}{
		{"cast", tflite.Cast, nil, tensors(list(6, 4)), tensor.Shape{6, 4}},
		{"gather", tflite.Gather, []any{0}, tensors(list(7, 4, 6, 9), list(2, 1)), tensor.Shape{6, 4}},
		{"concatenation", tflite.Concatenation, []any{0}, tensors(list(2, 3), list(4)), tensor.Shape{2, 3, 4}},
		{"add", tflite.Add, nil, tensors(list(5, 3), list(1, 1)), tensor.Shape{6, 4}},
		{"sub", tflite.Sub, nil, tensors(list(7, 5), scalar(1)), tensor.Shape{6, 4}},
		{"mul", tflite.Mul, nil, tensors(scalar(2), list(3, 2)), tensor.Shape{6, 4}},
		{"maximum", tflite.Maximum, nil, tensors(list(6, 1), list(2, 4)), tensor.Shape{6, 4}},
		{"minimum", tflite.Minimum, nil, tensors(list(6, 9), list(7, 4)), tensor.Shape{6, 4}},
		{"floor div", tflite.FloorDiv, nil, tensors(list(13, -1), scalar(2)), tensor.Shape{6, 4}},
		{"product", tflite.ReduceProd, []any{true}, tensors(list(2, 3, 4), list(0)), tensor.Shape{24}},
		{"slice", tflite.Slice, nil, tensors(list(9, 6, 4, 9), list(1), list(2)), tensor.Shape{6, 4}},
		{"reversed", tflite.StridedSlice, []any{1, 1}, tensors(list(4, 6), list(0), list(0), list(-1)), tensor.Shape{6, 4}},
		{"expanded", tflite.ExpandDims, nil, tensors(scalar(24), scalar(0)), tensor.Shape{24}},
		{"reshaped", tflite.Reshape, nil, tensors(runtimetest.Const32("m", []int{1, 2}, 6, 4), list(-1)), tensor.Shape{6, 4}},
	} {
		b := &runtimetest.Builder{Tensors: append(c.operands, x, runtimetest.Tensor{Name: "to", Type: tensor.Int32}, real("y"))}
		n := len(c.operands)
		fold := runtimetest.Op{Code: c.code, Options: c.options, Outputs: []int{n + 1}}
		for i := range n {
			fold.Inputs = append(fold.Inputs, i)
		}
		b.Ops = []runtimetest.Op{fold, {Code: tflite.Reshape, Inputs: []int{n, n + 1}, Outputs: []int{n + 2}}}
		b.Inputs, b.Outputs = []int{n}, []int{n + 2}
		g, err := graph.FromTFLite(b.Bytes())
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := g.Tensor(g.Outputs[0]).Shape; !got.Equal(c.want) || len(g.Nodes) != 1 {
			t.Errorf("%s: got %v after %d nodes, want %v after 1", c.name, got, len(g.Nodes), c.want)
		}
	}
}
