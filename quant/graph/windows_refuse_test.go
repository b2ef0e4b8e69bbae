package graph

import (
	"errors"
	"math"
	"strings"
	"testing"

	"kedge/runtime/tensor"
)

// zeros is a constant of that shape.
func zeros(shape ...int) Tensor {
	n, _ := tensor.Shape(shape).Elements()
	return Tensor{Name: "constant", Shape: shape, Float: make([]float32, n)}
}

// moved is Dense with a change.
func moved(change func(*Window)) Window {
	w := Dense()
	change(&w)
	return w
}

// TestWindowsRefuse: every malformed node is an error that says what was found,
// the last column being a part of that.
func TestWindowsRefuse(t *testing.T) {
	x, weights, bias, run := tensor.Shape{1, 5, 6, 2}, zeros(3, 2, 2, 2), zeros(3), Tensor{Name: "late", Shape: tensor.Shape{3, 2, 2, 2}}
	depthwise, one := zeros(1, 2, 2, 4), zeros(1, 1, 1, 2)
	for _, c := range []struct {
		name      string
		op        Op
		x         tensor.Shape
		constants []Tensor
		want      error
		finding   string
	}{
		{"no weights", Conv2D{Window: Dense()}, x, nil, ErrInvalid, "1 inputs"},
		{"four operands", Conv2D{Window: Dense()}, x, []Tensor{weights, bias, bias}, ErrInvalid, "4 inputs"},
		{"weights computed", Conv2D{Window: Dense()}, x, []Tensor{run}, ErrUnsupported, `"late"`},
		{"bias computed", Conv2D{Window: Dense()}, x, []Tensor{weights, {Name: "late", Shape: tensor.Shape{3}}}, ErrInvalid, `"late"`},
		{"bias of another length", Conv2D{Window: Dense()}, x, []Tensor{weights, zeros(2)}, ErrInvalid, "[3]"},
		{"input of rank 3", Conv2D{Window: Dense()}, x[:3], []Tensor{weights}, ErrInvalid, "[1,5,6]"},
		{"weights of rank 3", Conv2D{Window: Dense()}, x, []Tensor{zeros(3, 2, 2)}, ErrInvalid, "4 dimensions"},
		{"empty filter", Conv2D{Window: Dense()}, x, []Tensor{zeros(3, 0, 2, 2)}, ErrInvalid, "[3,0,2,2]"},
		{"other depth", Conv2D{Window: Dense()}, x, []Tensor{zeros(3, 2, 2, 1)}, ErrInvalid, "1 channels"},
		{"no window", Conv2D{}, x, []Tensor{weights}, ErrInvalid, "strides 0, 0"},
		{"stride 0", Conv2D{Window: moved(func(w *Window) { w.StrideW = 0 })}, x, []Tensor{weights}, ErrInvalid, "strides 1, 0"},
		{"huge stride", Conv2D{Window: moved(func(w *Window) { w.StrideW = math.MaxInt })}, x, []Tensor{weights}, ErrInvalid, "strides"},
		{"dilation 0", Conv2D{Window: moved(func(w *Window) { w.DilationH = 0 })}, x, []Tensor{weights}, ErrInvalid, "dilations 0, 1"},
		{"huge dilation", Conv2D{Window: moved(func(w *Window) { w.DilationH = math.MaxInt })}, x, []Tensor{weights}, ErrInvalid, "dilations"},
		{"dilation beyond the image", Conv2D{Window: moved(func(w *Window) { w.DilationH = 1 << 24 })}, x, []Tensor{weights}, ErrInvalid, "larger than the image"},
		{"negative padding", Conv2D{Window: moved(func(w *Window) { w.Pad.Left = -1 })}, x, []Tensor{weights}, ErrInvalid, "left -1"},
		{"huge padding", Conv2D{Window: moved(func(w *Window) { w.Pad.Bottom = math.MaxInt })}, x, []Tensor{weights}, ErrInvalid, "padding"},
		{"output beyond 31 bits", Conv2D{Window: moved(func(w *Window) { w.Pad = Padding{1 << 24, 1 << 24, 1 << 24, 1 << 24} })}, x, []Tensor{weights}, ErrInvalid, "would have shape"},
		{"filter larger than the image", Conv2D{Window: Dense()}, x, []Tensor{zeros(3, 6, 2, 2)}, ErrInvalid, "larger than the image [1,5,6,2]"},
		{"activation", Conv2D{Window: Dense(), Activation: 4}, x, []Tensor{weights}, ErrUnsupported, "activation(4)"},

		{"no multiplier", DepthwiseConv2D{Window: Dense()}, x, []Tensor{depthwise}, ErrInvalid, "multiplier 0"},
		{"other multiplier", DepthwiseConv2D{Window: Dense(), Multiplier: 1}, x, []Tensor{depthwise}, ErrInvalid, "multiplier 1"},
		{"multiplier that overflows", DepthwiseConv2D{Window: Dense(), Multiplier: math.MaxInt/2 + 3}, x, []Tensor{depthwise}, ErrInvalid, "multiplier"},
		{"part of a multiplier", DepthwiseConv2D{Window: Dense(), Multiplier: 2}, x, []Tensor{zeros(1, 2, 2, 5)}, ErrInvalid, "[1,2,2,5]"},
		{"two filters", DepthwiseConv2D{Window: Dense(), Multiplier: 2}, x, []Tensor{zeros(2, 2, 2, 4)}, ErrInvalid, "[2,2,2,4]"},
		{"depthwise bias", DepthwiseConv2D{Window: Dense(), Multiplier: 2}, x, []Tensor{depthwise, bias}, ErrInvalid, "[4]"},
		{"depthwise stride", DepthwiseConv2D{Multiplier: 2}, x, []Tensor{depthwise}, ErrInvalid, "strides 0, 0"},
		{"depthwise rank", DepthwiseConv2D{Window: Dense(), Multiplier: 2}, x[:2], []Tensor{depthwise}, ErrInvalid, "[1,5]"},
		{"depthwise activation", DepthwiseConv2D{Window: Dense(), Multiplier: 2, Activation: 5}, x, []Tensor{depthwise}, ErrUnsupported, "activation(5)"},

		{"transpose stride", TransposeConv{StrideH: 1, OutputH: 9, OutputW: 9}, x, []Tensor{weights}, ErrInvalid, "strides 1, 0"},
		{"transpose padding", TransposeConv{StrideH: 1, StrideW: 1, PadTop: -1, OutputH: 9, OutputW: 9}, x, []Tensor{weights}, ErrInvalid, "top -1"},
		{"no output", TransposeConv{StrideH: 1, StrideW: 1, OutputH: 9}, x, []Tensor{weights}, ErrInvalid, "9 × 0"},
		{"huge output", TransposeConv{StrideH: 1, StrideW: 1, OutputH: math.MaxInt, OutputW: math.MaxInt}, x, []Tensor{weights}, ErrInvalid, "would have shape"},
		{"transpose depth", TransposeConv{StrideH: 1, StrideW: 1, OutputH: 9, OutputW: 9}, x, []Tensor{zeros(2, 2, 2, 3)}, ErrInvalid, "3 channels"},
		{"transpose rank", TransposeConv{StrideH: 1, StrideW: 1, OutputH: 9, OutputW: 9}, append(x[:4:4], 1), []Tensor{weights}, ErrInvalid, "[1,5,6,2,1]"},
		{"transpose activation", TransposeConv{StrideH: 1, StrideW: 1, OutputH: 9, OutputW: 9, Activation: 4}, x, []Tensor{weights}, ErrUnsupported, "activation(4)"},

		{"pool of two", MaxPool2D{Window: Dense(), FilterH: 1, FilterW: 1}, x, []Tensor{one}, ErrInvalid, "2 inputs"},
		{"pool without filter", MaxPool2D{Window: Dense(), FilterW: 1}, x, nil, ErrInvalid, "0 × 1"},
		{"pool with a huge filter", MaxPool2D{Window: Dense(), FilterH: math.MaxInt, FilterW: 1}, x, nil, ErrInvalid, "taps"},
		{"pool larger than the image", AveragePool2D{Window: Dense(), FilterH: 1, FilterW: 7}, x, nil, ErrInvalid, "larger than the image"},
		{"pool with dilation", AveragePool2D{Window: moved(func(w *Window) { w.DilationW = 2 }), FilterH: 1, FilterW: 2}, x, nil, ErrUnsupported, "dilations 1, 2"},
		{"pool of nothing, left", AveragePool2D{Window: moved(func(w *Window) { w.Pad.Left = 2 }), FilterH: 2, FilterW: 2}, x, nil, ErrInvalid, "outside the image"},
		{"pool of nothing, bottom", MaxPool2D{Window: moved(func(w *Window) { w.Pad.Bottom = 2 }), FilterH: 2, FilterW: 2}, x, nil, ErrInvalid, "outside the image"},
		{"pool stride", MaxPool2D{FilterH: 1, FilterW: 1}, x, nil, ErrInvalid, "strides 0, 0"},
		{"pool rank", MaxPool2D{Window: Dense(), FilterH: 1, FilterW: 1}, x[:1], nil, ErrInvalid, "[1]"},
		{"pool activation", AveragePool2D{Window: Dense(), FilterH: 1, FilterW: 1, Activation: 255}, x, nil, ErrUnsupported, "activation(255)"},

		{"one matrix", BatchMatMul{}, x, nil, ErrInvalid, "1 inputs"},
		{"a vector", BatchMatMul{}, x, []Tensor{zeros(2)}, ErrInvalid, "[2]"},
		{"empty matrix", BatchMatMul{}, x, []Tensor{zeros(2, 0)}, ErrInvalid, "[2,0]"},
		{"inner dimensions", BatchMatMul{}, x, []Tensor{zeros(3, 2)}, ErrInvalid, "rows of 2 against columns of 3"},
		{"inner dimensions, transposed", BatchMatMul{AdjY: true}, x, []Tensor{zeros(2, 3)}, ErrInvalid, "rows of 2 against columns of 3"},
		{"no broadcast", BatchMatMul{}, x, []Tensor{zeros(2, 4, 2, 3)}, ErrInvalid, "do not broadcast"},

		{"rows that do not come out", FullyConnected{}, tensor.Shape{3, 5}, []Tensor{zeros(4, 2)}, ErrInvalid, "rows of 2"},
		{"scalar", FullyConnected{}, tensor.Shape{}, []Tensor{zeros(4, 1)}, ErrInvalid, "[]"},
		{"kept dimensions of another depth", FullyConnected{KeepDims: true}, tensor.Shape{2, 3, 4}, []Tensor{zeros(4, 2)}, ErrInvalid, "[2,3,4]"},
		{"no outputs", FullyConnected{}, x, []Tensor{zeros(0, 2)}, ErrInvalid, "[0,2]"},
	} {
		err := single(c.op, c.x, c.constants...).Infer()
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.finding) {
			t.Errorf("%s: got %v, want %v with %q", c.name, err, c.want, c.finding)
		}
	}
}

// TestAbsentOperands: None in the place of an operand that must be there.
func TestAbsentOperands(t *testing.T) {
	ops := []Op{Conv2D{Window: Dense()}, DepthwiseConv2D{Window: Dense()}, TransposeConv{}, BatchMatMul{}, FullyConnected{}, MaxPool2D{}, AveragePool2D{}}
	for _, op := range ops {
		g := single(op, tensor.Shape{1, 2, 2, 1}, zeros(1, 1, 1, 1))
		for i := range 2 {
			g.Nodes[0].Inputs = []TensorID{0, 1}
			g.Nodes[0].Inputs[i] = None
			if err := g.Infer(); !errors.Is(err, ErrInvalid) {
				t.Errorf("%s without operand %d: got %v, want %v", op.Name(), i, err, ErrInvalid)
			}
		}
	}
}

// TestInferQuantized: of a quantized graph's constants the shapes are enough.
func TestInferQuantized(t *testing.T) {
	integer := func(shape ...int) Tensor {
		n, _ := tensor.Shape(shape).Elements()
		return Tensor{Name: "w", Shape: shape, Type: tensor.Int8, Int8: make([]int8, n)}
	}
	bias := Tensor{Name: "b", Shape: tensor.Shape{3}, Type: tensor.Int32, Int32: make([]int32, 3)}
	for _, c := range []struct {
		op        Op
		constants []Tensor
		want      tensor.Shape
	}{
		{Conv2D{Window: Dense()}, []Tensor{integer(3, 2, 1, 3), bias}, tensor.Shape{1, 3, 5, 3}},
		{DepthwiseConv2D{Window: Dense(), Multiplier: 1}, []Tensor{integer(1, 2, 1, 3), bias}, tensor.Shape{1, 3, 5, 3}},
		{TransposeConv{StrideH: 2, StrideW: 2, OutputH: 8, OutputW: 9}, []Tensor{integer(3, 2, 1, 3), bias}, tensor.Shape{1, 8, 9, 3}},
		{FullyConnected{KeepDims: true}, []Tensor{integer(3, 3), bias}, tensor.Shape{1, 4, 5, 3}},
		{BatchMatMul{}, []Tensor{integer(3, 7)}, tensor.Shape{1, 4, 5, 7}},
		{MaxPool2D{Window: Dense(), FilterH: 2, FilterW: 2}, nil, tensor.Shape{1, 3, 4, 3}},
	} {
		g := single(c.op, tensor.Shape{1, 4, 5, 3}, c.constants...)
		g.Tensors[0].Type = tensor.Int8
		if err := g.Infer(); err != nil {
			t.Errorf("%s: %v", c.op.Name(), err)
		} else if got := g.Tensor(g.Outputs[0]).Shape; !got.Equal(c.want) {
			t.Errorf("%s: got shape %v, want %v", c.op.Name(), got, c.want)
		}
	}
}
