package graph_test

import (
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"kedge/quant/graph"
	"kedge/runtime/runtimetest"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// halves encodes IEEE 754 binary16 by bits.
func halves(bits ...uint16) []byte {
	var out []byte
	for _, b := range bits {
		out = binary.LittleEndian.AppendUint16(out, b)
	}
	return out
}

// TestImportConstants: the weights of a dense layer in every form.
func TestImportConstants(t *testing.T) {
	quant := func(kind tensor.Type, zero int, data []byte) runtimetest.Tensor {
		return runtimetest.Tensor{Name: "w", Type: kind, Shape: []int{1, 4}, Scales: []float32{0.5}, Zeros: []int{zero}, Data: data}
	}
	for _, c := range []struct {
		name string
		w    runtimetest.Tensor
		want graph.Tensor // its type and data
		real []float32    // after Dequantize
	}{
		{"float32", runtimetest.Tensor{Name: "w", Shape: []int{1, 4}, Data: runtimetest.Float32s(1, -2, 3, 4)}, graph.Tensor{Float: []float32{1, -2, 3, 4}}, []float32{1, -2, 3, 4}},
		{"float16", runtimetest.Tensor{Name: "w", Type: tensor.Float16, Shape: []int{1, 4}, Data: halves(0x3c01, 0xc000, 0x0001, 0x8000)},
			graph.Tensor{Float: []float32{1 + 1.0/1024, -2, 1.0 / (1 << 24), float32(math.Copysign(0, -1))}}, []float32{1 + 1.0/1024, -2, 1.0 / (1 << 24), 0}},
		{"int8", quant(tensor.Int8, 0, runtimetest.Int8s(1, -2, 127, -128)), graph.Tensor{Type: tensor.Int8, Int8: []int8{1, -2, 127, -128}}, []float32{0.5, -1, 63.5, -64}},
		{"int4", quant(tensor.Int4, 0, runtimetest.Int4s(1, -2, 7, -8)), graph.Tensor{Type: tensor.Int8, Int8: []int8{1, -2, 7, -8}}, []float32{0.5, -1, 3.5, -4}},
		{"uint8", quant(tensor.Uint8, 128, []byte{129, 126, 255, 0}), graph.Tensor{Type: tensor.Uint8, Uint8: []uint8{129, 126, 255, 0}}, []float32{0.5, -1, 63.5, -64}},
	} {
		o := operator{c.name, tflite.FullyConnected, []any{byte(0)}, tensors(real("x", 1, 4), c.w), nil, tensors(real("y", 1, 1))}
		g, err := graph.FromTFLite(o.file())
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		w := g.Tensor(1)
		if w.Type != c.want.Type || !reflect.DeepEqual([]any{w.Float, w.Int8, w.Uint8}, []any{c.want.Float, c.want.Int8, c.want.Uint8}) {
			t.Errorf("%s: got %+v, want %+v", c.name, w, c.want)
		}
		if g, err = g.Dequantize(); err != nil || !slices.Equal(g.Tensor(1).Float, c.real) {
			t.Errorf("%s: dequantized %+v, %v, want %v", c.name, g, err, c.real)
		}
	}
}

// TestImportDequantizesConstants: what comes before a layer's weights is computed.
func TestImportDequantizesConstants(t *testing.T) {
	sparse := runtimetest.Compress(runtimetest.Tensor{Name: "packed", Type: tensor.Float16, Shape: []int{2, 2}, Data: halves(0, 0x4000, 0, 0x4200)}, runtimetest.Blocks{CSR: []bool{false, true}})
	for _, c := range []struct {
		name string
		w    runtimetest.Tensor
		ops  []tflite.Code // each from tensor i+2 to i+3, the last to the weights
		want []float32
	}{
		{"float16", runtimetest.Tensor{Name: "half", Type: tensor.Float16, Shape: []int{2, 2}, Data: halves(0x3c00, 0x4000, 0, 0x4200)}, []tflite.Code{tflite.Dequantize}, []float32{1, 2, 0, 3}},
		{"int8", runtimetest.Tensor{Name: "byte", Type: tensor.Int8, Shape: []int{2, 2}, Scales: []float32{1, 0.5}, Zeros: []int{0, 0}, Data: runtimetest.Int8s(1, 2, 3, 4)}, []tflite.Code{tflite.Dequantize}, []float32{1, 2, 1.5, 2}},
		{"sparse float16", sparse, []tflite.Code{tflite.Densify, tflite.Dequantize}, []float32{0, 2, 0, 3}},
		{"another order", runtimetest.Tensor{Name: "columns", Shape: []int{2, 2}, Data: runtimetest.Float32s(1, 2, 3, 4)}, []tflite.Code{tflite.Transpose}, []float32{1, 3, 2, 4}},
		{"another shape", runtimetest.Tensor{Name: "row", Shape: []int{4}, Data: runtimetest.Float32s(1, 2, 3, 4)}, []tflite.Code{tflite.Reshape}, []float32{1, 2, 3, 4}},
	} {
		b := &runtimetest.Builder{Tensors: tensors(real("x", 1, 2), real("y", 1, 2), c.w), Inputs: []int{0}, Outputs: []int{1}}
		for i, code := range c.ops {
			next := runtimetest.Tensor{Name: "w", Shape: []int{2, 2}}
			if code == tflite.Densify {
				next.Type = c.w.Type
			}
			op := runtimetest.Op{Code: code, Inputs: []int{i + 2}, Outputs: []int{i + 3}}
			b.Tensors, b.Ops = append(b.Tensors, next), append(b.Ops, op)
			switch code {
			case tflite.Reshape:
				b.Ops[i].Options = []any{[]int{2, 2}}
			case tflite.Transpose:
				b.Tensors = append(b.Tensors, list(1, 0))
				b.Ops[i].Inputs = append(op.Inputs, len(b.Tensors)-1)
			}
		}
		b.Ops = append(b.Ops, runtimetest.Op{Code: tflite.FullyConnected, Inputs: []int{0, len(c.ops) + 2}, Outputs: []int{1}})
		g, err := graph.FromTFLite(b.Bytes())
		if err != nil || len(g.Nodes) != 1 || len(g.Tensors) != 3 || !slices.Equal(g.Tensor(g.Nodes[0].Inputs[1]).Float, c.want) {
			t.Errorf("%s: got %+v, %v, want one layer with weights %v", c.name, g, err, c.want)
		}
	}
}

func TestImportRefuses(t *testing.T) {
	x, y := real("x", 1, 4, 4, 2), tensors(real("y"))
	w := reals("w", 3, 2, 2, 2)
	nan := runtimetest.Tensor{Name: "weights", Shape: []int{3, 2, 2, 2}, Data: slices.Concat(runtimetest.Float32s(make([]float32, 23)...), runtimetest.Float32s(float32(math.NaN())))}
	infinite := runtimetest.Tensor{Name: "weights", Type: tensor.Float16, Shape: []int{3, 2, 2, 2}, Data: append(make([]byte, 46), halves(0x7c00)...)}
	computed := runtimetest.Tensor{Name: "computed", Type: tensor.Int32, Shape: []int{4}}
	for _, c := range []struct {
		operator
		want error
		says string
	}{
		{operator{"NaN", tflite.Conv2D, []any{byte(0), 1, 1}, tensors(x, nan), nil, y}, graph.ErrInvalid, `"weights" holds NaN at index 23`},
		{operator{"infinite", tflite.Conv2D, []any{byte(0), 1, 1}, tensors(x, infinite), nil, y}, graph.ErrInvalid, `"weights" holds +Inf`},
		{operator{"stride 0", tflite.Conv2D, []any{byte(0)}, tensors(x, w), nil, y}, graph.ErrInvalid, "strides"},
		{operator{"padding", tflite.Conv2D, []any{byte(2), 1, 1}, tensors(x, w), nil, y}, graph.ErrInvalid, "padding 2"},
		{operator{"one filter for many", tflite.Conv2D, []any{byte(0), 1, 1}, tensors(x, reals("w", 3, 2, 2)), nil, y}, graph.ErrInvalid, "four dimensions"},
		{operator{"groups", tflite.Conv2D, []any{byte(0), 1, 1}, tensors(x, reals("w", 3, 2, 2, 1)), nil, y}, graph.ErrInvalid, "2 groups"},
		{operator{"computed weights", tflite.Conv2D, []any{byte(0), 1, 1}, tensors(x, real("w", 3, 2, 2, 2)), nil, y}, graph.ErrUnsupported, `"w" computed at run time`},
		{operator{"tanh fused", tflite.Conv2D, []any{byte(0), 1, 1, byte(4)}, tensors(x, w), nil, y}, graph.ErrUnsupported, "fused"},
		{operator{"shuffled weights", tflite.FullyConnected, []any{byte(0), byte(1)}, tensors(x, reals("w", 3, 2)), nil, y}, graph.ErrUnsupported, "shuffled"},
		{operator{"computed shape", tflite.Reshape, nil, tensors(x, computed), nil, y}, graph.ErrUnsupported, "computed"},
		{operator{"shape of other size", tflite.Reshape, nil, tensors(x, list(5, -1)), nil, y}, graph.ErrInvalid, "[5 -1]"},
		{operator{"two open extents", tflite.Reshape, nil, tensors(x, list(-1, -1)), nil, y}, graph.ErrInvalid, "[-1 -1]"},
		{operator{"huge extents", tflite.Reshape, nil, tensors(x, list(1<<30, 1<<30, 1<<30)), nil, y}, graph.ErrInvalid, "1073741824"},
		{operator{"too many extents", tflite.Reshape, nil, tensors(x, list(make([]int, 65)...)), nil, y}, graph.ErrInvalid, "at most 64"},
		{operator{"axis", tflite.Split, nil, tensors(scalar(4), x), nil, y}, graph.ErrInvalid, "axis 4"},
		{operator{"uneven split", tflite.Split, nil, tensors(scalar(1), x), nil, tensors(real("y"), real("z"), real("u"))}, graph.ErrInvalid, "4 elements in 3 parts"},
		{operator{"split by too much", tflite.SplitV, nil, tensors(x, list(5), scalar(1)), nil, y}, graph.ErrInvalid, "5"},
		{operator{"slice outside", tflite.Slice, nil, tensors(x, list(0, 0, 3, 0), list(1, 1, 2, 1)), nil, y}, graph.ErrInvalid, "from 3"},
		{operator{"slice of nothing", tflite.StridedSlice, nil, tensors(x, list(0), list(0), list(1)), nil, y}, graph.ErrInvalid, "nothing"},
		{operator{"slice by 0", tflite.StridedSlice, nil, tensors(x, list(0), list(1), list(0)), nil, y}, graph.ErrInvalid, "stride 0"},
		{operator{"slice by offsets", tflite.StridedSlice, []any{0, 0, 0, 0, 0, true}, tensors(x, list(0), list(1), list(1)), nil, y}, graph.ErrUnsupported, "relative"},
		{operator{"two ellipses", tflite.StridedSlice, []any{0, 0, 3}, tensors(x, list(0, 0), list(1, 1), list(1, 1)), nil, y}, graph.ErrInvalid, "2 ellipses"},
		{operator{"negative padding", tflite.Pad, nil, tensors(real("x", 3), runtimetest.Const32("p", []int{1, 2}, -1, 0)), nil, y}, graph.ErrInvalid, "-1"},
		{operator{"mirrored how", tflite.MirrorPad, []any{byte(2)}, tensors(real("x", 3), runtimetest.Const32("p", []int{1, 2}, 1, 0)), nil, y}, graph.ErrInvalid, "mode 2"},
		{operator{"gelu by tanh", tflite.Gelu, []any{true}, tensors(x), nil, y}, graph.ErrUnsupported, "tanh"},
		{operator{"too few operands", tflite.Add, nil, tensors(x), nil, y}, graph.ErrInvalid, "1 inputs"},
		{operator{"an operand left out", tflite.Add, nil, tensors(x), []int{0, -1}, y}, graph.ErrInvalid, "input 1 is missing"},
		{operator{"no output", tflite.Relu, nil, tensors(x), nil, nil}, graph.ErrInvalid, "no output"},
		{operator{"two outputs", tflite.Relu, nil, tensors(x), nil, tensors(real("y"), real("z"))}, graph.ErrInvalid, "2 outputs"},
		{operator{"another shape stated", tflite.Relu, nil, tensors(x), nil, tensors(real("y", 1, 4, 4, 3))}, graph.ErrInvalid, "[1,4,4,3]"},
		{operator{"open input", tflite.Relu, nil, tensors(real("x", -1, 4, -1, 2)), nil, y}, graph.ErrUnsupported, "dimension 2"},
		{operator{"constants of bool", tflite.Add, nil, tensors(x, runtimetest.Tensor{Name: "b", Type: tensor.Bool, Shape: []int{1}, Data: []byte{1}}), nil, y}, graph.ErrUnsupported, "bool"},
		{operator{"too little data", tflite.Add, nil, tensors(x, runtimetest.Tensor{Name: "c", Shape: []int{2}, Data: make([]byte, 4)}), nil, y}, graph.ErrInvalid, "4 bytes"},
		{operator{"variable", tflite.Add, nil, tensors(x, runtimetest.Tensor{Name: "v", Shape: []int{2}, Variable: true, Data: make([]byte, 8)}), nil, y}, graph.ErrUnsupported, "keeps its content"},
	} {
		_, err := graph.FromTFLite(c.file())
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %v saying %q", c.name, err, c.want, c.says)
		}
	}
}

// TestImportNames: tensors without a name, and with one that others have, get
// their own.
func TestImportNames(t *testing.T) {
	b := &runtimetest.Builder{
		Tensors: tensors(real("a", 2), real("", 2), real("a", 2), real("a_2", 2), real("a", 2)), Inputs: []int{0}, Outputs: []int{4},
		Ops: []runtimetest.Op{
			{Code: tflite.Relu, Inputs: []int{0}, Outputs: []int{1}}, {Code: tflite.Abs, Inputs: []int{1}, Outputs: []int{2}},
			{Code: tflite.Abs, Inputs: []int{2}, Outputs: []int{3}}, {Code: tflite.Abs, Inputs: []int{3}, Outputs: []int{4}},
		},
	}
	g, err := graph.FromTFLite(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range g.Tensors {
		got = append(got, g.Tensors[i].Name)
	}
	if want := []string{"a", "tensor_1", "a_3", "a_2", "a_4"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestImportOpenBatch: −1 in front is one sample.
func TestImportOpenBatch(t *testing.T) {
	operator{"open batch", tflite.Relu, nil, tensors(real("x", -1, 3)), nil, tensors(real("y", -1, 3))}.check(t, []graph.Op{graph.Unary{Kind: graph.FuncReLU}}, tensor.Shape{1, 3})
}

// TestImportGrouped: every group has its filters, their scales and its biases.
func TestImportGrouped(t *testing.T) {
	w := runtimetest.Tensor{Name: "w", Type: tensor.Int8, Shape: []int{4, 1, 1, 1}, Scales: []float32{1, 2, 3, 4}, Zeros: []int{0, 0, 0, 0}, Data: runtimetest.Int8s(5, 6, 7, 8)}
	b := runtimetest.Tensor{Name: "b", Shape: []int{4}, Data: runtimetest.Float32s(-1, -2, -3, -4)}
	o := operator{"grouped", tflite.Conv2D, []any{byte(1), 1, 1}, tensors(real("x", 1, 1, 1, 2), w, b), nil, tensors(real("y"))}
	g, err := graph.FromTFLite(o.file())
	if err != nil {
		t.Fatal(err)
	}
	second := g.Nodes[2]
	weights, bias := g.Tensor(second.Inputs[1]), g.Tensor(second.Inputs[2])
	if !slices.Equal(weights.Int8, []int8{7, 8}) || !slices.Equal(weights.Quant.Scales, []float32{3, 4}) || !slices.Equal(bias.Float, []float32{-3, -4}) {
		t.Errorf("second group: got %+v and %+v, want the last two filters", weights, bias)
	}
	f, err := g.Dequantize()
	if err != nil {
		t.Fatal(err)
	}
	e, err := graph.NewExecutor(f)
	if err != nil {
		t.Fatal(err)
	}
	out, err := e.Run([][]float32{{1, 10}}, nil)
	if want := []float32{5 - 1, 12 - 2, 210 - 3, 320 - 4}; err != nil || !slices.Equal(out[0], want) {
		t.Errorf("got %v, %v, want %v", out, err, want)
	}
}

// TestImportIsBounded: few bytes that stand for many are refused, whether tensors
// share them or operators are read as many of them.
func TestImportIsBounded(t *testing.T) {
	shared := &runtimetest.Builder{
		Tensors: tensors(real("x", 1), real("y", 1), reals("c", 1<<14)), Inputs: []int{0}, Outputs: []int{1}, Repeat: 1 << 13,
		Ops: []runtimetest.Op{{Code: tflite.Relu, Inputs: []int{0}, Outputs: []int{1}}},
	}
	groups := &runtimetest.Builder{Tensors: tensors(real("x", 1, 1, 1, 1<<12), reals("w", 1<<12, 1, 1, 1)), Inputs: []int{0}, Outputs: []int{2}}
	for i := range 1 << 10 {
		groups.Tensors = append(groups.Tensors, real("y", 1, 1, 1, 1<<12))
		groups.Ops = append(groups.Ops, runtimetest.Op{Code: tflite.Conv2D, Inputs: []int{0, 1}, Outputs: []int{i + 2}, Options: []any{byte(0), 1, 1}})
	}
	for name, b := range map[string]*runtimetest.Builder{"shared constants": shared, "groups": groups} {
		if _, err := graph.FromTFLite(b.Bytes()); !errors.Is(err, tflite.ErrBudget) {
			t.Errorf("%s: got %v, want %v", name, err, tflite.ErrBudget)
		}
	}
}
