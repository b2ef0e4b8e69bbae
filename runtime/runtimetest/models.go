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
