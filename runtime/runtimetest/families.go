package runtimetest

import (
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// Named is a model with the name of what it has.
type Named struct {
	Name  string
	Model *Builder
}

// Families are small models that together have every operator, for tests that
// look at a file's structure and not at the numbers.
func Families() []Named {
	return []Named{
		{"net", SmallNet()}, {"mover", Mover()}, {"stateful", Stateful()}, {"successor", Successor()},
		{"arithmetic", Arithmetic()}, {"activations", Activations()}, {"reductions", Reductions()},
		{"wide", Wide()}, {"recurrent", Recurrent()}, {"reals", Reals()}, {"truths", Truths()}, {"unsigned", Unsigned(SmallNet())}, {"pruned", Pruned()},
		{"front end", FrontEnd()}, {"streamer", Streamer()}, {"detector", Detector(false)}, {"detector with classes", Detector(true)},
	}
}

// Typed is a tensor of any quantized type.
func Typed(t tensor.Type, scale float32, zero int, shape ...int) Tensor {
	return Tensor{Name: t.String(), Type: t, Shape: shape, Scales: []float32{scale}, Zeros: []int{zero}}
}

// Plain is a tensor without quantization.
func Plain(t tensor.Type, shape ...int) Tensor {
	return Tensor{Name: t.String(), Type: t, Shape: shape}
}

// add appends a tensor and gives its index.
func (b *Builder) add(t Tensor) int {
	b.Tensors = append(b.Tensors, t)
	return len(b.Tensors) - 1
}

// input appends an input of the model.
func (b *Builder) input(t Tensor) int {
	b.Inputs = append(b.Inputs, b.add(t))
	return len(b.Tensors) - 1
}

// then appends an operator and its output, whose index it gives.
func (b *Builder) then(code tflite.Code, out Tensor, options []any, inputs ...int) int {
	o := Op{Code: code, Inputs: inputs, Outputs: []int{b.add(out)}, Options: options}
	b.Ops = append(b.Ops, o)
	return o.Outputs[0]
}

// result makes tensors outputs of the model.
func (b *Builder) result(tensors ...int) { b.Outputs = append(b.Outputs, tensors...) }

// Arithmetic has the operators on two tensors, each with one that is repeated.
func Arithmetic() *Builder {
	b := &Builder{}
	act := []any{byte(0)}
	value := func(shape ...int) Tensor { return Int8("v", 0.5, -1, shape...) }
	x, y := b.input(value(2, 3)), b.input(value(3))
	for _, code := range []tflite.Code{
		tflite.Add, tflite.Sub, tflite.Mul, tflite.Div, tflite.Maximum, tflite.Minimum, tflite.SquaredDifference, tflite.Prelu,
	} {
		x = b.then(code, value(2, 3), act, x, y)
	}
	b.result(x)
	for _, code := range []tflite.Code{
		tflite.Equal, tflite.NotEqual, tflite.Greater, tflite.GreaterEqual, tflite.Less, tflite.LessEqual,
	} {
		b.result(b.then(code, Plain(tensor.Bool, 2, 3), nil, x, y))
	}
	b.result(b.then(tflite.BatchMatMul, value(2, 2), []any{false, true}, x, x))
	shape := b.then(tflite.Shape, Plain(tensor.Int32, 2), nil, x)
	b.result(b.then(tflite.Mul, Plain(tensor.Int32, 2), act, shape, shape))
	size := b.add(Const32("size", []int{2}, 2, 2))
	b.result(b.then(tflite.Fill, Plain(tensor.Int32, 2, 2), nil, size, b.add(Const32("value", nil, 7))))
	return b
}

// Activations is a chain of operators on one tensor, from float32 and back.
func Activations() *Builder {
	b := &Builder{}
	x := b.input(Plain(tensor.Float32, 1, 4))
	x = b.then(tflite.Quantize, Int8("q", 0.05, 3, 1, 4), nil, x)
	for _, step := range []struct {
		code    tflite.Code
		scale   float32
		zero    int
		options []any
	}{
		{tflite.Relu, 0.04, 0, nil}, {tflite.Relu6, 0.04, 0, nil}, {tflite.ReluN1To1, 0.04, 0, nil}, {tflite.Relu0To1, 0.04, 0, nil},
		{tflite.LeakyRelu, 0.05, 2, []any{float32(0.3)}},
		{tflite.Elu, 0.05, 2, nil}, {tflite.HardSwish, 0.05, -2, nil}, {tflite.Abs, 0.05, -128, nil}, {tflite.Rsqrt, 0.05, 0, nil},
		{tflite.L2Normalization, 1.0 / 128, 0, []any{byte(0)}}, {tflite.Tanh, 1.0 / 128, 0, nil}, {tflite.Logistic, 1.0 / 256, -128, nil},
		{tflite.LogSoftmax, 1.0 / 16, 127, nil}, {tflite.Softmax, 1.0 / 256, -128, []any{float32(1)}},
	} {
		x = b.then(step.code, Int8("y", step.scale, step.zero, 1, 4), step.options, x)
	}
	b.result(b.then(tflite.Dequantize, Plain(tensor.Float32, 1, 4), nil, x))
	b.result(b.then(tflite.Cast, Plain(tensor.Int32, 1, 4), nil, x))
	return b
}

// Reductions has what sums or compares along dimensions.
func Reductions() *Builder {
	b := &Builder{}
	image := func(shape ...int) Tensor { return Int8("v", 0.5, -1, shape...) }
	x := b.input(image(1, 3, 4, 2))
	axes, last := b.add(Const32("axes", []int{2}, 1, 2)), b.add(Const32("last", nil, -1))
	for _, code := range []tflite.Code{tflite.Mean, tflite.Sum, tflite.ReduceMax, tflite.ReduceMin} {
		b.result(b.then(code, image(1, 1, 1, 2), []any{true}, x, axes))
	}
	for _, code := range []tflite.Code{tflite.ArgMax, tflite.ArgMin} {
		b.result(b.then(code, Plain(tensor.Int32, 1, 3, 4), nil, x, last))
	}
	b.result(b.then(tflite.AveragePool2D, image(1, 2, 2, 2), []any{byte(0), 2, 2, 3, 3, byte(1)}, x))
	sizes := b.add(Const32("sizes", []int{2}, 1, 2))
	first, second := b.add(image(1, 1, 4, 2)), b.add(image(1, 2, 4, 2))
	one := b.add(Const32("one", []int{1}, 1))
	b.Ops = append(b.Ops, Op{Code: tflite.SplitV, Inputs: []int{x, sizes, one}, Outputs: []int{first, second}, Options: []any{2}})
	b.result(second)
	value := image(1)
	value.Name, value.Data = "value", Int8s(9)
	pads := b.add(Const32("pads", []int{4, 2}, 0, 0, 0, 1, 1, 0, 0, 0))
	b.result(b.then(tflite.PadV2, image(1, 2, 5, 2), nil, first, pads, b.add(value)))
	return b
}

// Reals has the operators on float32 that have no other form here.
func Reals() *Builder {
	b := &Builder{}
	real := func(shape ...int) Tensor { return Plain(tensor.Float32, shape...) }
	x := b.input(real(2, 3))
	for _, code := range []tflite.Code{
		tflite.Square, tflite.Sqrt, tflite.Log, tflite.Sin, tflite.Cos, tflite.Exp, tflite.Neg, tflite.Round, tflite.Floor, tflite.Ceil,
	} {
		x = b.then(code, real(2, 3), nil, x)
	}
	y := b.then(tflite.ZerosLike, real(2, 3), nil, x)
	for _, code := range []tflite.Code{tflite.AddN, tflite.FloorDiv, tflite.FloorMod} {
		x = b.then(code, real(2, 3), nil, x, y)
	}
	x = b.then(tflite.Cumsum, real(2, 3), []any{true, false}, x, b.add(Const32("axis", nil, 1)))
	update, begin := b.input(real(1, 2)), b.input(Plain(tensor.Int32, 2))
	x = b.then(tflite.DynamicUpdateSlice, real(2, 3), nil, x, update, begin)
	table := real(2, 3)
	table.Data = Float32s(1, 2, 3, 4, 5, 6)
	looked := b.then(tflite.EmbeddingLookup, real(2, 3), nil, b.add(Const32("ids", []int{2}, 1, 0)), b.add(table))
	x = b.then(tflite.AddN, real(2, 3), nil, x, looked)
	image := b.then(tflite.Reshape, real(1, 2, 3, 1), nil, x, b.add(Const32("shape", []int{4}, 1, 2, 3, 1)))
	b.result(b.then(tflite.L2Pool2D, real(1, 1, 2, 1), []any{byte(1), 1, 1, 2, 2, byte(0)}, image))
	return b
}

// Truths has the operators on bools, and the shape that two others agree on.
func Truths() *Builder {
	b := &Builder{}
	truth := Plain(tensor.Bool, 2, 2)
	x, y := b.input(truth), b.input(truth)
	x = b.then(tflite.LogicalAnd, truth, nil, x, y)
	x = b.then(tflite.LogicalOr, truth, nil, x, y)
	x = b.then(tflite.LogicalNot, truth, nil, x)
	v := b.input(Int8("v", 1, 0, 2, 2))
	b.result(b.then(tflite.SelectV2, Int8("s", 1, 0, 2, 2), nil, x, v, v))
	b.result(b.then(tflite.ReduceAll, Plain(tensor.Bool, 2), []any{false}, x, b.add(Const32("axis", []int{1}, 1))))
	one, two := b.add(Const32("one", []int{2}, 1, 3)), b.add(Const32("two", []int{2}, 2, 1))
	b.result(b.then(tflite.BroadcastArgs, Plain(tensor.Int32, 2), nil, one, two))
	return b
}

// Wide is a chain on int16 with weights of int8.
func Wide() *Builder {
	b := &Builder{}
	act := []any{byte(0)}
	wide := func(shape ...int) Tensor { return Typed(tensor.Int16, 0.01, 0, shape...) }
	x := b.input(wide(1, 3, 3, 2))
	w := b.add(Weights("w", 0.1, []int{2, 2, 2, 2}, 1, 2, 3, 4, -5, 6, -7, 8, 9, -10, 11, 12, 13, 14, 15, -16))
	dw := b.add(Weights("dw", 0.1, []int{1, 2, 2, 2}, 1, -2, 3, 4, 5, 6, -7, 8))
	x = b.then(tflite.Conv2D, wide(1, 3, 3, 2), []any{byte(0), 1, 1, byte(0)}, x, w)
	x = b.then(tflite.DepthwiseConv2D, wide(1, 3, 3, 2), []any{byte(0), 1, 1, 1, byte(0)}, x, dw)
	shape := b.add(Const32("shape", []int{4}, 1, 6, 6, 2))
	up := b.then(tflite.TransposeConv, wide(1, 6, 6, 2), []any{byte(0), 2, 2, byte(0)}, shape, w, x)
	b.result(b.then(tflite.MaxPool2D, wide(1, 3, 3, 2), []any{byte(1), 2, 2, 2, 2, byte(0)}, up))
	x = b.then(tflite.Add, wide(1, 3, 3, 2), act, x, x)
	x = b.then(tflite.Mul, wide(1, 3, 3, 2), act, x, x)
	x = b.then(tflite.Logistic, Typed(tensor.Int16, 1.0/32768, 0, 1, 3, 3, 2), nil, x)
	x = b.then(tflite.Tanh, Typed(tensor.Int16, 1.0/32768, 0, 1, 3, 3, 2), nil, x)
	dense := b.add(Weights("dense", 0.1, []int{3, 18}, make([]int, 54)...))
	x = b.then(tflite.FullyConnected, wide(1, 3), act, x, dense)
	b.result(b.then(tflite.Softmax, Typed(tensor.Int16, 1.0/32768, 0, 1, 3), []any{float32(1)}, x))
	return b
}

// Recurrent is an LSTM of 2 features and 3 units over 2 steps, and an SVDF of 2
// units with a memory of 3 on what it gives.
func Recurrent() *Builder {
	b := &Builder{}
	lstm := Op{Code: tflite.UnidirectionalSequenceLSTM, Inputs: make([]int, 24), Options: []any{byte(4), nil, nil, false}}
	for i := range lstm.Inputs {
		lstm.Inputs[i] = tflite.NoTensor
	}
	lstm.Inputs[0] = b.input(Int8("x", 1.0/64, 0, 1, 2, 2))
	for g := range 4 {
		lstm.Inputs[1+g] = b.add(Weights("w", 1.0/64, []int{3, 2}, 10*g, 2, -3, 4, 5, -6))
		lstm.Inputs[5+g] = b.add(Weights("r", 1.0/64, []int{3, 3}, 9, 8, -7, 6, 5*g, 4, -3, 2, 1))
		lstm.Inputs[12+g] = b.add(Const32("b", []int{3}, 100, -200, 300))
	}
	hidden, cell := Int8("hidden", 1.0/128, 0, 1, 3), Typed(tensor.Int16, 1.0/2048, 0, 1, 3)
	hidden.Variable, cell.Variable = true, true
	lstm.Inputs[18], lstm.Inputs[19] = b.add(hidden), b.add(cell)
	lstm.Outputs = []int{b.add(Int8("y", 1.0/128, 0, 1, 2, 3))}
	b.Ops = append(b.Ops, lstm)
	x := b.then(tflite.Reshape, Int8("flat", 1.0/128, 0, 1, 6), nil, lstm.Outputs[0], b.add(Const32("shape", []int{2}, 1, 6)))
	wf := b.add(Weights("features", 0.1, []int{2, 6}, 1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -6))
	wt := b.add(Weights("time", 0.1, []int{2, 3}, 1, 2, 3, 4, 5, 6))
	state := Int8("state", 0.1, 0, 1, 6)
	state.Variable = true
	b.result(b.then(tflite.SVDF, Int8("out", 0.1, 0, 1, 2), []any{1, byte(0)}, x, wf, wt, tflite.NoTensor, b.add(state)))
	return b
}
