package op_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"kedge/runtime"
	rt "kedge/runtime/runtimetest"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// one is a model of a single operator. Tensors 0 to len(in)-1 are its inputs,
// constants among them; the last is its output.
func one(code tflite.Code, options []any, in []rt.Tensor, out rt.Tensor) *rt.Builder {
	b := &rt.Builder{Tensors: append(in, out), Outputs: []int{len(in)}}
	o := rt.Op{Code: code, Outputs: []int{len(in)}, Options: options}
	for i, t := range in {
		o.Inputs = append(o.Inputs, i)
		if t.Data == nil {
			b.Inputs = append(b.Inputs, i)
		}
	}
	b.Ops = []rt.Op{o}
	return b
}

func int16s(scale float32, shape ...int) rt.Tensor {
	return rt.Tensor{Name: "wide", Type: tensor.Int16, Shape: shape, Scales: []float32{scale}, Zeros: []int{0}}
}

func int32s(shape ...int) rt.Tensor {
	return rt.Tensor{Name: "count", Type: tensor.Int32, Shape: shape}
}

func int64s(shape ...int) rt.Tensor {
	return rt.Tensor{Name: "long", Type: tensor.Int64, Shape: shape}
}

func bools(shape ...int) rt.Tensor {
	return rt.Tensor{Name: "truth", Type: tensor.Bool, Shape: shape}
}

func float32s(shape ...int) rt.Tensor {
	return rt.Tensor{Name: "real", Type: tensor.Float32, Shape: shape}
}

func typed(t tensor.Type, scale float32, zero int, shape ...int) rt.Tensor {
	return rt.Tensor{Name: t.String(), Type: t, Shape: shape, Scales: []float32{scale}, Zeros: []int{zero}}
}

const (
	same, valid            = byte(0), byte(1)
	none, relu, n1to1, six = byte(0), byte(1), byte(2), byte(3)
)

// TestOperators checks each operator on numbers small enough to follow by hand.
func TestOperators(t *testing.T) {
	i8 := rt.Int8s
	for _, c := range []struct {
		name  string
		model *rt.Builder
		in    [][]byte
		want  []byte
	}{
		{"ADD halves round away", one(tflite.Add, []any{none}, []rt.Tensor{rt.Int8("x", 1, 0, 4), rt.Int8("y", 1, 0, 4)}, rt.Int8("z", 2, 0, 4)),
			[][]byte{i8(1, -1, 3, -128), i8(0, 0, 4, -128)}, i8(1, -1, 4, -128)},
		{"ADD zero points, relu", one(tflite.Add, []any{relu}, []rt.Tensor{rt.Int8("x", 1, 10, 3), rt.Int8("y", 0.5, -2, 3)}, rt.Int8("z", 1, 1, 3)),
			[][]byte{i8(15, 10, 0), i8(2, -2, -2)}, i8(1+5+2, 1, 1)},
		{"ADD broadcasts both", one(tflite.Add, []any{none}, []rt.Tensor{rt.Int8("x", 1, 0, 2, 1), rt.Int8("y", 1, 0, 3)}, rt.Int8("z", 1, 0, 2, 3)),
			[][]byte{i8(10, 20), i8(1, 2, 3)}, i8(11, 12, 13, 21, 22, 23)},
		{"ADD int16 saturates", one(tflite.Add, []any{none}, []rt.Tensor{int16s(1, 2), int16s(1, 2)}, int16s(1, 2)),
			[][]byte{rt.Int16s(30000, -7), rt.Int16s(30000, 9)}, rt.Int16s(32767, 2)},
		{"ADD int32 leaves its activation out", one(tflite.Add, []any{relu}, []rt.Tensor{int32s(2), int32s(1)}, int32s(2)),
			[][]byte{rt.Int32s(-7, 1<<31-1), rt.Int32s(1)}, rt.Int32s(-6, -1<<31)},
		{"RSQRT int16", one(tflite.Rsqrt, nil, []rt.Tensor{int16s(1, 4)}, int16s(1.0/256, 4)),
			[][]byte{rt.Int16s(1, 16, 10000, 0)}, rt.Int16s(256, 64, 3, 32767)},
		{"ADD_N", one(tflite.AddN, nil, []rt.Tensor{plain(3), plain(3), plain(3)}, rt.Int8("y", 2, 1, 3)),
			[][]byte{i8(1, 100, -128), i8(2, 100, -128), i8(3, 100, -1)}, i8(4, 127, -128)},
		{"ADD_N begins with minus the zero point", one(tflite.AddN, nil, []rt.Tensor{rt.Int8("x", 1, 10, 1), rt.Int8("y", 1, 10, 1)}, rt.Int8("z", 1, 0, 1)),
			[][]byte{i8(15), i8(17)}, i8(5 + 7 - 10)},
		{"CUMSUM", one(tflite.Cumsum, []any{false, false}, []rt.Tensor{plain(2, 3), rt.Const32("a", nil, -1)}, plain(2, 3)),
			[][]byte{i8(1, 2, 3, 100, 100, -90)}, i8(1, 3, 6, 100, 127, 110)},
		{"CUMSUM down, exclusive, backward", one(tflite.Cumsum, []any{true, true}, []rt.Tensor{plain(3, 2), rt.Const32("a", nil, 0)}, plain(3, 2)),
			[][]byte{i8(1, 2, 3, 4, 5, 6)}, i8(8, 10, 5, 6, 0, 0)},
		{"CUMSUM begins with minus the zero point", one(tflite.Cumsum, nil, []rt.Tensor{rt.Int8("x", 1, 10, 2), rt.Const32("a", nil, 0)}, rt.Int8("z", 1, 0, 2)),
			[][]byte{i8(15, 17)}, i8(-5, 2)},
		{"AVERAGE_POOL_2D same", one(tflite.AveragePool2D, []any{same, 2, 2, 2, 2, none}, []rt.Tensor{rt.Int8("x", 1, 0, 1, 3, 3, 1)}, rt.Int8("y", 1, 0, 1, 2, 2, 1)),
			[][]byte{i8(1, 2, 3, 4, 5, 6, -7, -8, -9)}, i8(3, 5, -8, -9)},
		{"MAX_POOL_2D n1to1", one(tflite.MaxPool2D, []any{valid, 1, 1, 2, 1, n1to1}, []rt.Tensor{rt.Int8("x", 0.5, 0, 1, 1, 4, 1)}, rt.Int8("y", 0.5, 0, 1, 1, 3, 1)),
			[][]byte{i8(-9, -5, 1, 7)}, i8(-2, 1, 2)},
		{"CONV_2D same", one(tflite.Conv2D, []any{same, 1, 1, none}, []rt.Tensor{rt.Int8("x", 1, 1, 1, 2, 2, 1),
			rt.Weights("w", 1, []int{1, 3, 3, 1}, 1, 1, 1, 1, 1, 1, 1, 1, 1), rt.Const32("b", []int{1}, 100)}, rt.Int8("y", 1, -100, 1, 2, 2, 1)),
			[][]byte{i8(2, 3, 4, 5)}, i8(10, 10, 10, 10)},
		{"CONV_2D stride, dilation, no bias", one(tflite.Conv2D, []any{valid, 2, 1, none, 2, 1}, []rt.Tensor{rt.Int8("x", 1, 0, 1, 1, 6, 1),
			rt.Weights("w", 1, []int{1, 1, 2, 1}, 1, 10)}, rt.Int8("y", 1, 0, 1, 1, 2, 1)),
			[][]byte{i8(1, 2, 3, 4, 5, 6)}, i8(31, 53)},
		{"CONV_2D groups", one(tflite.Conv2D, []any{valid, 1, 1, none}, []rt.Tensor{rt.Int8("x", 1, 0, 1, 1, 1, 4),
			rt.Weights("w", 1, []int{2, 1, 1, 2}, 1, 2, 3, 4)}, rt.Int8("y", 1, 0, 1, 1, 1, 2)),
			[][]byte{i8(1, 2, 3, 4)}, i8(5, 25)},
		{"CONV_2D pointwise, stride 2", one(tflite.Conv2D, []any{same, 2, 2, six}, []rt.Tensor{rt.Int8("x", 1, 0, 1, 3, 3, 1),
			rt.Weights("w", 1, []int{2, 1, 1, 1}, 1, -1)}, rt.Int8("y", 1, 0, 1, 2, 2, 2)),
			[][]byte{i8(1, 0, 2, 0, 0, 0, -3, 0, 9)}, i8(1, 0, 2, 0, 0, 3, 6, 0)},
		{"DEPTHWISE_CONV_2D multiplier 2", one(tflite.DepthwiseConv2D, []any{valid, 1, 1, 2, none}, []rt.Tensor{rt.Int8("x", 1, 1, 1, 1, 2, 2),
			rt.Weights("w", 1, []int{1, 1, 2, 4}, 1, 2, 3, 4, 5, 6, 7, 8), rt.Const32("b", []int{4}, 0, 0, 0, 1)}, rt.Int8("y", 1, 0, 1, 1, 1, 4)),
			[][]byte{i8(2, 3, 4, 5)}, i8(1+15, 2+18, 6+28, 8+32+1)},
		{"FULLY_CONNECTED rows", one(tflite.FullyConnected, []any{none}, []rt.Tensor{rt.Int8("x", 1, 0, 2, 2),
			rt.Weights("w", 1, []int{3, 2}, 1, 2, 3, 4, -5, 6), rt.Const32("b", []int{3}, 1, 0, 0)}, rt.Int8("y", 1, 0, 2, 3)),
			[][]byte{i8(1, 2, 3, 4)}, i8(6, 11, 7, 12, 25, 9)},
		{"FULLY_CONNECTED doubles per channel", one(tflite.FullyConnected, nil, []rt.Tensor{rt.Int8("x", 1, 0, 1, 1),
			perChannel(rt.Weights("w", 1, []int{2, 1}, 3, 3), 1, 2)}, rt.Int8("y", 1, 0, 1, 2)),
			[][]byte{i8(5)}, i8(15, 30)},
		{"FULLY_CONNECTED weights' zero point", one(tflite.FullyConnected, nil, []rt.Tensor{rt.Int8("x", 1, 2, 1, 2),
			zeroed(rt.Weights("w", 1, []int{1, 2}, 5, 7), 4)}, rt.Int8("y", 1, 0, 1, 1)),
			[][]byte{i8(3, 6)}, i8(1*1 + 3*4)},
		{"FULLY_CONNECTED int4", one(tflite.FullyConnected, nil, []rt.Tensor{rt.Int8("x", 1, 0, 1, 3),
			{Name: "w", Type: tensor.Int4, Shape: []int{1, 3}, Scales: []float32{1}, Zeros: []int{0}, Data: []byte{0xE7, 0x08}}}, rt.Int8("y", 1, 0, 1, 1)),
			[][]byte{i8(1, 10, 1)}, i8(7 - 20 - 8)},
		{"MEAN drops axes", one(tflite.Mean, []any{false}, []rt.Tensor{rt.Int8("x", 1, 0, 1, 2, 2, 2), rt.Const32("a", []int{2}, 1, -2)}, rt.Int8("y", 1, 0, 1, 2)),
			[][]byte{i8(1, 10, 2, 20, 3, 30, 4, 40)}, i8(3, 25)}, // 2.5 rounds away from zero
		{"MEAN keeps axes", one(tflite.Mean, []any{true}, []rt.Tensor{rt.Int8("x", 1, 5, 2, 3), rt.Const32("a", []int{1}, 1)}, rt.Int8("y", 0.5, 0, 2, 1)),
			[][]byte{i8(5, 6, 7, 4, 4, 4)}, i8(2, -2)},
		{"PAD writes the zero point", one(tflite.Pad, nil, []rt.Tensor{rt.Int8("x", 1, 9, 2, 2), rt.Const32("p", []int{2, 2}, 1, 0, 0, 2)}, rt.Int8("y", 1, 9, 3, 4)),
			[][]byte{i8(1, 2, 3, 4)}, i8(9, 9, 9, 9, 1, 2, 9, 9, 3, 4, 9, 9)},
		{"PAD float32", one(tflite.Pad, nil, []rt.Tensor{float32s(1), rt.Const32("p", []int{1, 2}, 1, 0)}, float32s(2)),
			[][]byte{rt.Float32s(-1.5)}, rt.Float32s(0, -1.5)},
		{"PAD int16", one(tflite.Pad, nil, []rt.Tensor{int16s(1, 2), rt.Const32("p", []int{1, 2}, 1, 1)}, int16s(1, 4)),
			[][]byte{rt.Int16s(1000, -2000)}, rt.Int16s(0, 1000, -2000, 0)},
		{"RELU requantizes", one(tflite.Relu, nil, []rt.Tensor{rt.Int8("x", 2, 0, 3)}, rt.Int8("y", 1, -10, 3)),
			[][]byte{i8(-5, 3, 100)}, i8(-10, -4, 127)},
		{"RELU_N1_TO_1", one(tflite.ReluN1To1, nil, []rt.Tensor{rt.Int8("x", 0.5, -4, 4)}, rt.Int8("y", 0.25, 9, 4)),
			[][]byte{i8(-14, -5, -3, 6)}, i8(5, 7, 11, 13)},
		{"RELU_0_TO_1", one(tflite.Relu0To1, nil, []rt.Tensor{rt.Int8("x", 0.5, -4, 4)}, rt.Int8("y", 0.25, 9, 4)),
			[][]byte{i8(-14, -4, -3, 6)}, i8(9, 9, 11, 13)},
		{"RELU6 only clamps", one(tflite.Relu6, nil, []rt.Tensor{rt.Int8("x", 0.5, -4, 4)}, rt.Int8("y", 0.25, 9, 4)),
			[][]byte{i8(-5, -4, 3, 100)}, i8(-4, -4, 3, 8)},
		{"RESHAPE resolves -1", one(tflite.Reshape, nil, []rt.Tensor{rt.Int8("x", 1, 0, 2, 3)}, rt.Int8("y", 1, 0, 3, -1)),
			[][]byte{i8(1, 2, 3, 4, 5, 6)}, i8(1, 2, 3, 4, 5, 6)},
		{"SOFTMAX of equals", one(tflite.Softmax, []any{float32(1)}, []rt.Tensor{rt.Int8("x", 1, 0, 1, 4)}, rt.Int8("y", 1.0/256, -128, 1, 4)),
			[][]byte{i8(7, 7, 7, 7)}, i8(-64, -64, -64, -64)},
		{"SOFTMAX saturates", one(tflite.Softmax, []any{float32(1)}, []rt.Tensor{rt.Int8("x", 1, 0, 2, 2)}, rt.Int8("y", 1.0/256, -128, 2, 2)),
			[][]byte{i8(127, -128, 0, 0)}, i8(127, -128, 0, 0)},
		{"SOFTMAX to int16", one(tflite.Softmax, []any{float32(1)}, []rt.Tensor{rt.Int8("x", 1, 0, 1, 2)}, typed(tensor.Int16, 1.0/65536, -32768, 1, 2)),
			[][]byte{i8(3, 3)}, rt.Int16s(0, 0)},
		{"SOFTMAX of 600 equals, where the reference aborts", one(tflite.Softmax, []any{float32(1)}, []rt.Tensor{rt.Int8("x", 1, 0, 1, 600)}, rt.Int8("y", 1.0/256, -128, 1, 600)),
			[][]byte{make([]byte, 600)}, bytes.Repeat(i8(-128), 600)},
		{"SOFTMAX int16 of more equals than the reference can sum", one(tflite.Softmax, []any{float32(1)}, []rt.Tensor{int16s(1, 1, 140_000)}, int16s(1.0/32768, 1, 140_000)),
			[][]byte{make([]byte, 280_000)}, make([]byte, 280_000)},
		{"LOG_SOFTMAX of 5000 equals, which sum to 4096", one(tflite.LogSoftmax, nil, []rt.Tensor{rt.Int8("x", 1, 0, 1, 5000)}, rt.Int8("y", 1.0/16, 127, 1, 5000)),
			[][]byte{make([]byte, 5000)}, bytes.Repeat(i8(127-133), 5000)}, // ln 4096 is 133.08/16
		{"QUANTIZE of what is no number", one(tflite.Quantize, nil, []rt.Tensor{float32s(3)}, rt.Int8("y", 0.5, 3, 3)),
			[][]byte{rt.Float32s(float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)))}, i8(3, 127, -128)},
		{"QUANTIZE float", one(tflite.Quantize, nil, []rt.Tensor{float32s(5)}, rt.Int8("y", 0.5, 3, 5)),
			[][]byte{rt.Float32s(0, 0.25, -0.25, 1e30, -1e30)}, i8(3, 4, 2, 127, -128)},
		{"QUANTIZE int8 to uint8", one(tflite.Quantize, nil, []rt.Tensor{rt.Int8("x", 1, -128, 3)}, typed(tensor.Uint8, 1, 0, 3)),
			[][]byte{i8(-128, 0, 127)}, []byte{0, 128, 255}},
		{"QUANTIZE int8 to int16", one(tflite.Quantize, nil, []rt.Tensor{rt.Int8("x", 1, 1, 2)}, int16s(0.25, 2)),
			[][]byte{i8(2, -128)}, rt.Int16s(4, -516)},
		{"QUANTIZE to int16 with a zero point", one(tflite.Quantize, nil, []rt.Tensor{rt.Int8("x", 1, 0, 2)}, typed(tensor.Int16, 1, 100, 2)),
			[][]byte{i8(2, -3)}, rt.Int16s(102, 97)},
		{"QUANTIZE int16 to int32", one(tflite.Quantize, nil, []rt.Tensor{int16s(1, 2)}, typed(tensor.Int32, 0.5, 7, 2)),
			[][]byte{rt.Int16s(100, -3)}, rt.Int32s(207, 1)},
		{"SVDF ignores its activation", svdfModel(tensor.Int8, relu), [][]byte{i8(3, 4)}, i8(-7)},
		{"SVDF int16 state", svdfModel(tensor.Int16, none), [][]byte{i8(3, 4)}, i8(-7)},
		{"TRANSPOSE_CONV overlaps, crops", one(tflite.TransposeConv, []any{same, 1, 1, none}, []rt.Tensor{rt.Const32("s", []int{4}, 1, 1, 3, 1),
			rt.Weights("w", 1, []int{1, 1, 3, 1}, 1, 2, 3), rt.Int8("x", 1, 1, 1, 1, 3, 1), rt.Const32("b", []int{1}, 10)}, rt.Int8("y", 1, 0, 1, 1, 3, 1)),
			[][]byte{i8(2, 11, 51)}, i8(10+2+10, 10+3+20+50, 127)},
		{"TRANSPOSE_CONV strides, two filters", one(tflite.TransposeConv, []any{valid, 2, 2, relu}, []rt.Tensor{rt.Const32("s", []int{4}, 1, 2, 5, 2),
			rt.Weights("w", 1, []int{2, 1, 2, 2}, 1, 0, 0, 1, 1, 1, -1, -1), rt.Int8("x", 1, 0, 1, 1, 2, 2)}, rt.Int8("y", 1, 0, 1, 2, 5, 2)),
			[][]byte{i8(1, 2, 3, 4)}, i8(1, 3, 2, 0, 3, 7, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)},
		{"TRANSPOSE_CONV valid, window wider than the output", one(tflite.TransposeConv, []any{valid, 4, 1, none}, []rt.Tensor{rt.Const32("s", []int{4}, 1, 1, 2, 1),
			rt.Weights("w", 1, []int{1, 1, 8, 1}, 1, 2, 3, 4, 5, 6, 7, 8), rt.Int8("x", 1, 0, 1, 1, 1, 1)}, rt.Int8("y", 1, 0, 1, 1, 2, 1)),
			[][]byte{i8(10)}, i8(20, 30)}, // one column is cut off: (2+4−8)/4 truncates to 0 windows
		{"TRANSPOSE_CONV valid, window far wider", one(tflite.TransposeConv, []any{valid, 4, 1, none}, []rt.Tensor{rt.Const32("s", []int{4}, 1, 1, 2, 1),
			rt.Weights("w", 1, []int{1, 1, 10, 1}, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10), rt.Int8("x", 1, 0, 1, 1, 1, 1)}, rt.Int8("y", 1, 0, 1, 1, 2, 1)),
			[][]byte{i8(10)}, i8(10, 20)},
		{"TRANSPOSE_CONV int16, int16 bias", one(tflite.TransposeConv, []any{valid, 1, 1, none}, []rt.Tensor{rt.Const32("s", []int{4}, 1, 1, 2, 1),
			rt.Weights("w", 0.5, []int{1, 1, 1, 1}, 3), int16s(1, 1, 1, 2, 1), {Name: "b", Type: tensor.Int16, Shape: []int{1}, Data: rt.Int16s(-1)}}, int16s(1, 1, 1, 2, 1)),
			[][]byte{rt.Int16s(100, -100)}, rt.Int16s(150, -150)}, // 149.5 and -150.5 round up
		{"BATCH_MATMUL", one(tflite.BatchMatMul, []any{false, false}, []rt.Tensor{rt.Int8("x", 1, 1, 2, 3), rt.Int8("y", 1, 0, 3, 2)}, rt.Int8("z", 1, 5, 2, 2)),
			[][]byte{i8(2, 3, 4, 1, 1, 0), i8(1, 2, 3, 4, 5, 6)}, i8(27, 33, 0, -1)},
		{"BATCH_MATMUL transposes, broadcasts", one(tflite.BatchMatMul, []any{true, true}, []rt.Tensor{rt.Int8("x", 1, 0, 2, 1, 2, 1), rt.Int8("y", 1, 0, 3, 1, 2)}, rt.Int8("z", 0.5, 0, 2, 3, 1, 1)),
			[][]byte{i8(1, 2, 3, 4), i8(1, 0, 0, 1, 1, 1)}, i8(2, 4, 6, 6, 8, 14)},
		{"BATCH_MATMUL int16", one(tflite.BatchMatMul, nil, []rt.Tensor{int16s(1, 1, 2), int16s(1, 2, 1)}, int16s(4, 1, 1)),
			[][]byte{rt.Int16s(100, -3), rt.Int16s(200, 2)}, rt.Int16s(4999)}, // 19994/4 = 4998.5
		{"BATCH_MATMUL of nothing", one(tflite.BatchMatMul, nil, []rt.Tensor{rt.Int8("x", 1, 0, 1, 0), rt.Int8("y", 1, 0, 0, 2)}, rt.Int8("z", 1, 7, 1, 2)),
			[][]byte{nil, nil}, i8(7, 7)},
		{"SUB halves round away", one(tflite.Sub, []any{none}, []rt.Tensor{rt.Int8("x", 1, 0, 4), rt.Int8("y", 1, 0, 4)}, rt.Int8("z", 2, 0, 4)),
			[][]byte{i8(1, -1, 3, -128), i8(0, 0, -4, 127)}, i8(1, -1, 4, -128)},
		{"SUB broadcasts the first, relu6", one(tflite.Sub, []any{six}, []rt.Tensor{rt.Int8("x", 1, 1, 1), rt.Int8("y", 0.5, 0, 3)}, rt.Int8("z", 1, -1, 3)),
			[][]byte{i8(5), i8(2, -20, 20)}, i8(2, 5, -1)},
		{"SUB int16 saturates", one(tflite.Sub, []any{none}, []rt.Tensor{int16s(1, 2), int16s(1, 2)}, int16s(1, 2)),
			[][]byte{rt.Int16s(-30000, -7), rt.Int16s(30000, 9)}, rt.Int16s(-32768, -16)},
		{"SUB int32", one(tflite.Sub, []any{relu}, []rt.Tensor{int32s(3), int32s(1)}, int32s(3)),
			[][]byte{rt.Int32s(7, 2, 1<<30), rt.Int32s(3)}, rt.Int32s(4, 0, 1<<30-3)},
		{"MUL halves round up when nothing is shifted", one(tflite.Mul, []any{none}, []rt.Tensor{rt.Int8("x", 0.5, 1, 4), rt.Int8("y", 1, -1, 4)}, rt.Int8("z", 1, 3, 4)),
			[][]byte{i8(2, 0, 5, 127), i8(4, 4, -4, 127)}, i8(6, 1, -3, 127)},
		{"MUL broadcasts both, n1to1", one(tflite.Mul, []any{n1to1}, []rt.Tensor{rt.Int8("x", 0.5, 0, 2, 1), rt.Int8("y", 0.5, 0, 3)}, rt.Int8("z", 0.25, 0, 2, 3)),
			[][]byte{i8(1, -2), i8(1, 2, 3)}, i8(1, 2, 3, -2, -4, -4)},
		{"MUL int16", one(tflite.Mul, []any{none}, []rt.Tensor{int16s(0.5, 2), int16s(0.5, 1)}, int16s(1, 2)),
			[][]byte{rt.Int16s(-30000, 7), rt.Int16s(2)}, rt.Int16s(-15000, 4)},
		{"MUL int32", one(tflite.Mul, []any{six}, []rt.Tensor{int32s(3), int32s()}, int32s(3)),
			[][]byte{rt.Int32s(1, -2, 3), rt.Int32s(4)}, rt.Int32s(4, 0, 6)},
		{"MUL of nothing", one(tflite.Mul, []any{none}, []rt.Tensor{rt.Int8("x", 1, 0, 2, 0), rt.Int8("y", 1, 0, 2, 1)}, rt.Int8("z", 1, 0, 2, 0)),
			[][]byte{{}, i8(1, 2)}, nil},
		{"LOGISTIC", one(tflite.Logistic, nil, []rt.Tensor{rt.Int8("x", 1, -1, 5)}, rt.Int8("y", 1.0/256, -128, 5)),
			[][]byte{i8(-1, 0, -2, 127, -128)}, i8(0, 59, -59, 127, -128)}, // 1/(1+1/e) is 187.15/256
		{"LOGISTIC of steps beyond the range", one(tflite.Logistic, nil, []rt.Tensor{rt.Int8("x", 1000, 0, 3)}, rt.Int8("y", 1.0/256, -128, 3)),
			[][]byte{i8(0, 1, -1)}, i8(-128, 127, -128)},
		{"LOGISTIC int16", one(tflite.Logistic, nil, []rt.Tensor{int16s(1.0/4096, 4)}, int16s(1.0/32768, 4)),
			[][]byte{rt.Int16s(0, 4096, -4096, 32767)}, rt.Int16s(16384, 23956, 8812, 32757)}, // 23955.58 of 32768
		{"LOGISTIC int16, any scale", one(tflite.Logistic, nil, []rt.Tensor{int16s(0.5, 4)}, int16s(1.0/32768, 4)),
			[][]byte{rt.Int16s(0, 2, -2, -1000)}, rt.Int16s(16384, 23956, 8812, 1)},
		{"TANH", one(tflite.Tanh, nil, []rt.Tensor{rt.Int8("x", 0.5, 2, 5)}, rt.Int8("y", 1.0/128, 0, 5)),
			[][]byte{i8(2, 4, 0, 127, -128)}, i8(0, 97, -97, 127, -128)}, // tanh 1 is 97.48/128
		{"TANH int16", one(tflite.Tanh, nil, []rt.Tensor{int16s(1.0/2048, 4)}, int16s(1.0/32768, 4)),
			[][]byte{rt.Int16s(0, 2048, -2048, 32767)}, rt.Int16s(0, 24956, -24956, 32767)},
		{"TANH int16, any scale", one(tflite.Tanh, nil, []rt.Tensor{int16s(0.1, 3)}, int16s(1.0/32768, 3)),
			[][]byte{rt.Int16s(10, -10, -32768)}, rt.Int16s(24956, -24955, -32767)},
		{"LEAKY_RELU", one(tflite.LeakyRelu, []any{float32(0.25)}, []rt.Tensor{rt.Int8("x", 1, 2, 4)}, rt.Int8("y", 0.5, -1, 4)),
			[][]byte{i8(2, 5, -2, -4)}, i8(-1, 5, -3, -4)},
		{"LEAKY_RELU of negative alpha", one(tflite.LeakyRelu, []any{float32(-2)}, []rt.Tensor{rt.Int8("x", 1, 0, 3)}, rt.Int8("y", 1, 0, 3)),
			[][]byte{i8(3, -3, -100)}, i8(3, 6, 127)},
		{"LEAKY_RELU int16", one(tflite.LeakyRelu, []any{float32(0.5)}, []rt.Tensor{int16s(1, 3)}, int16s(0.5, 3)),
			[][]byte{rt.Int16s(3, -7, 30000)}, rt.Int16s(6, -7, 32767)},
		{"MAXIMUM broadcasts", one(tflite.Maximum, nil, []rt.Tensor{rt.Int8("x", 1, 5, 2, 2), rt.Int8("y", 1, 5)}, rt.Int8("z", 1, 5, 2, 2)),
			[][]byte{i8(-3, 4, 127, -128), i8(-1)}, i8(-1, 4, 127, -1)},
		{"MINIMUM int64", one(tflite.Minimum, nil, []rt.Tensor{int64s(2), int64s(2)}, int64s(2)),
			[][]byte{rt.Int32s(0, 1, 7, 0), rt.Int32s(5, 0, 8, 0)}, rt.Int32s(5, 0, 7, 0)},
		{"MINIMUM float32", one(tflite.Minimum, nil, []rt.Tensor{float32s(2), float32s(2)}, float32s(2)),
			[][]byte{rt.Float32s(1.5, -2), rt.Float32s(-1, 3)}, rt.Float32s(-1, -2)},
		{"MAXIMUM int16", one(tflite.Maximum, nil, []rt.Tensor{int16s(1, 1), int16s(1, 1)}, int16s(1, 1)),
			[][]byte{rt.Int16s(-300), rt.Int16s(-299)}, rt.Int16s(-299)},
		{"HARD_SWISH", one(tflite.HardSwish, nil, []rt.Tensor{rt.Int8("x", 0.125, -1, 6)}, rt.Int8("y", 0.125, 4, 6)),
			[][]byte{i8(-1, -25, -26, 23, 39, 11)}, i8(4, 4, 4, 28, 44, 13)}, // 1.5·4.5/6 is 9/8
		{"PRELU alpha of each channel", one(tflite.Prelu, nil, []rt.Tensor{rt.Int8("x", 1, 1, 2, 2), rt.Int8("a", 0.25, -2, 2)}, rt.Int8("y", 0.5, 3, 2, 2)),
			[][]byte{i8(4, -3, -3, 1), i8(2, -6)}, i8(9, 11, -5, 3)},
		{"PRELU int16", one(tflite.Prelu, nil, []rt.Tensor{int16s(1, 3), rt.Int8("a", 0.5, 0, 1)}, int16s(1, 3)),
			[][]byte{rt.Int16s(1000, -1000, -32768), i8(3)}, rt.Int16s(1000, -1500, -32768)},
		{"SUM drops axes", one(tflite.Sum, []any{false}, []rt.Tensor{rt.Int8("x", 1, 1, 2, 3), rt.Const32("a", []int{2}, -2, 0)}, rt.Int8("y", 2, 5, 3)),
			[][]byte{i8(1, 2, 3, 2, 4, 127)}, i8(6, 7, 69)}, // halves: 0.5, 2, 64
		{"SUM int16 keeps axes", one(tflite.Sum, []any{true}, []rt.Tensor{int16s(1, 2, 2), rt.Const32("a", []int{}, 1)}, int16s(1, 2, 1)),
			[][]byte{rt.Int16s(30000, 30000, -1, 3)}, rt.Int16s(32767, 2)},
		{"SUM of nothing", one(tflite.Sum, []any{false}, []rt.Tensor{rt.Int8("x", 1, 1, 2, 0), rt.Const32("a", []int{1}, 1)}, rt.Int8("y", 2, 5, 2)),
			[][]byte{{}}, i8(0, 0)},
		{"SUM of a scalar", one(tflite.Sum, nil, []rt.Tensor{rt.Int8("x", 1, 1), rt.Const32("a", []int{1}, 7)}, rt.Int8("y", 1, 0)),
			[][]byte{i8(4)}, i8(3)},
		{"REDUCE_MAX outer", one(tflite.ReduceMax, nil, []rt.Tensor{rt.Int8("x", 1, 3, 2, 3), rt.Const32("a", []int{1}, 0)}, rt.Int8("y", 1, 3, 3)),
			[][]byte{i8(1, -128, 3, -4, -128, 6)}, i8(1, -128, 6)},
		{"REDUCE_MIN all, kept", one(tflite.ReduceMin, []any{true}, []rt.Tensor{float32s(2, 3), rt.Const32("a", []int{2}, 0, -1)}, float32s(1, 1)),
			[][]byte{rt.Float32s(1, 2, 3, -4.5, 5, 6)}, rt.Float32s(-4.5)},
		{"REDUCE_MAX of nothing", one(tflite.ReduceMax, nil, []rt.Tensor{rt.Int8("x", 1, 3, 0, 2), rt.Const32("a", []int{1}, 0)}, rt.Int8("y", 1, 3, 2)),
			[][]byte{{}}, i8(-128, -128)},
		{"ARG_MAX int64", one(tflite.ArgMax, []any{byte(tensor.Int64)}, []rt.Tensor{rt.Int8("x", 1, 0, 2, 2), rt.Const32("a", nil, -1)}, int64s(2)),
			[][]byte{i8(1, 2, 4, 3)}, rt.Int32s(1, 0, 0, 0)},
		{"ARG_MAX takes the first", one(tflite.ArgMax, nil, []rt.Tensor{rt.Int8("x", 1, 0, 2, 4), rt.Const32("a", []int{1}, -1)}, int32s(2)),
			[][]byte{i8(1, 7, 7, -8, -1, -2, -3, 0)}, rt.Int32s(1, 3)},
		{"ARG_MIN in the middle", one(tflite.ArgMin, nil, []rt.Tensor{float32s(2, 3, 2), rt.Const32("a", []int{}, 1)}, int32s(2, 2)),
			[][]byte{rt.Float32s(1, 2, 0, 3, 4, -1, 5, 5, 5, 4, 6, 4)}, rt.Int32s(1, 2, 0, 1)},
		{"EQUAL of two quantizations", one(tflite.Equal, nil, []rt.Tensor{rt.Int8("x", 0.5, 0, 3), rt.Int8("y", 0.25, 1, 3)}, bools(3)),
			[][]byte{i8(1, 2, -3), i8(3, 4, -5)}, []byte{1, 0, 1}},
		{"NOT_EQUAL bool", one(tflite.NotEqual, nil, []rt.Tensor{bools(2, 1), bools(2)}, bools(2, 2)),
			[][]byte{{0, 1}, {0, 1}}, []byte{0, 1, 1, 0}},
		{"GREATER broadcasts", one(tflite.Greater, nil, []rt.Tensor{int32s(1), int32s(3)}, bools(3)),
			[][]byte{rt.Int32s(2), rt.Int32s(1, 2, 3)}, []byte{1, 0, 0}},
		{"GREATER_EQUAL", one(tflite.GreaterEqual, nil, []rt.Tensor{int32s(3), int32s(1)}, bools(3)),
			[][]byte{rt.Int32s(1, 2, 3), rt.Int32s(2)}, []byte{0, 1, 1}},
		{"LESS int64", one(tflite.Less, nil, []rt.Tensor{int64s(2), int64s(2)}, bools(2)),
			[][]byte{rt.Int32s(0, 1, -1, -1), rt.Int32s(5, 0, 0, 0)}, []byte{0, 1}},
		{"LESS_EQUAL float32", one(tflite.LessEqual, nil, []rt.Tensor{float32s(3), float32s(3)}, bools(3)),
			[][]byte{rt.Float32s(1, 2, float32(math.NaN())), rt.Float32s(1, 1, 1)}, []byte{1, 0, 0}},
		{"ABS requantizes", one(tflite.Abs, nil, []rt.Tensor{rt.Int8("x", 1, 2, 4)}, rt.Int8("y", 0.5, -10, 4)),
			[][]byte{i8(2, 5, -1, -128)}, i8(-10, -4, -4, 127)},
		{"ABS of equal scales", one(tflite.Abs, nil, []rt.Tensor{rt.Int8("x", 0.3, 2, 3)}, rt.Int8("y", 0.3, 0, 3)),
			[][]byte{i8(2, -5, 100)}, i8(0, 7, 98)},
		{"ABS int16", one(tflite.Abs, nil, []rt.Tensor{int16s(1, 2)}, int16s(1, 2)),
			[][]byte{rt.Int16s(-32768, 3)}, rt.Int16s(32767, 3)},
		{"ABS int16 without quantization", one(tflite.Abs, nil, []rt.Tensor{{Type: tensor.Int16, Shape: []int{2}}}, rt.Tensor{Type: tensor.Int16, Shape: []int{2}}),
			[][]byte{rt.Int16s(-32768, -3)}, rt.Int16s(-32768, 3)},
		{"RSQRT", one(tflite.Rsqrt, nil, []rt.Tensor{rt.Int8("x", 1, -1, 5)}, rt.Int8("y", 1.0/64, 3, 5)),
			[][]byte{i8(3, 15, 63, -1, -2)}, i8(32+3, 16+3, 8+3, 127, 127)},
		{"ELU", one(tflite.Elu, nil, []rt.Tensor{rt.Int8("x", 0.5, 0, 4)}, rt.Int8("y", 1.0/64, 1, 4)),
			[][]byte{i8(0, 2, -2, -128)}, i8(1, 65, -39, -63)}, // e^-1 - 1 is -40.46/64
		{"SQUARED_DIFFERENCE broadcasts", one(tflite.SquaredDifference, nil, []rt.Tensor{rt.Int8("x", 1, 0, 3), rt.Int8("y", 0.5, 1, 1)}, rt.Int8("z", 1, -2, 3)),
			[][]byte{i8(5, 0, 100), i8(5)}, i8(7, 2, 127)},
		{"SQUARED_DIFFERENCE int16", one(tflite.SquaredDifference, nil, []rt.Tensor{int16s(1, 2), int16s(1, 2)}, int16s(4, 2)),
			[][]byte{rt.Int16s(100, -3), rt.Int16s(-100, 5)}, rt.Int16s(10000, 16)},
		{"SQUARED_DIFFERENCE int32", one(tflite.SquaredDifference, nil, []rt.Tensor{int32s(2), int32s(2)}, int32s(2)),
			[][]byte{rt.Int32s(5, -5), rt.Int32s(2, 5)}, rt.Int32s(9, 100)},
		{"DIV", one(tflite.Div, []any{none}, []rt.Tensor{rt.Int8("x", 1, 0, 6), rt.Int8("y", 1, 1, 6)}, rt.Int8("z", 0.5, 3, 6)),
			[][]byte{i8(6, -6, 7, 1, -1, 0), i8(4, 4, -1, 1, 1, 1)}, i8(4+3, -4+3, -7+3, 127, -128, 3)},
		{"DIV int32", one(tflite.Div, []any{none}, []rt.Tensor{int32s(4), int32s(4)}, int32s(4)),
			[][]byte{rt.Int32s(7, -7, 3, -1<<31), rt.Int32s(2, 2, 0, -1)}, rt.Int32s(3, -3, 0, -1<<31)},
		{"L2_NORMALIZATION", one(tflite.L2Normalization, nil, []rt.Tensor{rt.Int8("x", 1, 2, 3, 2)}, rt.Int8("y", 1.0/128, 0, 3, 2)),
			[][]byte{i8(5, 6, -10, 2, 2, 2)}, i8(77, 102, -128, 0, 0, 0)}, // 3/5 and 4/5 of 128: 76.8, 102.4
		{"LOG_SOFTMAX", one(tflite.LogSoftmax, nil, []rt.Tensor{rt.Int8("x", 1, 0, 2, 2)}, rt.Int8("y", 1.0/16, 127, 2, 2)),
			[][]byte{i8(7, 7, 100, -100)}, i8(116, 116, 127, -128)}, // ln 2 is 11.09/16
		{"CAST int8 to float32", one(tflite.Cast, nil, []rt.Tensor{rt.Int8("x", 2, 5, 2)}, float32s(2)),
			[][]byte{i8(-3, 7)}, rt.Float32s(-3, 7)},
		{"CAST int32 to int8 wraps", one(tflite.Cast, nil, []rt.Tensor{int32s(3)}, rt.Int8("y", 1, 0, 3)),
			[][]byte{rt.Int32s(5, 300, -129)}, i8(5, 44, 127)},
		{"CAST float32 to int32", one(tflite.Cast, nil, []rt.Tensor{float32s(4)}, int32s(4)),
			[][]byte{rt.Float32s(2.9, -2.9, 1e20, float32(math.NaN()))}, rt.Int32s(2, -2, -1<<31, -1<<31)},
		{"CAST uint32 to float32", one(tflite.Cast, nil, []rt.Tensor{{Type: tensor.Uint32, Shape: []int{1}}}, float32s(1)),
			[][]byte{rt.Int32s(-1 << 31)}, rt.Float32s(1 << 31)},
		{"CAST bool to int32", one(tflite.Cast, nil, []rt.Tensor{bools(2)}, int32s(2)),
			[][]byte{{1, 0}}, rt.Int32s(1, 0)},
		{"DEQUANTIZE", one(tflite.Dequantize, nil, []rt.Tensor{rt.Int8("x", 0.1, -1, 3)}, float32s(3)),
			[][]byte{i8(-1, 9, -128)}, rt.Float32s(0, 1, -12.7)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := rt.Run(t, c.model, c.in...); !bytes.Equal(got, c.want) {
				t.Errorf("got % x, want % x", got, c.want)
			}
		})
	}
}

// svdfModel is one unit of rank 2 over two features and two steps, with state of
// the given type: x = (2, 3) gives filters 1·2+2·3 = 8 and −1·2 = −2, which the
// newest time weights 2 and 5 bring to 16 − 10 = 6; bias −13.
func svdfModel(state tensor.Type, act byte) *rt.Builder {
	past := typed(state, 1, 0, 1, 4)
	past.Variable = true
	time := typed(state, 1, 0, 2, 2)
	time.Data = rt.Int8s(1, 2, 3, 5)
	if state == tensor.Int16 {
		time.Data = rt.Int16s(1, 2, 3, 5)
	}
	b := one(tflite.SVDF, []any{2, act}, []rt.Tensor{rt.Int8("x", 1, 1, 1, 2), rt.Weights("wf", 1, []int{2, 2}, 1, 2, -1, 0), time,
		{Name: "b", Type: tensor.Int32, Shape: []int{1}, Scales: []float32{1}, Zeros: []int{0}, Data: rt.Int32s(-13)}, past}, rt.Int8("y", 1, 0, 1, 1))
	b.Inputs = []int{0}
	return b
}

// TestSVDFRemembers feeds two samples: the second sees the first through the
// older time weights.
func TestSVDFRemembers(t *testing.T) {
	for _, state := range []tensor.Type{tensor.Int8, tensor.Int16} {
		m, err := runtime.Load(svdfModel(state, none).Bytes(), runtime.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := m.NewSession(runtime.SessionOptions{})
		if err != nil {
			t.Fatal(err)
		}
		feed := func(want int) {
			t.Helper()
			copy(s.Input(0), rt.Int8s(3, 4))
			s.Invoke()
			if got := int(int8(s.Output(0)[0])); got != want {
				t.Errorf("%v: got %d, want %d", state, got, want)
			}
		}
		feed(-7)
		feed(-7 + 8 - 6)
		s.Reset()
		feed(-7)
	}
}

func perChannel(t rt.Tensor, scales ...float32) rt.Tensor {
	t.Scales, t.Zeros = scales, make([]int, len(scales))
	return t
}

func zeroed(t rt.Tensor, zero int) rt.Tensor {
	t.Zeros = []int{zero}
	return t
}

// TestRefusals checks that what an operator cannot do is said, with its place.
func TestRefusals(t *testing.T) {
	x, w := rt.Int8("x", 1, 0, 1, 4, 4, 2), rt.Weights("w", 1, []int{1, 1, 1, 2}, 1, 1)
	y := rt.Int8("y", 1, 0, 1, 4, 4, 1)
	conv := func(options []any, edit func(in []rt.Tensor, out *rt.Tensor)) *rt.Builder {
		in, out := []rt.Tensor{x, w}, y
		edit(in, &out)
		return one(tflite.Conv2D, options, in, out)
	}
	plain := []any{same, 1, 1, none}
	keep := func([]rt.Tensor, *rt.Tensor) {}
	for _, c := range []struct {
		name  string
		model *rt.Builder
		kind  error
		want  string
	}{
		{"no stride", conv(nil, keep), runtime.ErrInvalid, "stride 0x0"},
		{"activation", conv([]any{same, 1, 1, byte(4)}, keep), runtime.ErrUnsupported, "fused activation 4"},
		{"padding", conv([]any{byte(7), 1, 1}, keep), runtime.ErrInvalid, "padding 7"},
		{"huge dilation", conv([]any{same, 1, 1, none, 1 << 30, 1 << 30}, keep), runtime.ErrInvalid, "a window that fits"},
		{"output shape", conv(plain, func(_ []rt.Tensor, out *rt.Tensor) { out.Shape = []int{1, 4, 3, 1} }), runtime.ErrInvalid, `tensor "y": found shape [1,4,3,1], want [1,4,4,...]`},
		{"output channels", conv(plain, func(_ []rt.Tensor, out *rt.Tensor) { out.Shape = []int{1, 4, 4, 2} }), runtime.ErrInvalid, "found 2 channels, want 1"},
		{"int32 input", conv(plain, func(in []rt.Tensor, _ *rt.Tensor) { in[0].Type = tensor.Int32 }), runtime.ErrUnsupported, `operator 0 CONV_2D: tensor "x": found int32, want int8 or uint8 or int16`},
		{"float input", conv(plain, func(in []rt.Tensor, _ *rt.Tensor) { in[0].Type = tensor.Float32 }), runtime.ErrUnsupported, `operator 0 CONV_2D: tensor "w": found int8, want float32`},
		{"computed weights", conv(plain, func(in []rt.Tensor, _ *rt.Tensor) { in[1].Data = nil }), runtime.ErrUnsupported, "a computed tensor, want a constant"},
		{"asymmetric weights", conv(plain, func(in []rt.Tensor, _ *rt.Tensor) { in[1].Zeros = []int{3} }), runtime.ErrUnsupported, "zero point 3, want 0"},
		{"odd number of scales", conv(plain, func(in []rt.Tensor, _ *rt.Tensor) { in[1] = perChannel(in[1], 1, 1) }), runtime.ErrInvalid, "2 scales, want 1 or 1"},
		{"no scale", conv(plain, func(in []rt.Tensor, _ *rt.Tensor) { in[0].Scales = nil }), runtime.ErrInvalid, "no scale"},
		{"zero point beyond int8", conv(plain, func(in []rt.Tensor, _ *rt.Tensor) { in[0].Zeros = []int{128} }), runtime.ErrInvalid, "zero point 128"},
		{"extreme scales", conv(plain, func(in []rt.Tensor, out *rt.Tensor) { in[0].Scales = []float32{1e30} }), runtime.ErrInvalid, "a factor of 1e+30"},
		{"rank", conv(plain, func(in []rt.Tensor, _ *rt.Tensor) { in[0].Shape = []int{4, 4, 2} }), runtime.ErrUnsupported, "4 dimensions"},
		{"too large", conv(plain, func(in []rt.Tensor, _ *rt.Tensor) { in[0].Shape = []int{1 << 16, 1 << 16, 2, 2} }), runtime.ErrInvalid, "a fixed size below 2 GiB"},
		{"pool requantizes", one(tflite.MaxPool2D, []any{valid, 1, 1, 1, 1}, []rt.Tensor{rt.Int8("x", 1, 0, 1, 2, 2, 1)}, rt.Int8("y", 2, 0, 1, 2, 2, 1)), runtime.ErrInvalid, "the input's 1, 0"},
		{"softmax scale", one(tflite.Softmax, []any{float32(1)}, []rt.Tensor{rt.Int8("x", 1, 0, 4)}, rt.Int8("y", 0.5, -128, 4)), runtime.ErrUnsupported, "want 1/256, -128"},
		{"softmax without beta", one(tflite.Softmax, nil, []rt.Tensor{rt.Int8("x", 1, 0, 4)}, rt.Int8("y", 1.0/256, -128, 4)), runtime.ErrUnsupported, "beta 0"},
		{"relu int16 zero point", one(tflite.Relu, nil, []rt.Tensor{typed(tensor.Int16, 1, 5, 4)}, int16s(1, 4)), runtime.ErrUnsupported, "zero point 5, want 0 for int16"},
		{"add shapes", one(tflite.Add, nil, []rt.Tensor{rt.Int8("x", 1, 0, 4), rt.Int8("y", 1, 0, 3)}, rt.Int8("z", 1, 0, 4)), runtime.ErrInvalid, "broadcasts"},
		{"sub types", one(tflite.Sub, nil, []rt.Tensor{rt.Int8("x", 1, 0, 4), int16s(1, 4)}, rt.Int8("z", 1, 0, 4)), runtime.ErrUnsupported, `tensor "wide": found int16, want int8`},
		{"sub int64", one(tflite.Sub, nil, []rt.Tensor{int64s(4), int64s(4)}, int64s(4)), runtime.ErrUnsupported, "found int64, want int8 or uint8 or int16 or int32"},
		{"add float and int8", one(tflite.Add, nil, []rt.Tensor{float32s(4), rt.Int8("y", 1, 0, 4)}, float32s(4)), runtime.ErrUnsupported, "found int8, want float32"},
		{"relu float to int8", one(tflite.Relu, nil, []rt.Tensor{float32s(4)}, rt.Int8("y", 1, 0, 4)), runtime.ErrUnsupported, "found int8, want float32"},
		{"mul float activation", one(tflite.Mul, []any{byte(4)}, []rt.Tensor{float32s(4), float32s(4)}, float32s(4)), runtime.ErrUnsupported, "fused activation 4"},
		{"softmax float scalar", one(tflite.Softmax, nil, []rt.Tensor{float32s()}, float32s()), runtime.ErrInvalid, "at least one dimension"},
		{"fully_connected float bias", one(tflite.FullyConnected, nil, []rt.Tensor{float32s(1, 2), float32s(3, 2), float32s(2)}, float32s(1, 3)), runtime.ErrInvalid, "found shape [2], want [3]"},
		{"add_n of two quantizations", one(tflite.AddN, nil, []rt.Tensor{rt.Int8("x", 1, 0, 2), rt.Int8("y", 2, 0, 2)}, rt.Int8("z", 1, 0, 2)), runtime.ErrUnsupported, "found scale 2"},
		{"add_n of one", one(tflite.AddN, nil, []rt.Tensor{float32s(2)}, float32s(2)), runtime.ErrInvalid, "found 1 inputs"},
		{"add_n shapes", one(tflite.AddN, nil, []rt.Tensor{float32s(2), float32s(1)}, float32s(2)), runtime.ErrInvalid, "found shape [1], want [2]"},
		{"cumsum axis", one(tflite.Cumsum, nil, []rt.Tensor{float32s(2), rt.Const32("a", nil, 1)}, float32s(2)), runtime.ErrInvalid, "axis 1"},
		{"cumsum of a scalar", one(tflite.Cumsum, nil, []rt.Tensor{float32s(), rt.Const32("a", nil, 0)}, float32s()), runtime.ErrInvalid, "axis 0"},
		{"logical_and int8", one(tflite.LogicalAnd, nil, []rt.Tensor{rt.Int8("x", 1, 0, 1), bools(1)}, bools(1)), runtime.ErrUnsupported, "found int8, want bool"},
		{"logical_not shape", one(tflite.LogicalNot, nil, []rt.Tensor{bools(2)}, bools(1)), runtime.ErrInvalid, "found shape [1], want [2]"},
		{"floor int8", one(tflite.Floor, nil, []rt.Tensor{rt.Int8("x", 1, 0, 1)}, rt.Int8("y", 1, 0, 1)), runtime.ErrUnsupported, "found int8, want float32"},
		{"floor_mod int32", one(tflite.FloorMod, nil, []rt.Tensor{int32s(1), int32s(1)}, int32s(1)), runtime.ErrUnsupported, "found int32, want float32"},
		{"l2_pool int8", one(tflite.L2Pool2D, []any{same, 1, 1, 1, 1}, []rt.Tensor{rt.Int8("x", 1, 0, 1, 1, 1, 1)}, rt.Int8("y", 1, 0, 1, 1, 1, 1)), runtime.ErrUnsupported, "found int8, want float32"},
		{"sub quantized int32", one(tflite.Sub, nil, []rt.Tensor{typed(tensor.Int32, 1, 0, 4), int32s(4)}, int32s(4)), runtime.ErrUnsupported, "int32 without quantization"},
		{"mul shapes", one(tflite.Mul, nil, []rt.Tensor{rt.Int8("x", 1, 0, 4), rt.Int8("y", 1, 0, 3)}, rt.Int8("z", 1, 0, 4)), runtime.ErrInvalid, "broadcasts"},
		{"mul int16 zero point", one(tflite.Mul, nil, []rt.Tensor{typed(tensor.Int16, 1, 2, 4), int16s(1, 4)}, int16s(1, 4)), runtime.ErrUnsupported, "zero point 2, want 0 for int16"},
		{"logistic zero point", one(tflite.Logistic, nil, []rt.Tensor{rt.Int8("x", 1, 0, 4)}, rt.Int8("y", 1.0/256, 0, 4)), runtime.ErrUnsupported, "zero point 0, want -128"},
		{"logistic int16 scale", one(tflite.Logistic, nil, []rt.Tensor{int16s(3, 4)}, int16s(1.0/32768, 4)), runtime.ErrUnsupported, "scale 3"},
		{"tanh int16 output scale", one(tflite.Tanh, nil, []rt.Tensor{int16s(1, 4)}, int16s(1, 4)), runtime.ErrUnsupported, "scale 1, want 1/32768"},
		{"tanh tiny scale", one(tflite.Tanh, nil, []rt.Tensor{rt.Int8("x", 1e-9, 0, 4)}, rt.Int8("y", 1.0/128, 0, 4)), runtime.ErrUnsupported, "at least 2^-28"},
		{"leaky relu infinite alpha", one(tflite.LeakyRelu, []any{float32(math.Inf(1))}, []rt.Tensor{rt.Int8("x", 1, 0, 4)}, rt.Int8("y", 1, 0, 4)), runtime.ErrInvalid, "a factor of +Inf"},
		{"maximum bool", one(tflite.Maximum, nil, []rt.Tensor{bools(1), bools(1)}, bools(1)), runtime.ErrUnsupported, `tensor "truth": found bool`},
		{"hard swish int16", one(tflite.HardSwish, nil, []rt.Tensor{int16s(1, 4)}, int16s(1, 4)), runtime.ErrUnsupported, "found int16, want int8"},
		{"hard swish scales", one(tflite.HardSwish, nil, []rt.Tensor{rt.Int8("x", 1, 0, 4)}, rt.Int8("y", 1.0/256, 0, 4)), runtime.ErrUnsupported, "more than 1/128 of the input's 1"},
		{"prelu int16 alpha", one(tflite.Prelu, nil, []rt.Tensor{int16s(1, 4), int16s(1, 4)}, int16s(1, 4)), runtime.ErrUnsupported, "found int16, want int8"},
		{"sum axis", one(tflite.Sum, nil, []rt.Tensor{rt.Int8("x", 1, 0, 4), rt.Const32("a", []int{1}, -2)}, rt.Int8("z", 1, 0)), runtime.ErrInvalid, "axis -1"},
		{"sum computed axes", one(tflite.Sum, nil, []rt.Tensor{rt.Int8("x", 1, 0, 4), int32s(1)}, rt.Int8("z", 1, 0)), runtime.ErrUnsupported, "a computed tensor, want a constant"},
		{"reduce max requantizes", one(tflite.ReduceMax, nil, []rt.Tensor{rt.Int8("x", 1, 0, 4), rt.Const32("a", []int{1}, 0)}, rt.Int8("z", 2, 0)), runtime.ErrUnsupported, "the input's 1, 0"},
		{"reduce min int16", one(tflite.ReduceMin, nil, []rt.Tensor{int16s(1, 4), rt.Const32("a", []int{1}, 0)}, int16s(1)), runtime.ErrUnsupported, "found int16"},
		{"arg max axis", one(tflite.ArgMax, nil, []rt.Tensor{rt.Int8("x", 1, 0, 4), rt.Const32("a", []int{1}, 1)}, int32s()), runtime.ErrInvalid, "axis 1, want one of 1 dimensions"},
		{"arg max of nothing", one(tflite.ArgMax, nil, []rt.Tensor{rt.Int8("x", 1, 0, 2, 0), rt.Const32("a", []int{1}, 1)}, int32s(2)), runtime.ErrInvalid, "elements to compare"},
		{"arg min float32", one(tflite.ArgMin, nil, []rt.Tensor{rt.Int8("x", 1, 0, 4), rt.Const32("a", []int{1}, 0)}, float32s()), runtime.ErrUnsupported, "found float32, want int32 or int64"},
		{"equal scale", one(tflite.Equal, nil, []rt.Tensor{rt.Int8("x", 1, 0, 4), rt.Int8("y", 0.5, 0, 4)}, bools(4)), runtime.ErrUnsupported, "scale 1, want one below 1"},
		{"less bool", one(tflite.Less, nil, []rt.Tensor{bools(4), bools(4)}, bools(4)), runtime.ErrUnsupported, "found bool"},
		{"greater output", one(tflite.Greater, nil, []rt.Tensor{int32s(4), int32s(4)}, int32s(4)), runtime.ErrUnsupported, "found int32, want bool"},
		{"rsqrt int16 zero point", one(tflite.Rsqrt, nil, []rt.Tensor{typed(tensor.Int16, 1, 3, 4)}, int16s(1, 4)), runtime.ErrUnsupported, "zero point 3"},
		{"elu int16", one(tflite.Elu, nil, []rt.Tensor{int16s(1, 4)}, int16s(1, 4)), runtime.ErrUnsupported, "found int16, want int8"},
		{"abs output", one(tflite.Abs, nil, []rt.Tensor{rt.Int8("x", 1, 0, 4)}, int16s(1, 4)), runtime.ErrUnsupported, "found int16, want int8"},
		{"squared difference types", one(tflite.SquaredDifference, nil, []rt.Tensor{rt.Int8("x", 1, 0, 4), int16s(1, 4)}, rt.Int8("z", 1, 0, 4)), runtime.ErrUnsupported, "found int16, want int8"},
		{"div int16", one(tflite.Div, nil, []rt.Tensor{int16s(1, 4), int16s(1, 4)}, int16s(1, 4)), runtime.ErrUnsupported, "found int16, want int8 or uint8 or int32"},
		{"div factor", one(tflite.Div, nil, []rt.Tensor{rt.Int8("x", 1<<23, 0, 4), rt.Int8("y", 1, 0, 4)}, rt.Int8("z", 1, 0, 4)), runtime.ErrUnsupported, "one below 2^23"},
		{"l2 normalization activation", one(tflite.L2Normalization, []any{relu}, []rt.Tensor{rt.Int8("x", 1, 0, 4)}, rt.Int8("z", 1, 0, 4)), runtime.ErrUnsupported, "fused activation 1, want none"},
		{"l2 normalization rank", one(tflite.L2Normalization, nil, []rt.Tensor{rt.Int8("x", 1, 0, 1, 1, 1, 1, 4)}, rt.Int8("z", 1, 0, 1, 1, 1, 1, 4)), runtime.ErrUnsupported, "1 to 4 dimensions"},
		{"log softmax scale", one(tflite.LogSoftmax, nil, []rt.Tensor{rt.Int8("x", 1, 0, 4)}, rt.Int8("z", 1, 0, 4)), runtime.ErrUnsupported, "want 1/16, 127"},
		{"cast to bool", one(tflite.Cast, nil, []rt.Tensor{int32s(4)}, bools(4)), runtime.ErrUnsupported, "found bool"},
		{"a sum scaled up", one(tflite.Sub, []any{none}, []rt.Tensor{rt.Int8("x", 1, 0, 4), rt.Int8("y", 1, 0, 4)}, rt.Int8("z", 1e-6, 0, 4)), runtime.ErrUnsupported,
			`tensor "z": found scale 1e-06, want one above 1.9073486328125e-06 for these inputs`},
		{"add arity", one(tflite.Add, nil, []rt.Tensor{rt.Int8("x", 1, 0, 4)}, rt.Int8("z", 1, 0, 4)), runtime.ErrInvalid, "found 1 inputs, want 2"},
		{"mean axis", one(tflite.Mean, nil, []rt.Tensor{rt.Int8("x", 1, 0, 4), rt.Const32("a", []int{1}, 1)}, rt.Int8("z", 1, 0)), runtime.ErrInvalid, "axis 1"},
		{"negative padding", one(tflite.Pad, nil, []rt.Tensor{rt.Int8("x", 1, 0, 4), rt.Const32("p", []int{1, 2}, -1, 1)}, rt.Int8("z", 1, 0, 4)), runtime.ErrInvalid, "padding -1"},
		{"reshape size", one(tflite.Reshape, nil, []rt.Tensor{rt.Int8("x", 1, 0, 4)}, rt.Int8("z", 1, 0, 5)), runtime.ErrInvalid, "the 4 elements"},
		{"reshape two open", one(tflite.Reshape, nil, []rt.Tensor{rt.Int8("x", 1, 0, 4)}, rt.Int8("z", 1, 0, -1, -1)), runtime.ErrInvalid, "at most one open"},
		{"svdf state", func() *rt.Builder {
			b := svdfModel(tensor.Int8, none)
			b.Tensors[4].Variable, b.Inputs = false, []int{0, 4}
			return b
		}(), runtime.ErrInvalid, "want a variable"},
		{"svdf rank", func() *rt.Builder { b := svdfModel(tensor.Int8, none); b.Ops[0].Options = []any{0}; return b }(), runtime.ErrInvalid, "rank 0 for 2 filters"},
		{"svdf bias scale", func() *rt.Builder { b := svdfModel(tensor.Int8, none); b.Tensors[3].Scales[0] = 2; return b }(), runtime.ErrInvalid, "scale 2, want 1"},
		{"transpose conv bias", one(tflite.TransposeConv, []any{valid, 1, 1}, []rt.Tensor{rt.Const32("s", []int{4}, 1, 1, 2, 1),
			rt.Weights("w", 1, []int{1, 1, 1, 1}, 3), int16s(1, 1, 1, 2, 1), rt.Const32("b", []int{1}, 1)}, int16s(1, 1, 1, 2, 1)), runtime.ErrUnsupported, "int64 or int16"},
		{"transpose conv stride", one(tflite.TransposeConv, nil, []rt.Tensor{rt.Const32("s", []int{4}, 1, 1, 2, 1),
			rt.Weights("w", 1, []int{1, 1, 1, 1}, 3), rt.Int8("x", 1, 0, 1, 1, 2, 1)}, rt.Int8("y", 1, 0, 1, 1, 2, 1)), runtime.ErrInvalid, "stride 0x0"},
		{"matmul depth", one(tflite.BatchMatMul, nil, []rt.Tensor{rt.Int8("x", 1, 0, 2, 3), rt.Int8("y", 1, 0, 2, 3)}, rt.Int8("z", 1, 0, 2, 3)), runtime.ErrInvalid, "want 3, as [2,3] has"},
		{"matmul rank", one(tflite.BatchMatMul, nil, []rt.Tensor{rt.Int8("x", 1, 0, 3), rt.Int8("y", 1, 0, 3, 1)}, rt.Int8("z", 1, 0, 1)), runtime.ErrUnsupported, "2 to 5 dimensions"},
		{"bias scale", one(tflite.FullyConnected, nil, []rt.Tensor{rt.Int8("x", 1, 0, 1, 2), rt.Weights("w", 1, []int{1, 2}, 1, 1),
			{Name: "b", Type: tensor.Int32, Shape: []int{1}, Scales: []float32{3}, Data: rt.Int32s(1)}}, rt.Int8("y", 1, 0, 1, 1)), runtime.ErrInvalid, `tensor "b": found scale 3`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := runtime.Load(c.model.Bytes(), runtime.Options{})
			if !errors.Is(err, c.kind) || !strings.Contains(fmt.Sprint(err), c.want) {
				t.Errorf("got %v, want %v and %q", err, c.kind, c.want)
			}
		})
	}
}
