package emit

import (
	"errors"
	"strings"
	"testing"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

func TestPaddingWithoutName(t *testing.T) {
	w := graph.Window{StrideH: 2, StrideW: 2, DilationH: 1, DilationW: 1, Pad: graph.Padding{Top: 1, Left: 1, Bottom: 1, Right: 1}}
	filter := shapes(tensor.Shape{5, 3, 3, 4})
	for _, c := range []written{
		{op: graph.Conv2D{Window: w}, activations: image, constants: filter},
		{op: graph.DepthwiseConv2D{Window: w, Multiplier: 1}, activations: image, constants: shapes(tensor.Shape{1, 3, 3, 4})},
		{op: graph.MaxPool2D{Window: w, FilterH: 3, FilterW: 3}, activations: image},
		{op: graph.AveragePool2D{Window: w, FilterH: 3, FilterW: 3}, activations: image},
		{op: graph.TransposeConv{StrideH: 2, StrideW: 2, PadTop: 1, PadLeft: 1, OutputH: 16, OutputW: 16}, activations: image, constants: filter},
	} {
		_, err := Model(c.build(t))
		if !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "pass.Lower") {
			t.Errorf("%s: got %v, want %v and what to do", c.op.Name(), err, ErrUnsupported)
		}
	}
}

// TestNothingFused: operators whose TFLite form has no activation.
func TestNothingFused(t *testing.T) {
	for _, op := range []graph.Op{
		graph.Binary{Kind: graph.Maximum, Activation: graph.ReLU},
		graph.Concatenation{Activation: graph.ReLU},
	} {
		g := written{op: graph.Binary{Kind: graph.Add}, activations: shapes(tensor.Shape{1, 4}, tensor.Shape{1, 4})}.build(t)
		g.Nodes[0].Op = op
		if _, err := Model(g); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: got %v, want %v", op.Name(), err, ErrUnsupported)
		}
	}
}

// TestTypesWithoutForm names the type that is in the way.
func TestTypesWithoutForm(t *testing.T) {
	square := written{op: graph.Unary{Kind: graph.FuncSquare}, activations: vec}.build(t)
	dense := written{op: graph.FullyConnected{}, activations: vec, constants: shapes(tensor.Shape{3, 12})}.build(t)
	legacy := written{op: graph.Softmax{Beta: 1}, activations: vec}.build(t)
	legacy.Tensors[0].Type = tensor.Uint8
	mixed := retype(dense, tensor.Int8)
	mixed.Tensors[1] = dense.Tensors[1]
	for _, c := range []struct {
		g    *graph.Graph
		want string
	}{
		{retype(square, tensor.Int8), "no form for int8, keep it in float32"},
		{mixed, "no form for int8 with float32"},
		{legacy, "operand is uint8"},
	} {
		if _, err := Model(c.g); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %v with %q", err, ErrUnsupported, c.want)
		}
	}
}
