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
