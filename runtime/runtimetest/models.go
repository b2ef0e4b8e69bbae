package runtimetest

import (
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// Successor is a model whose output is its input plus 1, four int8 values:
// QUANTIZE from zero point 0 to zero point 1.
func Successor() *Builder {
	return &Builder{
		Tensors: []Tensor{Int8("in", 1, 0, 1, 4), Int8("out", 1, 1, 1, 4)},
		Inputs:  []int{0}, Outputs: []int{1},
		Ops: []Op{{Code: tflite.Quantize, Inputs: []int{0}, Outputs: []int{1}}},
	}
}

// Mover is a chain of operators that move elements without computing: a 2×4
// image of 2 channels is sliced, padded, resized, cut and joined in many ways.
func Mover() *Builder {
	image := func(shape ...int) Tensor { return Int8("x", 1, 3, shape...) }
	return &Builder{
		Tensors: []Tensor{
			0:  image(1, 2, 4, 2),
			1:  Const32("begin", []int{4}, 0, 0, -1, 0),
			2:  Const32("end", []int{4}, 1, 2, -9, 2),
			3:  Const32("stride", []int{4}, 1, 1, -1, 1),
			4:  image(1, 2, 4, 2),
			5:  Const32("axis", nil, -1),
			6:  image(1, 2, 4, 1),
			7:  image(1, 2, 4, 1),
			8:  image(1, 2, 4, 2),
			9:  Const32("perm", []int{4}, 0, 2, 1, 3),
			10: image(1, 4, 2, 2),
			11: Const32("pads", []int{4, 2}, 0, 0, 1, 0, 0, 1, 0, 0),
			12: image(1, 5, 3, 2),
			13: Const32("size", []int{2}, 4, 4),
			14: image(1, 4, 4, 2),
			15: Const32("block", []int{2}, 2, 2),
			16: Const32("borders", []int{2, 2}, 1, 1, 0, 2),
			17: image(4, 3, 3, 2),
			18: image(1, 4, 4, 2),
			19: image(1, 2, 2, 8),
			20: image(1, 4, 4, 2),
			21: Const32("rows", []int{3}, 3, 0, 1),
			22: image(1, 3, 4, 2),
			23: Const32("from", []int{4}, 0, 1, 0, 0),
			24: Const32("count", []int{4}, -1, 1, -1, -1),
			25: image(1, 1, 4, 2),
			26: image(4, 2),
			27: Const32("shape", []int{3}, 2, 4, 2),
			28: image(2, 4, 2),
			29: image(4, 2),
			30: image(4, 2),
			31: image(2, 4, 2),
			32: image(2, 4, 2),
			33: image(1, 2, 4, 2),
			34: image(1, 4, 4, 2),
			35: Const32("at", []int{2, 2}, 0, 1, 0, 3),
			36: image(2, 4, 2),
			37: Const32("front", nil, 0),
			38: Const32("axes", []int{1}, -1),
		},
		Inputs: []int{0}, Outputs: []int{34, 36},
		Ops: []Op{
			{Code: tflite.StridedSlice, Inputs: []int{0, 1, 2, 3}, Outputs: []int{4}, Options: []any{1, 2, 0, 0, 0}},
			{Code: tflite.Split, Inputs: []int{5, 4}, Outputs: []int{6, 7}, Options: []any{2}},
			{Code: tflite.Concatenation, Inputs: []int{7, 6}, Outputs: []int{8}, Options: []any{3, byte(0)}},
			{Code: tflite.Transpose, Inputs: []int{8, 9}, Outputs: []int{10}},
			{Code: tflite.MirrorPad, Inputs: []int{10, 11}, Outputs: []int{12}, Options: []any{byte(0)}},
			{Code: tflite.ResizeBilinear, Inputs: []int{12, 13}, Outputs: []int{14}, Options: []any{nil, nil, false, true}},
			{Code: tflite.SpaceToBatchND, Inputs: []int{14, 15, 16}, Outputs: []int{17}},
			{Code: tflite.BatchToSpaceND, Inputs: []int{17, 15, 16}, Outputs: []int{18}},
			{Code: tflite.SpaceToDepth, Inputs: []int{18}, Outputs: []int{19}, Options: []any{2}},
			{Code: tflite.DepthToSpace, Inputs: []int{19}, Outputs: []int{20}, Options: []any{2}},
			{Code: tflite.Gather, Inputs: []int{20, 21}, Outputs: []int{22}, Options: []any{1, 0}},
			{Code: tflite.Slice, Inputs: []int{22, 23, 24}, Outputs: []int{25}},
			{Code: tflite.Squeeze, Inputs: []int{25}, Outputs: []int{26}, Options: []any{[]int{0, 1}}},
			{Code: tflite.BroadcastTo, Inputs: []int{26, 27}, Outputs: []int{28}},
			{Code: tflite.Unpack, Inputs: []int{28}, Outputs: []int{29, 30}, Options: []any{2, 0}},
			{Code: tflite.Pack, Inputs: []int{29, 30}, Outputs: []int{31}, Options: []any{2, 0}},
			{Code: tflite.ReverseV2, Inputs: []int{31, 38}, Outputs: []int{32}},
			{Code: tflite.ExpandDims, Inputs: []int{32, 37}, Outputs: []int{33}},
			{Code: tflite.ResizeNearestNeighbor, Inputs: []int{33, 13}, Outputs: []int{34}, Options: []any{true, false}},
			{Code: tflite.GatherND, Inputs: []int{34, 35}, Outputs: []int{36}},
		},
	}
}

// SmallNet is a convolutional classifier with most of what real ones have: 6×6
// image, 3×3 convolution to 4 channels, depthwise convolution, a residual
// addition, maximum pooling, a dense layer to 3 classes, softmax. Its weights
// are a fixed pattern.
func SmallNet() *Builder {
	pattern := func(n int) []int {
		v := make([]int, n)
		for i := range v {
			v[i] = (i*37+11)%255 - 127
		}
		return v
	}
	conv := Weights("conv/w", 0.02, []int{4, 3, 3, 1}, pattern(36)...)
	conv.Scales, conv.Zeros = []float32{0.02, 0.015, 0.01, 0.03}, []int{0, 0, 0, 0}
	depthwise := Weights("dw/w", 0.02, []int{1, 3, 3, 4}, pattern(36)...)
	depthwise.Scales, depthwise.Zeros, depthwise.Dim = []float32{0.02, 0.01, 0.015, 0.02}, []int{0, 0, 0, 0}, 3
	return &Builder{
		Tensors: []Tensor{
			0:  Int8("image", 0.05, -3, 1, 6, 6, 1),
			1:  conv,
			2:  Const32("conv/b", []int{4}, 100, -200, 300, 0),
			3:  Int8("conv", 0.1, -128, 1, 6, 6, 4),
			4:  depthwise,
			5:  Const32("dw/b", []int{4}, 0, 50, -50, 1000),
			6:  Int8("dw", 0.2, 5, 1, 6, 6, 4),
			7:  Int8("sum", 0.25, 0, 1, 6, 6, 4),
			8:  Int8("pool", 0.25, 0, 1, 3, 3, 4),
			9:  Int8("flat", 0.25, 0, 1, 36),
			10: Const32("shape", []int{2}, 1, 36),
			11: Weights("dense/w", 0.0005, []int{3, 36}, pattern(108)...),
			12: Const32("dense/b", []int{3}, 10, 20, -30),
			13: Int8("logits", 0.2, 7, 1, 3),
			14: Int8("probabilities", 1.0/256, -128, 1, 3),
		},
		Inputs: []int{0}, Outputs: []int{14},
		Ops: []Op{
			{Code: tflite.Conv2D, Inputs: []int{0, 1, 2}, Outputs: []int{3}, Options: []any{byte(0), 1, 1, byte(1)}},
			{Code: tflite.DepthwiseConv2D, Inputs: []int{3, 4, 5}, Outputs: []int{6}, Options: []any{byte(0), 1, 1, 1, byte(0)}},
			{Code: tflite.Add, Inputs: []int{3, 6}, Outputs: []int{7}, Options: []any{byte(1)}},
			{Code: tflite.MaxPool2D, Inputs: []int{7}, Outputs: []int{8}, Options: []any{byte(1), 2, 2, 2, 2, byte(0)}},
			{Code: tflite.Reshape, Inputs: []int{8, 10}, Outputs: []int{9}},
			{Code: tflite.FullyConnected, Inputs: []int{9, 11, 12}, Outputs: []int{13}, Options: []any{byte(0)}},
			{Code: tflite.Softmax, Inputs: []int{13}, Outputs: []int{14}, Options: []any{float32(1)}},
		},
	}
}

// Stateful is a model that remembers in a resource variable: the output is the
// input plus what the variable holds, which is the output before, and 5 at the
// start. A second subgraph, called once, assigns the 5; its tensors are larger
// than the input, so that memory it took from the caller would show.
func Stateful() *Builder {
	handle := Tensor{Name: "handle", Type: tensor.Resource}
	name := []any{"", "sum"}
	start := Int8("start", 1, 0, 4)
	start.Data = Int8s(5, 5, 5, 5)
	return &Builder{
		Tensors: []Tensor{Int8("in", 1, 0, 4), handle, Int8("old", 1, 0, 4), Int8("new", 1, 0, 4)},
		Inputs:  []int{0}, Outputs: []int{3},
		Ops: []Op{
			{Code: tflite.CallOnce, Options: []any{1}},
			{Code: tflite.VarHandle, Outputs: []int{1}, Options: name},
			{Code: tflite.ReadVariable, Inputs: []int{1}, Outputs: []int{2}},
			{Code: tflite.Add, Inputs: []int{0, 2}, Outputs: []int{3}, Options: []any{byte(0)}},
			{Code: tflite.AssignVariable, Inputs: []int{1, 3}},
		},
		More: []*Builder{{
			Tensors: []Tensor{handle, start, Const32("padding", []int{1, 2}, 100, 200), Int8("padded", 1, 0, 304), Const32("shape", []int{1}, 304), Int8("again", 1, 0, 304)},
			Ops: []Op{
				{Code: tflite.VarHandle, Outputs: []int{0}, Options: name},
				{Code: tflite.Pad, Inputs: []int{1, 2}, Outputs: []int{3}},
				{Code: tflite.Reshape, Inputs: []int{3, 4}, Outputs: []int{5}},
				{Code: tflite.AssignVariable, Inputs: []int{0, 1}},
			},
		}},
	}
}

// Pruned is a network with compressed weights: a pointwise convolution from 4 to
// 8 channels, whose weights DENSIFY expands, and a dense layer to 3 classes in
// blocks of 16 weights, of which most are left out.
func Pruned() *Builder {
	conv := Weights("conv/w", 0.02, []int{8, 1, 1, 4}, make([]int, 32)...)
	dense := Weights("dense/w", 0.01, []int{3, 128}, make([]int, 384)...)
	for i := range 8 {
		conv.Data[4*i+i%4] = byte(40*i - 100)
		dense.Data[37*i+5] = byte(25*i - 90)
	}
	return &Builder{
		Tensors: []Tensor{
			0: Int8("image", 0.05, -3, 1, 4, 4, 4),
			1: Compress(conv, Blocks{Order: []int{3, 0, 1, 2}, CSR: []bool{false, true}, Width: 2}),
			2: Int8("conv/dense", 0.02, 0, 8, 1, 1, 4),
			3: Int8("conv", 0.1, -128, 1, 4, 4, 8),
			4: Compress(dense, Blocks{Map: []int{1}, Size: []int{16}, CSR: []bool{false, true}, Width: 1}),
			5: Int8("logits", 0.2, 7, 1, 3),
		},
		Inputs: []int{0}, Outputs: []int{5},
		Ops: []Op{
			{Code: tflite.Densify, Inputs: []int{1}, Outputs: []int{2}},
			{Code: tflite.Conv2D, Inputs: []int{0, 2}, Outputs: []int{3}, Options: []any{byte(0), 1, 1, byte(1)}},
			{Code: tflite.FullyConnected, Inputs: []int{3, 4}, Outputs: []int{5}, Options: []any{byte(0)}},
		},
	}
}
