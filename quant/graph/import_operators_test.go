package graph_test

import (
	"reflect"
	"testing"

	"kedge/quant/graph"
	"kedge/runtime/runtimetest"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// operator is a model of one operator. Operands without data are its inputs.
type operator struct {
	name     string
	code     tflite.Code
	options  []any
	operands []runtimetest.Tensor
	inputs   []int // positions in operands; nil for all, in order
	outputs  []runtimetest.Tensor
}

func (o operator) file() []byte {
	b := &runtimetest.Builder{Tensors: append(append([]runtimetest.Tensor{}, o.operands...), o.outputs...)}
	op := runtimetest.Op{Code: o.code, Options: o.options, Inputs: o.inputs}
	for i := range o.operands {
		if o.inputs == nil {
			op.Inputs = append(op.Inputs, i)
		}
		if o.operands[i].Data == nil {
			b.Inputs = append(b.Inputs, i)
		}
	}
	for i := range o.outputs {
		op.Outputs = append(op.Outputs, len(o.operands)+i)
	}
	b.Outputs = op.Outputs
	b.Ops = []runtimetest.Op{op}
	return b.Bytes()
}

// real is a float32 activation.
func real(name string, shape ...int) runtimetest.Tensor {
	return runtimetest.Tensor{Name: name, Shape: shape}
}

// reals is a float32 constant of zeros.
func reals(name string, shape ...int) runtimetest.Tensor {
	n, _ := tensor.Shape(shape).Elements()
	return runtimetest.Tensor{Name: name, Shape: shape, Data: runtimetest.Float32s(make([]float32, n)...)}
}

func list(values ...int) runtimetest.Tensor {
	return runtimetest.Const32("list", []int{len(values)}, values...)
}

func scalar(value int) runtimetest.Tensor { return runtimetest.Const32("scalar", nil, value) }

// tensors is a list of them.
func tensors(t ...runtimetest.Tensor) []runtimetest.Tensor { return t }

func TestImportOperators(t *testing.T) {
	x := real("x", 2, 7, 9, 4)
	y := tensors(real("y"))
	same := func(sh, sw, dh, dw, fh, fw int) graph.Window {
		return graph.Window{StrideH: sh, StrideW: sw, DilationH: dh, DilationW: dw}.Same(7, 9, fh, fw)
	}
	for _, c := range []struct {
		operator
		want  []graph.Op
		shape tensor.Shape // of the first output
	}{
		{operator{"conv same", tflite.Conv2D, []any{byte(0), 3, 2, byte(3), 1, 1}, tensors(x, reals("w", 5, 3, 2, 4), reals("b", 5)), nil, y},
			[]graph.Op{graph.Conv2D{Window: same(2, 3, 1, 1, 3, 2), Activation: graph.ReLU6}}, tensor.Shape{2, 4, 3, 5}},
		{operator{"conv valid dilated", tflite.Conv2D, []any{byte(1), 1, 2, byte(1), 3, 2}, tensors(x, reals("w", 5, 3, 2, 4)), []int{0, 1, -1}, y},
			[]graph.Op{graph.Conv2D{Window: graph.Window{StrideH: 2, StrideW: 1, DilationH: 2, DilationW: 3}, Activation: graph.ReLU}}, tensor.Shape{2, 2, 6, 5}},
		{operator{"conv default dilation", tflite.Conv2D, []any{byte(1), 1, 1}, tensors(x, reals("w", 5, 3, 2, 4)), nil, y},
			[]graph.Op{graph.Conv2D{Window: graph.Dense()}}, tensor.Shape{2, 5, 8, 5}},
		{operator{"conv grouped", tflite.Conv2D, []any{byte(1), 1, 1, byte(1)}, tensors(x, reals("w", 6, 1, 1, 2), reals("b", 6)), nil, y},
			[]graph.Op{graph.Split{Axis: 3, Sizes: []int{2, 2}}, graph.Conv2D{Window: graph.Dense(), Activation: graph.ReLU}, graph.Conv2D{Window: graph.Dense(), Activation: graph.ReLU}, graph.Concatenation{Axis: 3}}, tensor.Shape{2, 7, 9, 6}},
		{operator{"depthwise", tflite.DepthwiseConv2D, []any{byte(0), 1, 2, 2, byte(2), 1, 3}, tensors(x, reals("w", 1, 3, 2, 8), reals("b", 8)), nil, y},
			[]graph.Op{graph.DepthwiseConv2D{Window: same(2, 1, 3, 1, 3, 2), Multiplier: 2, Activation: graph.ReLUN1To1}}, tensor.Shape{2, 4, 9, 8}},
		{operator{"transpose conv", tflite.TransposeConv, []any{byte(0), 3, 2, byte(1)}, tensors(list(2, 13, 27, 5), reals("w", 5, 3, 4, 4), x, reals("b", 5)), nil, y},
			[]graph.Op{graph.TransposeConv{StrideH: 2, StrideW: 3, PadTop: 1, PadLeft: 0, OutputH: 13, OutputW: 27, Activation: graph.ReLU}}, tensor.Shape{2, 13, 27, 5}},
		{operator{"average pool", tflite.AveragePool2D, []any{byte(0), 3, 2, 4, 5, byte(1)}, tensors(x), nil, y},
			[]graph.Op{graph.AveragePool2D{Window: same(2, 3, 1, 1, 5, 4), FilterH: 5, FilterW: 4, Activation: graph.ReLU}}, tensor.Shape{2, 4, 3, 4}},
		{operator{"max pool", tflite.MaxPool2D, []any{byte(1), 3, 2, 4, 5, byte(3)}, tensors(x), nil, y},
			[]graph.Op{graph.MaxPool2D{Window: graph.Window{StrideH: 2, StrideW: 3, DilationH: 1, DilationW: 1}, FilterH: 5, FilterW: 4, Activation: graph.ReLU6}}, tensor.Shape{2, 2, 2, 4}},
		{operator{"dense keeping dimensions", tflite.FullyConnected, []any{byte(1), byte(0), true}, tensors(x, reals("w", 5, 4), reals("b", 5)), nil, y},
			[]graph.Op{graph.FullyConnected{Activation: graph.ReLU, KeepDims: true}}, tensor.Shape{2, 7, 9, 5}},
		{operator{"dense flattening", tflite.FullyConnected, []any{byte(0)}, tensors(x, reals("w", 5, 28)), nil, y},
			[]graph.Op{graph.FullyConnected{}}, tensor.Shape{18, 5}},
		{operator{"matrices", tflite.BatchMatMul, []any{true, false}, tensors(real("x", 3, 5, 2), real("z", 3, 5, 4)), nil, y},
			[]graph.Op{graph.BatchMatMul{AdjX: true}}, tensor.Shape{3, 2, 4}},
		{operator{"matrices, second turned", tflite.BatchMatMul, []any{false, true}, tensors(real("x", 3, 2, 5), reals("z", 4, 5)), nil, y},
			[]graph.Op{graph.BatchMatMul{AdjY: true}}, tensor.Shape{3, 2, 4}},
		{operator{"leaky relu", tflite.LeakyRelu, []any{float32(0.25)}, tensors(x), nil, y}, []graph.Op{graph.LeakyReLU{Alpha: 0.25}}, x.Shape},
		{operator{"prelu", tflite.Prelu, nil, tensors(x, reals("alpha", 1, 1, 4)), nil, y}, []graph.Op{graph.PReLU{}}, x.Shape},
		{operator{"gelu", tflite.Gelu, []any{false}, tensors(x), nil, y}, []graph.Op{graph.Unary{Kind: graph.FuncGELU}}, x.Shape},
		{operator{"softmax", tflite.Softmax, []any{float32(0.5)}, tensors(x), nil, y}, []graph.Op{graph.Softmax{Beta: 0.5}}, x.Shape},
		{operator{"log softmax", tflite.LogSoftmax, nil, tensors(x), nil, y}, []graph.Op{graph.LogSoftmax{}}, x.Shape},
		{operator{"l2", tflite.L2Normalization, []any{byte(0)}, tensors(x), nil, y}, []graph.Op{graph.L2Normalization{}}, x.Shape},
		{operator{"transpose", tflite.Transpose, nil, tensors(x, list(0, 3, -2, 1)), nil, y}, []graph.Op{graph.Transpose{Perm: []int{0, 3, 2, 1}}}, tensor.Shape{2, 4, 9, 7}},
		{operator{"pad", tflite.Pad, nil, tensors(x, runtimetest.Const32("p", []int{4, 2}, 0, 0, 1, 2, 3, 4, 0, 0)), nil, y},
			[]graph.Op{graph.Pad{Before: []int{0, 1, 3, 0}, After: []int{0, 2, 4, 0}}}, tensor.Shape{2, 10, 16, 4}},
		{operator{"pad with a value", tflite.PadV2, nil, tensors(real("x", 3), runtimetest.Const32("p", []int{1, 2}, 0, 1), runtimetest.Tensor{Data: runtimetest.Float32s(-2.5)}), nil, y},
			[]graph.Op{graph.Pad{Before: []int{0}, After: []int{1}, Value: -2.5}}, tensor.Shape{4}},
		{operator{"mirror without the edge", tflite.MirrorPad, []any{byte(0)}, tensors(real("x", 3), runtimetest.Const32("p", []int{1, 2}, 2, 1)), nil, y},
			[]graph.Op{graph.Pad{Before: []int{2}, After: []int{1}, Mode: graph.PadReflect}}, tensor.Shape{6}},
		{operator{"mirror with the edge", tflite.MirrorPad, []any{byte(1)}, tensors(real("x", 3), runtimetest.Const32("p", []int{1, 2}, 2, 1)), nil, y},
			[]graph.Op{graph.Pad{Before: []int{2}, After: []int{1}, Mode: graph.PadSymmetric}}, tensor.Shape{6}},
		{operator{"bilinear", tflite.ResizeBilinear, []any{nil, nil, false, true}, tensors(x, list(3, 5)), nil, y},
			[]graph.Op{graph.Resize{H: 3, W: 5, Bilinear: true, HalfPixelCenters: true}}, tensor.Shape{2, 3, 5, 4}},
		{operator{"nearest", tflite.ResizeNearestNeighbor, []any{true, false}, tensors(x, list(3, 5)), nil, y},
			[]graph.Op{graph.Resize{H: 3, W: 5, AlignCorners: true}}, tensor.Shape{2, 3, 5, 4}},
		{operator{"mean", tflite.Mean, []any{true}, tensors(x, list(-2, 1, 1)), nil, y}, []graph.Op{graph.Reduce{Kind: graph.ReduceMean, Axes: []int{1, 2}, KeepDims: true}}, tensor.Shape{2, 1, 1, 4}},
		{operator{"sum", tflite.Sum, []any{false}, tensors(x, scalar(3)), nil, y}, []graph.Op{graph.Reduce{Kind: graph.ReduceSum, Axes: []int{3}}}, tensor.Shape{2, 7, 9}},
		{operator{"greatest", tflite.ReduceMax, nil, tensors(x, list(0)), nil, y}, []graph.Op{graph.Reduce{Kind: graph.ReduceMax, Axes: []int{0}}}, tensor.Shape{7, 9, 4}},
		{operator{"least", tflite.ReduceMin, nil, tensors(x, list(0)), nil, y}, []graph.Op{graph.Reduce{Kind: graph.ReduceMin, Axes: []int{0}}}, tensor.Shape{7, 9, 4}},
		{operator{"mean of nothing", tflite.Mean, nil, tensors(real("x", 2, 3), runtimetest.Tensor{Name: "axes", Type: tensor.Int32, Shape: []int{0}, Data: []byte{}}), nil, y}, []graph.Op{graph.Reshape{Shape: tensor.Shape{2, 3}}}, tensor.Shape{2, 3}},
		{operator{"quantize", tflite.Quantize, nil, tensors(x), nil, tensors(runtimetest.Int8("y", 0.5, -3))},
			[]graph.Op{graph.Quantize{To: tensor.Int8, Quant: tensor.Quant{Scales: []float32{0.5}, ZeroPoints: []int32{-3}}}}, x.Shape},
		{operator{"dequantize", tflite.Dequantize, nil, tensors(runtimetest.Int8("x", 0.5, -3, 2, 3)), nil, y},
			[]graph.Op{graph.Dequantize{Quant: tensor.Quant{Scales: []float32{0.5}, ZeroPoints: []int32{-3}}}}, tensor.Shape{2, 3}},
	} {
		c.check(t, c.want, c.shape)
	}
}

// check reads the operator's model and compares its operators, in order, and the
// shape of its first output.
func (o operator) check(t *testing.T, want []graph.Op, shape tensor.Shape) {
	t.Helper()
	g, err := graph.FromTFLite(o.file())
	if err != nil {
		t.Errorf("%s: %v", o.name, err)
		return
	}
	var got []graph.Op
	for _, n := range g.Nodes {
		got = append(got, n.Op)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %+v, want %+v", o.name, got, want)
	}
	if s := g.Tensor(g.Outputs[0]).Shape; !s.Equal(shape) {
		t.Errorf("%s: output %v, want %v", o.name, s, shape)
	}
}

func TestImportElementwise(t *testing.T) {
	x, y := real("x", 2, 3), tensors(real("y"))
	for code, kind := range map[tflite.Code]graph.Arithmetic{
		tflite.Add: graph.Add, tflite.Sub: graph.Sub, tflite.Mul: graph.Mul, tflite.Div: graph.Div,
		tflite.Maximum: graph.Maximum, tflite.Minimum: graph.Minimum, tflite.SquaredDifference: graph.SquaredDifference,
	} {
		want, options := graph.Binary{Kind: kind}, []any(nil)
		if kind <= graph.Div {
			want.Activation, options = graph.ReLU6, []any{byte(3)}
		}
		operator{code.String(), code, options, tensors(x, real("z", 3)), nil, y}.check(t, []graph.Op{want}, x.Shape)
		operator{code.String() + " of a constant", code, options, tensors(reals("z", 4, 1, 1), x), nil, y}.check(t, []graph.Op{want}, tensor.Shape{4, 2, 3})
	}
	for code, kind := range map[tflite.Code]graph.Function{
		tflite.Relu: graph.FuncReLU, tflite.Relu6: graph.FuncReLU6, tflite.ReluN1To1: graph.FuncReLUN1To1, tflite.Relu0To1: graph.FuncReLU0To1,
		tflite.HardSwish: graph.FuncHardSwish, tflite.Logistic: graph.FuncLogistic, tflite.Tanh: graph.FuncTanh, tflite.Elu: graph.FuncELU, tflite.Gelu: graph.FuncGELU,
		tflite.Abs: graph.FuncAbs, tflite.Neg: graph.FuncNeg, tflite.Exp: graph.FuncExp, tflite.Log: graph.FuncLog, tflite.Sqrt: graph.FuncSqrt, tflite.Rsqrt: graph.FuncRsqrt,
		tflite.Square: graph.FuncSquare, tflite.Sin: graph.FuncSin, tflite.Cos: graph.FuncCos, tflite.Floor: graph.FuncFloor, tflite.Ceil: graph.FuncCeil, tflite.Round: graph.FuncRound,
	} {
		operator{code.String(), code, nil, tensors(x), nil, y}.check(t, []graph.Op{graph.Unary{Kind: kind}}, x.Shape)
	}
}
