package op_test

import (
	"bytes"
	"math"
	"testing"

	"kedge/runtime"
	rt "kedge/runtime/runtimetest"
	"kedge/runtime/tflite"
)

// realWeights is a constant of float32.
func realWeights(shape []int, values ...float32) rt.Tensor {
	return rt.Tensor{Name: "w", Shape: shape, Data: rt.Float32s(values...)}
}

// TestReal checks the operators' float32 forms on numbers whose results are exact
// or known to the last place.
func TestReal(t *testing.T) {
	inf := float32(math.Inf(1))
	f := rt.Float32s
	two := []rt.Tensor{float32s(4), float32s(4)}
	unary := func(code tflite.Code, options ...any) *rt.Builder {
		return one(code, options, []rt.Tensor{float32s(4)}, float32s(4))
	}
	for _, c := range []struct {
		name  string
		model *rt.Builder
		in    [][]byte
		want  []byte
	}{
		{"ABS", unary(tflite.Abs), [][]byte{f(-1.5, 2, -inf, 0)}, f(1.5, 2, inf, 0)},
		{"ADD keeps infinities out", one(tflite.Add, []any{none}, two, float32s(4)),
			[][]byte{f(1, 1e-8, inf, -inf), f(0.5, 1, 1, 1)}, f(1.5, 1, math.MaxFloat32, -math.MaxFloat32)},
		{"ADD broadcasts, relu6", one(tflite.Add, []any{six}, []rt.Tensor{float32s(2, 1), float32s(2)}, float32s(2, 2)),
			[][]byte{f(1, -4), f(2, 9)}, f(3, 6, 0, 5)},
		{"SUB relu", one(tflite.Sub, []any{relu}, two, float32s(4)),
			[][]byte{f(1, 2, 3, 4), f(2, 2, 1, -1)}, f(0, 0, 2, 5)},
		{"MUL n1to1", one(tflite.Mul, []any{n1to1}, two, float32s(4)),
			[][]byte{f(1, 2, -3, 0.5), f(2, 2, 1, -1)}, f(1, 1, -1, -0.5)},
		{"DIV", one(tflite.Div, []any{none}, two, float32s(4)),
			[][]byte{f(1, 1, -3, 0), f(4, 3, 0, 5)}, f(0.25, 1.0/3, -math.MaxFloat32, 0)},
		{"SQUARED_DIFFERENCE", one(tflite.SquaredDifference, nil, two, float32s(4)),
			[][]byte{f(1, 2, -3, 0), f(4, 2, 0, 0.5)}, f(9, 0, 9, 0.25)},
		{"RELU", unary(tflite.Relu), [][]byte{f(-1, 0, 2, inf)}, f(0, 0, 2, inf)},
		{"RELU6", unary(tflite.Relu6), [][]byte{f(-1, 0.5, 6.5, inf)}, f(0, 0.5, 6, 6)},
		{"LEAKY_RELU", unary(tflite.LeakyRelu, float32(0.25)), [][]byte{f(-1, 0.5, -8, 3)}, f(-0.25, 0.5, -2, 3)},
		{"PRELU", one(tflite.Prelu, nil, []rt.Tensor{float32s(2, 2), realWeights([]int{2}, 0.5, -2)}, float32s(2, 2)),
			[][]byte{f(-1, -1, 4, 5)}, f(-0.5, 2, 4, 5)},
		{"RSQRT", unary(tflite.Rsqrt), [][]byte{f(4, 0.25, 1, 0)}, f(0.5, 2, 1, inf)},
		{"HARD_SWISH", unary(tflite.HardSwish), [][]byte{f(-4, 3, 1, 100)}, f(float32(math.Copysign(0, -1)), 3, 4.0/6, 100)},
		{"ELU", unary(tflite.Elu), [][]byte{f(2, -1, -40, 0)}, f(2, -0.63212055, -1, 0)},
		{"LOGISTIC", unary(tflite.Logistic), [][]byte{f(0, 17, -10, 1)}, f(0.5, 1, 4.539993e-05, 0.7310586)},
		{"TANH", unary(tflite.Tanh), [][]byte{f(0, 30, -1, 0.5)}, f(0, 1, -0.7615942, 0.46211717)},
		{"FLOOR", unary(tflite.Floor), [][]byte{f(1.5, -1.5, 2, 1e30)}, f(1, -2, 2, 1e30)},
		{"CEIL", unary(tflite.Ceil), [][]byte{f(1.5, -1.5, 2, 1e30)}, f(2, -1, 2, 1e30)},
		{"ROUND halves to even", unary(tflite.Round), [][]byte{f(0.5, 1.5, -2.5, -0.25)}, f(0, 2, -2, 0)},
		{"SQRT", unary(tflite.Sqrt), [][]byte{f(4, 2, 0, 1e10)}, f(2, 1.4142135, 0, 1e5)},
		{"SQUARE", unary(tflite.Square), [][]byte{f(3, -1.5, 0, 1e30)}, f(9, 2.25, 0, inf)},
		{"NEG", unary(tflite.Neg), [][]byte{f(3, -1.5, 0, inf)}, f(-3, 1.5, float32(math.Copysign(0, -1)), -inf)},
		{"EXP", unary(tflite.Exp), [][]byte{f(0, 1, -200, 100)}, f(1, math.E, 0, inf)},
		{"LOG", unary(tflite.Log), [][]byte{f(1, 2, 0, inf)}, f(0, math.Ln2, -inf, inf)},
		{"SIN", unary(tflite.Sin), [][]byte{f(0, 1, -2, 1000)}, f(0, 0.84147098, -0.90929743, 0.82687954)},
		{"COS", unary(tflite.Cos), [][]byte{f(0, 1, -2, -1000)}, f(1, 0.5403023058681398, -0.4161468365, 0.5623790762)},
		{"FLOOR_DIV", one(tflite.FloorDiv, nil, two, float32s(4)), [][]byte{f(7, -7, 7, 6), f(2, 2, -2, 3)}, f(3, -4, -4, 2)},
		{"FLOOR_MOD", one(tflite.FloorMod, nil, two, float32s(4)), [][]byte{f(7, -7, 7, 6), f(3, 3, -3, 3)}, f(1, 2, -2, 0)},
		{"ADD_N", one(tflite.AddN, nil, []rt.Tensor{float32s(1), float32s(1), float32s(1)}, float32s(1)), [][]byte{f(1 << 24), f(1), f(1)}, f(1 << 24)},
		{"CUMSUM backward", one(tflite.Cumsum, []any{false, true}, []rt.Tensor{float32s(3), rt.Const32("a", nil, 0)}, float32s(3)), [][]byte{f(1, 2, 4)}, f(7, 6, 4)},
		{"SOFTMAX", one(tflite.Softmax, []any{float32(2)}, []rt.Tensor{float32s(2, 2)}, float32s(2, 2)),
			[][]byte{f(3, 3, 100, 0)}, f(0.5, 0.5, 1, 0)},
		{"LOG_SOFTMAX", one(tflite.LogSoftmax, nil, []rt.Tensor{float32s(1, 2)}, float32s(1, 2)),
			[][]byte{f(3, 3)}, f(-0.6931472, -0.6931472)},
		{"L2_NORMALIZATION", one(tflite.L2Normalization, []any{none}, []rt.Tensor{float32s(2, 2)}, float32s(2, 2)),
			[][]byte{f(3, 4, 0, 0)}, f(0.6, 0.8, 0, 0)},
		{"MEAN adds in order", one(tflite.Mean, []any{true}, []rt.Tensor{float32s(1, 4), rt.Const32("a", []int{1}, 1)}, float32s(1, 1)),
			[][]byte{f(1<<24, 1, 1, 2)}, f(1<<22 + 0.5)}, // each 1 alone is lost
		{"SUM over the first", one(tflite.Sum, nil, []rt.Tensor{float32s(2, 2), rt.Const32("a", nil, 0)}, float32s(2)),
			[][]byte{f(1, 2, 3, 4)}, f(4, 6)},
		{"AVERAGE_POOL_2D", one(tflite.AveragePool2D, []any{same, 2, 2, 2, 2, none}, []rt.Tensor{float32s(1, 1, 3, 1)}, float32s(1, 1, 2, 1)),
			[][]byte{f(1, 2, 5)}, f(1.5, 5)},
		{"MAX_POOL_2D", one(tflite.MaxPool2D, []any{valid, 1, 1, 2, 1, relu}, []rt.Tensor{float32s(1, 1, 3, 1)}, float32s(1, 1, 2, 1)),
			[][]byte{f(-1, -2, 5)}, f(0, 5)},
		{"L2_POOL_2D", one(tflite.L2Pool2D, []any{valid, 1, 1, 2, 1, none}, []rt.Tensor{float32s(1, 1, 3, 1)}, float32s(1, 1, 2, 1)),
			[][]byte{f(1, 7, 1)}, f(5, 5)},
		{"CONV_2D groups", one(tflite.Conv2D, []any{valid, 1, 1, none}, []rt.Tensor{float32s(1, 1, 1, 4),
			realWeights([]int{2, 1, 1, 2}, 1, 2, 3, 4), realWeights([]int{2}, 0, 0.5)}, float32s(1, 1, 1, 2)),
			[][]byte{f(1, 2, 3, 4)}, f(5, 25.5)},
		{"CONV_2D same, computed weights", one(tflite.Conv2D, []any{same, 1, 1, six}, []rt.Tensor{float32s(1, 1, 2, 1), float32s(1, 1, 3, 1)}, float32s(1, 1, 2, 1)),
			[][]byte{f(1, 2), f(4, 1, 0.5)}, f(2, 6)},
		{"DEPTHWISE_CONV_2D multiplier 2", one(tflite.DepthwiseConv2D, []any{valid, 1, 1, 2, none}, []rt.Tensor{float32s(1, 1, 2, 1),
			realWeights([]int{1, 1, 2, 2}, 1, 2, 3, 4)}, float32s(1, 1, 1, 2)),
			[][]byte{f(1, 10)}, f(31, 42)},
		{"FULLY_CONNECTED", one(tflite.FullyConnected, []any{relu}, []rt.Tensor{float32s(2, 2),
			realWeights([]int{1, 2}, 1, -1), realWeights([]int{1}, 0.5)}, float32s(2, 1)),
			[][]byte{f(3, 1, 1, 3)}, f(2.5, 0)},
		{"TRANSPOSE_CONV", one(tflite.TransposeConv, []any{valid, 1, 1, none}, []rt.Tensor{rt.Const32("s", []int{4}, 1, 1, 3, 1),
			realWeights([]int{1, 1, 2, 1}, 1, 10), float32s(1, 1, 2, 1), realWeights([]int{1}, 0.5)}, float32s(1, 1, 3, 1)),
			[][]byte{f(1, 2)}, f(1.5, 12.5, 20.5)},
		{"BATCH_MATMUL transposes", one(tflite.BatchMatMul, []any{false, true}, []rt.Tensor{float32s(1, 2), float32s(2, 2)}, float32s(1, 2)),
			[][]byte{f(1, 2), f(3, 4, 5, 6)}, f(11, 17)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := rt.Run(t, c.model, c.in...); !bytes.Equal(got, c.want) {
				t.Errorf("got % x, want % x", got, c.want)
			}
		})
	}
}

// TestRealSVDF follows one unit of rank 2 over two steps: its filters give x and
// -2x, weights over time are 1, 2 and 10, 20.
func TestRealSVDF(t *testing.T) {
	f := rt.Float32s
	state := float32s(1, 4)
	state.Variable = true
	b := &rt.Builder{
		Tensors: []rt.Tensor{float32s(1, 1), realWeights([]int{2, 1}, 1, -2), realWeights([]int{2, 2}, 1, 2, 10, 20),
			realWeights([]int{1}, 100), state, float32s(1, 1)},
		Inputs: []int{0}, Outputs: []int{5},
		Ops: []rt.Op{{Code: tflite.SVDF, Options: []any{2, relu}, Inputs: []int{0, 1, 2, 3, 4}, Outputs: []int{5}}},
	}
	steps(t, b, []step{{f(1), f(100 + 2 - 40)}, {f(-1), f(100 + (1 - 2) + (-20 + 40))}, {f(9), f(0)}})
}

// TestRealLSTM follows a layer of one feature and one unit, whose gates stay at
// 1/2 and whose cell takes in tanh x: 1 for 30. The cell goes 1/2, 1/4, the output
// is half its tanh.
func TestRealLSTM(t *testing.T) {
	f := rt.Float32s
	for _, major := range []bool{false, true} {
		hidden := float32s(1, 1)
		hidden.Variable = true
		b := &rt.Builder{Tensors: []rt.Tensor{float32s(1, 1, 1)}, Inputs: []int{0}}
		o := rt.Op{Code: tflite.UnidirectionalSequenceLSTM, Options: []any{byte(4), float32(0.6), nil, major}, Inputs: make([]int, 24)}
		for i := range 24 {
			o.Inputs[i] = -1
		}
		o.Inputs[0] = 0
		add := func(at int, t rt.Tensor) {
			o.Inputs[at] = len(b.Tensors)
			b.Tensors = append(b.Tensors, t)
		}
		for g, weight := range []float32{0, 0, 1, 0} {
			add(1+g, realWeights([]int{1, 1}, weight))
			add(5+g, realWeights([]int{1, 1}, 0))
			add(12+g, realWeights([]int{1}, 0))
		}
		add(18, hidden)
		add(19, hidden)
		o.Outputs, b.Outputs = []int{len(b.Tensors)}, []int{len(b.Tensors)}
		b.Tensors, b.Ops = append(b.Tensors, float32s(1, 1, 1)), []rt.Op{o}
		steps(t, b, []step{
			{f(30), f(0.46211717 / 2)}, {f(0), f(0.24491866 / 2)},
			{f(30), f(0.53704957 / 2)}, // the cell, 5/8, is clipped to 0.6
		})
	}
}

// step is one inference of a model with state.
type step struct{ in, want []byte }

// steps checks a model's outputs one after the other.
func steps(t *testing.T, b *rt.Builder, all []step) {
	t.Helper()
	m, err := runtime.Load(b.Bytes(), runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.NewSession(runtime.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range all {
		copy(s.Input(0), c.in)
		if err := s.Invoke(); err != nil {
			t.Fatal(err)
		}
		if got := s.Output(0); !bytes.Equal(got, c.want) {
			t.Errorf("step %d: got % x, want % x", i, got, c.want)
		}
	}
	if n := testing.AllocsPerRun(5, func() { s.Invoke() }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}
