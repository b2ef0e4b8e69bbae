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

// u8 is a uint8 tensor.
func u8(scale float32, zero int, shape ...int) rt.Tensor {
	return typed(tensor.Uint8, scale, zero, shape...)
}

// fixed makes t a constant.
func fixed(t rt.Tensor, values ...byte) rt.Tensor {
	t.Name, t.Data = "const", values
	return t
}

// conv8 is CONV_2D of one pixel with one weight.
func conv8(x, w, y rt.Tensor) *rt.Builder {
	return one(tflite.Conv2D, []any{valid, 1, 1, none}, []rt.Tensor{x, w}, y)
}

// TestUint8 checks operators on uint8 on numbers small enough to follow by hand,
// where TensorFlow Lite defines them otherwise than int8, and at both ends of the
// range.
func TestUint8(t *testing.T) {
	for _, c := range []struct {
		name  string
		model *rt.Builder
		in    [][]byte
		want  []byte
	}{
		{"CONV_2D pads with the zero point", one(tflite.Conv2D, []any{same, 1, 1, none}, []rt.Tensor{u8(1, 3, 1, 2, 2, 1),
			fixed(u8(1, 250, 1, 3, 3, 1), bytes.Repeat([]byte{251}, 9)...), rt.Const32("b", []int{1}, 100)}, u8(1, 0, 1, 2, 2, 1)),
			[][]byte{{4, 5, 6, 7}}, []byte{110, 110, 110, 110}},
		{"CONV_2D zero points at the lower end", conv8(u8(1, 0, 1, 1, 2, 1), fixed(u8(1, 0, 1, 1, 1, 1), 1), u8(1, 0, 1, 1, 2, 1)),
			[][]byte{{255, 1}}, []byte{255, 1}},
		{"CONV_2D zero points at the upper end", conv8(u8(1, 255, 1, 1, 2, 1), fixed(u8(1, 255, 1, 1, 1, 1), 254), u8(1, 255, 1, 1, 2, 1)),
			[][]byte{{255, 155}}, []byte{255, 255}},
		{"CONV_2D extremes", conv8(u8(1, 255, 1, 1, 2, 1), fixed(u8(1, 0, 1, 1, 1, 1), 255), u8(512, 255, 1, 1, 2, 1)),
			[][]byte{{0, 128}}, []byte{128, 192}}, // −255·255/512 is −127.002, −127·255/512 is −63.25
		{"CONV_2D scales' product in float32", conv8(u8(0.1, 128, 1, 1, 3, 1), fixed(u8(10, 128, 1, 1, 1, 1), 129), u8(2, 128, 1, 1, 3, 1)),
			[][]byte{{127, 129, 126}}, []byte{128, 129, 127}}, // −0.5 rounds up, as exact halves do; in float64 it is −0.500000007
		{"CONV_2D of a constant", several(tflite.Conv2D, []any{valid, 1, 1, none}, []rt.Tensor{fixed(u8(1, 10, 1, 1, 3, 1), 11, 12, 9), fixed(u8(1, 20, 1, 1, 1, 1), 23)},
			[]rt.Tensor{u8(1, 5, 1, 1, 3, 1)}, u8(1, 5, 1, 1, 3, 1)),
			nil, []byte{8, 11, 2}},
		{"DEPTHWISE_CONV_2D multiplier 2", one(tflite.DepthwiseConv2D, []any{valid, 1, 1, 2, none}, []rt.Tensor{u8(1, 1, 1, 1, 2, 2),
			fixed(u8(1, 100, 1, 1, 2, 4), 101, 102, 103, 104, 105, 106, 107, 108), rt.Const32("b", []int{4}, 0, 0, 0, 1)}, u8(1, 0, 1, 1, 1, 4)),
			[][]byte{{2, 3, 4, 5}}, []byte{1 + 15, 2 + 18, 6 + 28, 8 + 32 + 1}},
		{"DEPTHWISE_CONV_2D three taps, relu6", one(tflite.DepthwiseConv2D, []any{same, 1, 1, 1, six}, []rt.Tensor{u8(1, 128, 1, 1, 3, 1),
			fixed(u8(1, 200, 1, 1, 3, 1), 201, 202, 199)}, u8(0.5, 100, 1, 1, 3, 1)),
			[][]byte{{129, 130, 131}}, []byte{100, 104, 112}}, // 2−2, 1+4−3, 2+6
		{"TRANSPOSE_CONV overlaps, crops", one(tflite.TransposeConv, []any{same, 1, 1, none}, []rt.Tensor{rt.Const32("s", []int{4}, 1, 1, 3, 1),
			fixed(u8(1, 7, 1, 1, 3, 1), 8, 9, 10), u8(1, 1, 1, 1, 3, 1), rt.Const32("b", []int{1}, 10)}, u8(1, 0, 1, 1, 3, 1)),
			[][]byte{{2, 11, 51}}, []byte{10 + 2 + 10, 10 + 3 + 20 + 50, 10 + 30 + 100}},
		{"FULLY_CONNECTED rounds half away", one(tflite.FullyConnected, nil, []rt.Tensor{u8(1, 10, 4, 1), fixed(u8(1, 20, 1, 1), 21)}, u8(2, 10, 4, 1)),
			[][]byte{{9, 11, 7, 13}}, []byte{9, 11, 8, 12}}, // −0.5, 0.5, −1.5, 1.5
		{"FULLY_CONNECTED zero points at both ends, relu", one(tflite.FullyConnected, []any{relu}, []rt.Tensor{u8(1, 255, 2, 2), fixed(u8(1, 0, 2, 2), 1, 0, 255, 255),
			rt.Const32("b", []int{2}, 300, -1)}, u8(1, 100, 2, 2)),
			[][]byte{{0, 0, 255, 255}}, []byte{145, 100, 255, 100}},
		{"FULLY_CONNECTED to int16", one(tflite.FullyConnected, nil, []rt.Tensor{u8(1, 0, 1, 2), fixed(u8(1, 255, 1, 2), 0, 254)}, int16s(1, 1, 1)),
			[][]byte{{100, 7}}, rt.Int16s(-25507)},
		{"AVERAGE_POOL_2D halves go up", one(tflite.AveragePool2D, []any{valid, 2, 1, 2, 1, none}, []rt.Tensor{u8(1, 200, 1, 1, 6, 1)}, u8(1, 200, 1, 1, 3, 1)),
			[][]byte{{0, 1, 254, 255, 128, 127}}, []byte{1, 255, 128}},
		{"AVERAGE_POOL_2D of 3, relu", one(tflite.AveragePool2D, []any{valid, 3, 1, 3, 1, relu}, []rt.Tensor{u8(1, 3, 1, 1, 6, 1)}, u8(1, 3, 1, 1, 2, 1)),
			[][]byte{{1, 1, 2, 255, 255, 254}}, []byte{3, 255}},
		{"MAX_POOL_2D", one(tflite.MaxPool2D, []any{valid, 2, 1, 2, 1, none}, []rt.Tensor{u8(1, 0, 1, 1, 4, 1)}, u8(1, 0, 1, 1, 2, 1)),
			[][]byte{{127, 128, 255, 0}}, []byte{128, 255}},
		{"AVERAGE_POOL_2D whatever the output states, relu", one(tflite.AveragePool2D, []any{valid, 2, 1, 2, 1, relu}, []rt.Tensor{u8(1, 0, 1, 1, 4, 1)}, u8(3, 90, 1, 1, 2, 1)),
			[][]byte{{10, 20, 200, 100}}, []byte{90, 150}},
		{"MAX_POOL_2D whatever the output states", one(tflite.MaxPool2D, []any{valid, 2, 1, 2, 1, none}, []rt.Tensor{u8(1, 0, 1, 1, 4, 1)}, u8(3, 90, 1, 1, 2, 1)),
			[][]byte{{127, 128, 255, 0}}, []byte{128, 255}},
		{"ADD", one(tflite.Add, []any{none}, []rt.Tensor{u8(1, 0, 3), u8(1, 255, 3)}, u8(1, 100, 3)),
			[][]byte{{255, 0, 10}, {255, 0, 250}}, []byte{255, 0, 105}},
		{"ADD broadcasts, relu", one(tflite.Add, []any{relu}, []rt.Tensor{u8(1, 128, 2, 1), u8(0.5, 0, 2)}, u8(1, 128, 2, 2)),
			[][]byte{{130, 100}, {2, 4}}, []byte{131, 132, 128, 128}},
		{"SUB", one(tflite.Sub, []any{none}, []rt.Tensor{u8(1, 0, 3), u8(1, 0, 3)}, u8(1, 128, 3)),
			[][]byte{{255, 0, 7}, {0, 255, 9}}, []byte{255, 0, 126}},
		{"MUL scales' product in float32", one(tflite.Mul, []any{none}, []rt.Tensor{u8(0.1, 128, 3), u8(10, 128, 3)}, u8(2, 128, 3)),
			[][]byte{{127, 129, 255}, {129, 129, 255}}, []byte{128, 129, 255}},
		{"PRELU scales' product in float32", one(tflite.Prelu, nil, []rt.Tensor{u8(0.1, 128, 3), u8(10, 128, 3)}, u8(2, 128, 3)),
			[][]byte{{127, 255, 0}, {129, 129, 128}}, []byte{128, 134, 128}}, // 127·0.05 is 6.35
		{"DIV", one(tflite.Div, []any{none}, []rt.Tensor{u8(1, 0, 4), u8(1, 128, 4)}, u8(0.5, 100, 4)),
			[][]byte{{10, 255, 9, 0}, {132, 126, 128, 128}}, []byte{105, 0, 255, 100}},
		{"MAXIMUM", one(tflite.Maximum, nil, []rt.Tensor{u8(1, 0, 2), u8(1, 0, 2)}, u8(1, 0, 2)),
			[][]byte{{200, 100}, {100, 201}}, []byte{200, 201}},
		{"MINIMUM", one(tflite.Minimum, nil, []rt.Tensor{u8(1, 0, 2), u8(1, 0, 2)}, u8(1, 0, 2)),
			[][]byte{{200, 100}, {100, 201}}, []byte{100, 100}},
		{"GREATER by what values stand for", one(tflite.Greater, nil, []rt.Tensor{u8(0.5, 255, 3), u8(0.25, 0, 3)}, bools(3)),
			[][]byte{{255, 0, 255}, {0, 0, 255}}, []byte{0, 0, 0}},
		{"LESS_EQUAL", one(tflite.LessEqual, nil, []rt.Tensor{u8(0.5, 0, 3), u8(0.25, 0, 3)}, bools(3)),
			[][]byte{{100, 100, 127}, {200, 199, 255}}, []byte{1, 0, 1}},
		{"MEAN", one(tflite.Mean, []any{false}, []rt.Tensor{u8(1, 0, 2, 2), rt.Const32("a", []int{1}, 1)}, u8(1, 0, 2)),
			[][]byte{{254, 255, 2, 3}}, []byte{255, 3}},
		{"SUM saturates", one(tflite.Sum, []any{false}, []rt.Tensor{u8(1, 200, 2, 2), rt.Const32("a", []int{1}, 1)}, u8(1, 100, 2)),
			[][]byte{{255, 255, 0, 0}}, []byte{210, 0}},
		{"REDUCE_MAX", one(tflite.ReduceMax, nil, []rt.Tensor{u8(1, 0, 2, 2), rt.Const32("a", []int{1}, 1)}, u8(1, 0, 2)),
			[][]byte{{127, 128, 0, 0}}, []byte{128, 0}},
		{"REDUCE_MIN", one(tflite.ReduceMin, nil, []rt.Tensor{u8(1, 0, 2, 2), rt.Const32("a", []int{1}, 0)}, u8(1, 0, 2)),
			[][]byte{{127, 255, 128, 255}}, []byte{127, 255}},
		{"ARG_MAX to int64", one(tflite.ArgMax, nil, []rt.Tensor{u8(1, 0, 2, 3), rt.Const32("a", []int{1}, 1)}, int64s(2)),
			[][]byte{{127, 128, 128, 3, 2, 1}}, rt.Int32s(1, 0, 0, 0)},
		{"ARG_MIN", one(tflite.ArgMin, nil, []rt.Tensor{u8(1, 0, 2, 3), rt.Const32("a", []int{1}, 0)}, int32s(3)),
			[][]byte{{127, 128, 4, 128, 127, 4}}, rt.Int32s(0, 1, 0)},
		{"RELU", one(tflite.Relu, nil, []rt.Tensor{u8(2, 128, 3)}, u8(1, 10, 3)),
			[][]byte{{127, 131, 255}}, []byte{10, 16, 255}},
		{"RELU6 requantizes", one(tflite.Relu6, nil, []rt.Tensor{u8(0.5, 100, 4)}, u8(0.25, 9, 4)),
			[][]byte{{99, 100, 103, 200}}, []byte{9, 9, 15, 33}},
		{"RELU_N1_TO_1 requantizes", one(tflite.ReluN1To1, nil, []rt.Tensor{u8(0.5, 100, 4)}, u8(0.25, 9, 4)),
			[][]byte{{90, 99, 101, 110}}, []byte{5, 7, 11, 13}},
		{"RELU_N1_TO_1 beyond the range", one(tflite.ReluN1To1, nil, []rt.Tensor{u8(0.5, 100, 2)}, u8(0.25, 2, 2)),
			[][]byte{{0, 99}}, []byte{0, 0}},
		{"RELU_0_TO_1 requantizes", one(tflite.Relu0To1, nil, []rt.Tensor{u8(0.5, 100, 4)}, u8(0.25, 253, 4)),
			[][]byte{{99, 100, 101, 110}}, []byte{253, 253, 255, 255}},
		{"LEAKY_RELU", one(tflite.LeakyRelu, []any{float32(0.25)}, []rt.Tensor{u8(1, 255, 3)}, u8(0.5, 128, 3)),
			[][]byte{{255, 251, 0}}, []byte{128, 126, 1}}, // −127.5 rounds up where nothing is shifted
		{"HARD_SWISH", one(tflite.HardSwish, nil, []rt.Tensor{u8(1, 100, 4)}, u8(1, 10, 4)),
			[][]byte{{100, 96, 110, 255}}, []byte{10, 10, 20, 165}},
		{"LOGISTIC", one(tflite.Logistic, nil, []rt.Tensor{u8(1, 100, 5)}, u8(1.0/256, 0, 5)),
			[][]byte{{100, 101, 99, 255, 0}}, []byte{128, 187, 69, 255, 0}}, // 187.15 and 68.85
		{"LOGISTIC to another zero point", one(tflite.Logistic, nil, []rt.Tensor{u8(1, 0, 2)}, u8(1.0/256, 100, 2)),
			[][]byte{{0, 255}}, []byte{228, 255}},
		{"TANH to any scale", one(tflite.Tanh, nil, []rt.Tensor{u8(0.5, 128, 4)}, u8(1.0/64, 100, 4)),
			[][]byte{{128, 130, 126, 255}}, []byte{100, 149, 51, 164}}, // tanh 1 is 48.74/64
		{"SOFTMAX", one(tflite.Softmax, []any{float32(1)}, []rt.Tensor{u8(1, 0, 2, 2)}, u8(1.0/256, 0, 2, 2)),
			[][]byte{{7, 7, 255, 0}}, []byte{128, 128, 255, 0}},
		{"SOFTMAX to int16", one(tflite.Softmax, []any{float32(1)}, []rt.Tensor{u8(1, 0, 1, 2)}, typed(tensor.Int16, 1.0/65536, -32768, 1, 2)),
			[][]byte{{200, 200}}, rt.Int16s(0, 0)},
		{"LOG_SOFTMAX", one(tflite.LogSoftmax, nil, []rt.Tensor{u8(1, 0, 2, 2)}, u8(1.0/16, 255, 2, 2)),
			[][]byte{{200, 200, 255, 0}}, []byte{244, 244, 255, 0}}, // −ln 2 is −11.09/16
		{"L2_NORMALIZATION", one(tflite.L2Normalization, nil, []rt.Tensor{u8(1, 100, 2, 2)}, u8(1.0/128, 128, 2, 2)),
			[][]byte{{103, 96, 255, 100}}, []byte{205, 26, 255, 128}}, // 3/5 and −4/5: 76.8 and −102.4
		{"L2_NORMALIZATION rank 5", one(tflite.L2Normalization, nil, []rt.Tensor{u8(1, 100, 1, 1, 2, 1, 2)}, u8(1.0/128, 128, 1, 1, 2, 1, 2)),
			[][]byte{{103, 96, 255, 100}}, []byte{205, 26, 255, 128}},
		{"RESIZE_BILINEAR halves go up", one(tflite.ResizeBilinear, []any{nil, nil, false, false}, []rt.Tensor{u8(1, 0, 1, 1, 2, 1), rt.Const32("s", []int{2}, 1, 4)}, u8(1, 0, 1, 1, 4, 1)),
			[][]byte{{254, 255}}, []byte{254, 255, 255, 255}},
		{"RESIZE_BILINEAR half pixel", one(tflite.ResizeBilinear, []any{nil, nil, false, true}, []rt.Tensor{u8(1, 0, 1, 1, 2, 1), rt.Const32("s", []int{2}, 1, 4)}, u8(1, 0, 1, 1, 4, 1)),
			[][]byte{{0, 255}}, []byte{0, 64, 191, 255}}, // 63.75 and 191.25
		{"CONCATENATION rescales", one(tflite.Concatenation, []any{1}, []rt.Tensor{u8(1, 3, 2, 1), u8(2, 128, 2, 2)}, u8(1, 3, 2, 3)),
			[][]byte{{7, 255}, {128, 129, 0, 255}}, []byte{7, 3, 5, 255, 0, 255}},
		{"CONCATENATION rounds half away", one(tflite.Concatenation, []any{0}, []rt.Tensor{u8(1, 100, 4)}, u8(2, 50, 4)),
			[][]byte{{101, 99, 103, 97}}, []byte{51, 49, 52, 48}},
		{"PAD without quantization", one(tflite.Pad, nil, []rt.Tensor{unquantized(tensor.Uint8, 1), rt.Const32("p", []int{1, 2}, 1, 0)}, unquantized(tensor.Uint8, 2)),
			[][]byte{{200}}, []byte{0, 200}},
		{"QUANTIZE from float", one(tflite.Quantize, nil, []rt.Tensor{float32s(5)}, u8(0.5, 3, 5)),
			[][]byte{rt.Float32s(0, 0.25, -0.25, 1e30, -1e30)}, []byte{3, 4, 2, 255, 0}},
		{"QUANTIZE to another scale", one(tflite.Quantize, nil, []rt.Tensor{u8(1, 200, 3)}, u8(2, 100, 3)),
			[][]byte{{203, 0, 255}}, []byte{102, 0, 128}},
		{"QUANTIZE to int16", one(tflite.Quantize, nil, []rt.Tensor{u8(1, 200, 2)}, int16s(0.25, 2)),
			[][]byte{{201, 0}}, rt.Int16s(4, -800)},
		{"DEQUANTIZE", one(tflite.Dequantize, nil, []rt.Tensor{u8(0.5, 200, 2)}, float32s(2)),
			[][]byte{{201, 0}}, rt.Float32s(0.5, -100)},
		{"CAST to int8", cast(tensor.Uint8, tensor.Int8, 2), [][]byte{{200, 3}}, rt.Int8s(-56, 3)},
		{"CAST to int16", cast(tensor.Uint8, tensor.Int16, 2), [][]byte{{200, 3}}, rt.Int16s(200, 3)},
		{"CAST to int32", cast(tensor.Uint8, tensor.Int32, 2), [][]byte{{200, 3}}, rt.Int32s(200, 3)},
		{"CAST to int64", cast(tensor.Uint8, tensor.Int64, 1), [][]byte{{200}}, rt.Int32s(200, 0)},
		{"CAST to float32", cast(tensor.Uint8, tensor.Float32, 2), [][]byte{{200, 3}}, rt.Float32s(200, 3)},
		{"CAST to bool", cast(tensor.Uint8, tensor.Bool, 2), [][]byte{{200, 0}}, []byte{1, 0}},
		{"CAST from int8", cast(tensor.Int8, tensor.Uint8, 2), [][]byte{rt.Int8s(-1, 3)}, []byte{255, 3}},
		{"CAST from bool", cast(tensor.Bool, tensor.Uint8, 2), [][]byte{{1, 0}}, []byte{1, 0}},
		{"CAST from int16", cast(tensor.Int16, tensor.Uint8, 2), [][]byte{rt.Int16s(-1, 259)}, []byte{255, 3}},
		{"CAST from uint32", cast(tensor.Uint32, tensor.Uint8, 2), [][]byte{rt.Int32s(-1, 259)}, []byte{255, 3}},
		{"CAST from int64", cast(tensor.Int64, tensor.Uint8, 1), [][]byte{rt.Int32s(259, 1)}, []byte{3}},
		{"CAST from float32 saturates", cast(tensor.Float32, tensor.Uint8, 6),
			[][]byte{rt.Float32s(2.9, -0.9, 300, float32(math.Inf(-1)), float32(math.NaN()), 255.9)}, []byte{2, 0, 255, 0, 255, 255}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := rt.Run(t, c.model, c.in...); !bytes.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// cast is CAST of n elements.
func cast(from, to tensor.Type, n int) *rt.Builder {
	return one(tflite.Cast, nil, []rt.Tensor{unquantized(from, n)}, unquantized(to, n))
}

// TestUint8KeepsInputs runs a convolution twice: while it is evaluated its input
// is changed, before and after it is what the caller wrote. Its constants are
// shared with other sessions.
func TestUint8KeepsInputs(t *testing.T) {
	b := conv8(u8(1, 10, 1, 1, 3, 1), fixed(u8(1, 20, 1, 1, 1, 1), 23), u8(1, 5, 1, 1, 3, 1))
	m, err := runtime.Load(b.Bytes(), runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s, err := m.NewSession(runtime.SessionOptions{})
		if err != nil {
			t.Fatal(err)
		}
		in := []byte{11, 12, 9}
		copy(s.Input(0), in)
		for range 2 {
			if err := s.Invoke(); err != nil {
				t.Fatal(err)
			}
			if got, want := s.Output(0), []byte{8, 11, 2}; !bytes.Equal(got, want) || !bytes.Equal(s.Input(0), in) {
				t.Errorf("got %v from %v, want %v from %v", got, s.Input(0), want, in)
			}
		}
		if n := testing.AllocsPerRun(5, func() { s.Invoke() }); n != 0 {
			t.Errorf("got %v allocations per inference, want 0", n)
		}
	}
}

// TestUint8Refusals lists what uint8 tensors cannot be used for.
func TestUint8Refusals(t *testing.T) {
	weights := func(change func(w *rt.Tensor)) *rt.Builder {
		w := fixed(u8(1, 20, 1, 1, 1, 1), 23)
		change(&w)
		return conv8(u8(1, 10, 1, 1, 3, 1), w, u8(1, 5, 1, 1, 3, 1))
	}
	pair := func(code tflite.Code) *rt.Builder {
		return one(code, nil, []rt.Tensor{u8(1, 0, 2, 2), u8(1, 0, 2, 2)}, u8(1, 0, 2, 2))
	}
	unary := func(code tflite.Code, out rt.Tensor) *rt.Builder {
		return one(code, nil, []rt.Tensor{u8(1, 0, 4)}, out)
	}
	for _, c := range []struct {
		name  string
		model *rt.Builder
		kind  error
		want  string
	}{
		{"int8 weights", weights(func(w *rt.Tensor) { w.Type, w.Zeros = tensor.Int8, []int{0} }), runtime.ErrUnsupported, `tensor "const": found int8, want uint8`},
		{"scales per channel", weights(func(w *rt.Tensor) { w.Scales, w.Zeros = []float32{1, 1}, nil }), runtime.ErrUnsupported, "2 scales, want one scale"},
		{"weights without scale", weights(func(w *rt.Tensor) { w.Scales = nil }), runtime.ErrInvalid, "no scale"},
		{"weights' zero point", weights(func(w *rt.Tensor) { w.Zeros = []int{256} }), runtime.ErrInvalid, "zero point 256, want 0 to 255"},
		{"computed weights", weights(func(w *rt.Tensor) { w.Data = nil }), runtime.ErrUnsupported, "a computed tensor, want a constant"},
		{"input's zero point", conv8(u8(1, -1, 1, 1, 1, 1), fixed(u8(1, 20, 1, 1, 1, 1), 23), u8(1, 5, 1, 1, 1, 1)), runtime.ErrInvalid, "zero point -1, want 0 to 255"},
		{"int8 output", conv8(u8(1, 1, 1, 1, 1, 1), fixed(u8(1, 20, 1, 1, 1, 1), 23), rt.Int8("y", 1, 5, 1, 1, 1, 1)), runtime.ErrUnsupported, "found int8, want uint8"},
		{"uint8 weights for int8", conv8(rt.Int8("x", 1, 1, 1, 1, 1, 1), fixed(u8(1, 20, 1, 1, 1, 1), 23), rt.Int8("y", 1, 5, 1, 1, 1, 1)), runtime.ErrUnsupported, "found uint8, want int8 or int4"},
		{"bias scale", one(tflite.DepthwiseConv2D, []any{valid, 1, 1, 1}, []rt.Tensor{u8(1, 0, 1, 1, 1, 1), fixed(u8(1, 20, 1, 1, 1, 1), 23),
			{Name: "b", Type: tensor.Int32, Shape: []int{1}, Scales: []float32{3}, Data: rt.Int32s(1)}}, u8(1, 0, 1, 1, 1, 1)), runtime.ErrInvalid, `tensor "b": found scale 3`},
		{"fully connected factor", one(tflite.FullyConnected, nil, []rt.Tensor{u8(1e30, 0, 1, 1), fixed(u8(1, 0, 1, 1), 1)}, u8(1, 0, 1, 1)), runtime.ErrInvalid, "a factor of 1e+30"},
		{"fully connected to int8", one(tflite.FullyConnected, nil, []rt.Tensor{u8(1, 0, 1, 1), fixed(u8(1, 0, 1, 1), 1)}, rt.Int8("y", 1, 0, 1, 1)), runtime.ErrUnsupported, "found int8, want uint8 or int16"},
		{"fully connected shuffled", one(tflite.FullyConnected, []any{none, byte(1)}, []rt.Tensor{u8(1, 0, 1, 1), fixed(u8(1, 0, 1, 1), 1)}, u8(1, 0, 1, 1)), runtime.ErrUnsupported, "weights format 1"},
		{"prelu alpha", one(tflite.Prelu, nil, []rt.Tensor{u8(1, 0, 1), rt.Int8("a", 1, 0, 1)}, u8(1, 0, 1)), runtime.ErrUnsupported, "found int8, want uint8"},
		{"logistic scale", unary(tflite.Logistic, u8(1.0/128, 0, 4)), runtime.ErrUnsupported, "scale 0.0078125, want 1/256"},
		{"softmax to int8", one(tflite.Softmax, []any{float32(1)}, []rt.Tensor{u8(1, 0, 4)}, rt.Int8("y", 1.0/256, -128, 4)), runtime.ErrUnsupported, "found int8, want uint8 or int16"},
		{"log softmax", unary(tflite.LogSoftmax, u8(1.0/16, 127, 4)), runtime.ErrUnsupported, "zero point 127, want 1/16, 255"},
		{"l2 normalization", unary(tflite.L2Normalization, u8(1.0/128, 0, 4)), runtime.ErrUnsupported, "zero point 0, want 1/128, 128"},
		{"abs", unary(tflite.Abs, u8(1, 0, 4)), runtime.ErrUnsupported, "found uint8, want int8 or int16"},
		{"elu", unary(tflite.Elu, u8(1, 0, 4)), runtime.ErrUnsupported, "found uint8, want int8"},
		{"rsqrt", unary(tflite.Rsqrt, u8(1, 0, 4)), runtime.ErrUnsupported, "found uint8, want int8"},
		{"squared difference", pair(tflite.SquaredDifference), runtime.ErrUnsupported, "found uint8, want int8"},
		{"batch matmul", pair(tflite.BatchMatMul), runtime.ErrUnsupported, "found uint8, want int8 or int16"},
		{"quantize to int32", one(tflite.Quantize, nil, []rt.Tensor{u8(1, 0, 4)}, typed(tensor.Int32, 1, 0, 4)), runtime.ErrUnsupported, "int32 from uint8"},
		{"quantize from int16", one(tflite.Quantize, nil, []rt.Tensor{int16s(1, 4)}, u8(1, 0, 4)), runtime.ErrUnsupported, "uint8 from int16"},
		{"concatenation without scale", one(tflite.Concatenation, []any{0}, []rt.Tensor{unquantized(tensor.Uint8, 2)}, u8(1, 0, 2)), runtime.ErrInvalid, "no scale"},
		{"concatenation factor", one(tflite.Concatenation, []any{0}, []rt.Tensor{u8(1, 0, 2)}, u8(1e-30, 0, 2)), runtime.ErrInvalid, "a factor of 1e+30"},
		{"cast to float16", cast(tensor.Uint8, tensor.Float16, 1), runtime.ErrUnsupported, "found float16"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := runtime.Load(c.model.Bytes(), runtime.Options{})
			if !errors.Is(err, c.kind) || !strings.Contains(fmt.Sprint(err), c.want) {
				t.Errorf("got %v, want %v and %q", err, c.kind, c.want)
			}
		})
	}
}
