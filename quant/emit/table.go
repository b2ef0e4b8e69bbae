package emit

import (
	"kedge/quant/graph"
	"kedge/runtime/tflite"
)

// form is how an operator of package graph is written.
type form struct {
	code tflite.Code
	kind byte // member of the schema's union BuiltinOptions, 0 without options
	// version is the first version of the operator whose readers do the node
	// right, 0 when there is none. It must not be lower than needed: an older
	// interpreter would then answer wrongly where a higher number makes it refuse
	// the file. Source: the converter's op_version.cc.
	version func(*node) int
	// options writes the options table; nil means one without fields, if any.
	options func(*builder, *node) (ref, error)
	// operands adds to the node's inputs what the file wants as constants; nil
	// means that there is nothing.
	operands func(*node) []graph.TensorID
}

// densifyName is the operator that no graph has: it expands compressed weights.
const densifyName = "DENSIFY"

// forms has a row for every name that an operator of package graph may have.
var forms = [...]form{
	{tflite.Conv2D, 1, conv2DVersion, conv2DOptions, nil},
	{tflite.DepthwiseConv2D, 2, depthwiseConv2DVersion, depthwiseConv2DOptions, nil},
	{tflite.TransposeConv, 49, transposeConvVersion, transposeConvOptions, transposeConvOperands},
	{tflite.AveragePool2D, 5, byType(1, 2, 3), averagePool2DOptions, nil},
	{tflite.MaxPool2D, 5, byType(1, 2, 3), maxPool2DOptions, nil},

	{tflite.FullyConnected, 8, fullyConnectedVersion, fullyConnectedOptions, nil},
	{tflite.BatchMatMul, 101, byType(1, 2, 3), batchMatMulOptions, nil},

	{tflite.Add, 11, byType(1, 2, 3), addOptions, nil},
	{tflite.Sub, 28, broadcasting(3, byType(1, 2, 5)), addOptions, nil},
	{tflite.Mul, 21, mulVersion, activationOptions, nil},
	{tflite.Div, 29, broadcasting(2, byType(1, 1, 0)), activationOptions, nil},
	{tflite.Maximum, 39, broadcasting(3, byType(1, 2, 4)), plainBinaryOptions, nil},
	{tflite.Minimum, 39, broadcasting(3, byType(1, 2, 4)), plainBinaryOptions, nil},
	{tflite.SquaredDifference, 76, byType(1, 2, 0), plainBinaryOptions, nil},

	{tflite.Relu, 0, byType(1, 2, 3), nil, nil},
	{tflite.Relu6, 0, byType(1, 2, 3), nil, nil},
	{tflite.ReluN1To1, 0, byType(1, 1, 0), nil, nil},
	{tflite.Relu0To1, 0, byType(1, 1, 0), nil, nil},
	{tflite.HardSwish, 91, byType(1, 1, 0), nil, nil},
	{tflite.Logistic, 0, byType(1, 2, 3), nil, nil},
	{tflite.Tanh, 0, byType(1, 2, 3), nil, nil},
	{tflite.Elu, 0, byType(1, 1, 0), nil, nil},
	{tflite.Gelu, 116, byType(1, 2, 0), geluOptions, nil},
	{tflite.LeakyRelu, 75, byType(1, 1, 2), leakyReLUOptions, nil},
	{tflite.Prelu, 0, byType(1, 1, 1), nil, nil},
	{tflite.Abs, 78, byType(1, 2, 3), nil, nil},
	{tflite.Neg, 42, byType(1, 1, 1), nil, nil},
	{tflite.Exp, 33, byType(1, 2, 2), nil, nil},
	{tflite.Log, 0, byType(1, 2, 2), nil, nil},
	{tflite.Sqrt, 0, byType(1, 2, 2), nil, nil},
	{tflite.Rsqrt, 0, byType(1, 2, 3), nil, nil},
	{tflite.Square, 66, byType(1, 0, 0), nil, nil},
	{tflite.Sin, 0, byType(1, 0, 0), nil, nil},
	{tflite.Cos, 84, byType(1, 0, 0), nil, nil},
	{tflite.Floor, 0, byType(1, 0, 0), nil, nil},
	{tflite.Ceil, 0, byType(1, 0, 0), nil, nil},
	{tflite.Round, 0, byType(1, 0, 0), nil, nil},

	{tflite.Softmax, 9, byType(1, 2, 3), softmaxOptions, nil},
	{tflite.LogSoftmax, 36, byType(1, 2, 0), nil, nil},
	{tflite.L2Normalization, 12, byType(1, 2, 0), l2NormalizationOptions, nil},
	{tflite.Mean, 27, byType(1, 2, 3), reduceOptions, reduceOperands},
	{tflite.Sum, 27, byType(1, 2, 2), reduceOptions, reduceOperands},
	{tflite.ReduceMax, 27, byType(1, 2, 3), reduceOptions, reduceOperands},
	{tflite.ReduceMin, 27, byType(1, 2, 3), reduceOptions, reduceOperands},

	{tflite.Reshape, 17, byType(1, 1, 1), reshapeOptions, reshapeOperands},
	{tflite.Transpose, 26, transposeVersion, nil, transposeOperands},
	{tflite.Concatenation, 10, byType(1, 2, 3), concatenationOptions, nil},
	{tflite.Split, 35, byType(1, 2, 4), splitOptions, splitOperands},
	{tflite.SplitV, 79, byType(1, 2, 2), splitOptions, splitVOperands},
	{tflite.Slice, 48, deep(5, byType(1, 2, 4)), nil, sliceOperands},
	{tflite.StridedSlice, 32, deep(4, byType(1, 2, 4)), stridedSliceOptions, stridedSliceOperands},
	{tflite.Pad, 22, deep(4, byType(1, 2, 3)), nil, padOperands},
	{tflite.PadV2, 43, deep(4, byType(1, 2, 3)), nil, padV2Operands},
	{tflite.MirrorPad, 77, byType(1, 2, 3), mirrorPadOptions, padOperands},
	{tflite.ResizeBilinear, 15, resizeVersion, resizeOptions, resizeOperands},
	{tflite.ResizeNearestNeighbor, 74, resizeVersion, resizeOptions, resizeOperands},

	{tflite.Quantize, 89, quantizeVersion, quantizeOptions, nil},
	{tflite.Dequantize, 38, dequantizeVersion, nil, nil},
	{tflite.Densify, 99, nil, nil, nil},
}

// formOf returns nil for a name that has no row.
func formOf(name string) *form {
	for i := range forms {
		if forms[i].code.String() == name {
			return &forms[i]
		}
	}
	return nil
}
