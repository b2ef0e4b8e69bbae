package pass

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// windowed is a graph of one layer over an image, with random weights where the
// layer has any; relu puts a RELU before it.
func windowed(t *testing.T, op graph.Op, image, filter tensor.Shape, relu bool) *graph.Graph {
	t.Helper()
	g := &graph.Graph{Name: "main"}
	x := g.AddTensor(graph.Tensor{Name: "x", Shape: image})
	g.Inputs = []graph.TensorID{x}
	if relu {
		r := g.AddTensor(graph.Tensor{Name: "relu"})
		g.AddNode(graph.Unary{Kind: graph.FuncReLU}, []graph.TensorID{x}, []graph.TensorID{r})
		x = r
	}
	inputs := []graph.TensorID{x}
	if filter != nil {
		random := rand.New(rand.NewPCG(3, 4))
		n, _ := filter.Elements()
		w := make([]float32, n)
		for i := range w {
			w[i] = float32(random.NormFloat64())
		}
		inputs = append(inputs, g.AddTensor(graph.Tensor{Name: "w", Shape: filter, Float: w}))
	}
	y := g.AddTensor(graph.Tensor{Name: "y"})
	g.AddNode(op, inputs, []graph.TensorID{y})
	g.Outputs = []graph.TensorID{y}
	if err := g.Infer(); err != nil {
		t.Fatal(err)
	}
	return g
}

func names(g *graph.Graph) []string {
	var out []string
	for i := range g.Nodes {
		out = append(out, g.Nodes[i].Op.Name())
	}
	return out
}

func TestLower(t *testing.T) {
	image := tensor.Shape{1, 8, 7, 3}
	window := func(stride, top, left, bottom, right int) graph.Window {
		return graph.Window{StrideH: stride, StrideW: stride, DilationH: 1, DilationW: 1, Pad: graph.Padding{Top: top, Left: left, Bottom: bottom, Right: right}}
	}
	for _, c := range []struct {
		name   string
		op     graph.Op
		filter tensor.Shape
		relu   bool
		want   []string
	}{
		{"same", graph.Conv2D{Window: window(1, 1, 1, 1, 1)}, tensor.Shape{4, 3, 3, 3}, false, []string{"CONV_2D"}},
		{"valid", graph.Conv2D{Window: window(2, 0, 0, 0, 0)}, tensor.Shape{4, 3, 3, 3}, false, []string{"CONV_2D"}},
		{"convolution", graph.Conv2D{Window: window(2, 1, 1, 1, 1), Activation: graph.ReLU6}, tensor.Shape{4, 3, 3, 3}, false, []string{"PAD", "CONV_2D"}},
		{"depthwise", graph.DepthwiseConv2D{Window: window(2, 1, 0, 1, 2), Multiplier: 2}, tensor.Shape{1, 3, 3, 6}, false, []string{"PAD", "DEPTHWISE_CONV_2D"}},
		{"maximum of what is not negative", graph.MaxPool2D{Window: window(2, 1, 1, 1, 1), FilterH: 3, FilterW: 3}, nil, true, []string{"RELU", "PAD", "MAX_POOL_2D"}},
		{"maximum", graph.MaxPool2D{Window: window(2, 1, 1, 1, 1), FilterH: 3, FilterW: 3}, nil, false, []string{"MIRROR_PAD", "MAX_POOL_2D"}},
		{"maximum, stride 1, half the filter", graph.MaxPool2D{Window: window(1, 2, 1, 2, 0), FilterH: 4, FilterW: 2}, nil, false, []string{"MIRROR_PAD", "MAX_POOL_2D"}},
		{"maximum under a large border", graph.MaxPool2D{Window: window(2, 2, 2, 2, 2), FilterH: 3, FilterW: 3}, nil, false, []string{"PADV2", "MAX_POOL_2D"}},
		{"mean", graph.AveragePool2D{Window: window(2, 1, 1, 1, 1), FilterH: 3, FilterW: 3, Activation: graph.ReLU}, nil, false, []string{"PAD", "AVERAGE_POOL_2D", "MUL"}},
		{"mean, uneven", graph.AveragePool2D{Window: window(3, 2, 0, 1, 1), FilterH: 4, FilterW: 2}, nil, false, []string{"PAD", "AVERAGE_POOL_2D", "MUL"}},
		{"transposed, same", graph.TransposeConv{StrideH: 2, StrideW: 2, PadTop: 1, PadLeft: 1, OutputH: 16, OutputW: 14}, tensor.Shape{4, 4, 4, 3}, false, []string{"TRANSPOSE_CONV"}},
		{"transposed", graph.TransposeConv{StrideH: 2, StrideW: 2, PadTop: 1, PadLeft: 1, OutputH: 16, OutputW: 14, Activation: graph.ReLU}, tensor.Shape{4, 3, 3, 3}, false, []string{"TRANSPOSE_CONV", "SLICE"}},
		{"transposed, beyond the taps", graph.TransposeConv{StrideH: 3, StrideW: 2, PadTop: 0, PadLeft: 2, OutputH: 25, OutputW: 17}, tensor.Shape{2, 2, 3, 3}, false, []string{"TRANSPOSE_CONV", "SLICE"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := windowed(t, c.op, image, c.filter, c.relu)
			old := snapshot(g)
			lowered, changes, err := Lower(g)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(g, old) {
				t.Error("Lower changed its argument")
			}
			if got := names(lowered); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if (len(changes) == 0) != (len(lowered.Nodes) == len(g.Nodes)) {
				t.Errorf("%d changes for %d nodes of %d", len(changes), len(lowered.Nodes), len(g.Nodes))
			}
			d, err := Verify(g, lowered, 5)
			if err != nil {
				t.Fatal(err)
			}
			if d > 1e-6 {
				t.Errorf("results differ by %.3g, want at most 1e-6", d)
			}
			if again, _, err := Lower(lowered); err != nil || !reflect.DeepEqual(again, lowered) {
				t.Errorf("lowered twice, the graphs differ (%v)", err)
			}
		})
	}
}

// TestLowerEveryBorder goes through all borders of small pools: the mirrored image
// must never be what makes a maximum.
func TestLowerEveryBorder(t *testing.T) {
	for code := range 3 * 3 * 3 * 3 * 2 * 2 {
		p := graph.Padding{Top: code % 3, Left: code / 3 % 3, Bottom: code / 9 % 3, Right: code / 27 % 3}
		w := graph.Window{StrideH: 1 + code/81%2, StrideW: 2, DilationH: 1, DilationW: 1, Pad: p}
		filter := 3 + code/162
		for _, op := range []graph.Op{
			graph.MaxPool2D{Window: w, FilterH: filter, FilterW: filter},
			graph.AveragePool2D{Window: w, FilterH: filter, FilterW: filter},
		} {
			g := windowed(t, op, tensor.Shape{1, 5, 6, 2}, nil, false)
			lowered, _, err := Lower(g)
			if err != nil {
				t.Fatal(err)
			}
			d, err := Verify(g, lowered, 3)
			if err != nil || d > 1e-6 {
				t.Errorf("%s of %d, %+v: results differ by %.3g (%v)", op.Name(), filter, w, d, err)
			}
		}
	}
}

// TestLowerShares checks that layers with the same border read one PAD.
func TestLowerShares(t *testing.T) {
	w := graph.Window{StrideH: 2, StrideW: 2, DilationH: 1, DilationW: 1, Pad: graph.Padding{Top: 1, Left: 1, Bottom: 1, Right: 1}}
	g := windowed(t, graph.Conv2D{Window: w}, tensor.Shape{1, 8, 8, 3}, tensor.Shape{4, 3, 3, 3}, false)
	for i := range 2 {
		y := g.AddTensor(graph.Tensor{Name: fmt.Sprint("y", i)})
		g.AddNode(graph.Conv2D{Window: w}, slices.Clone(g.Nodes[0].Inputs), []graph.TensorID{y})
		g.Outputs = append(g.Outputs, y)
	}
	if err := g.Infer(); err != nil {
		t.Fatal(err)
	}
	lowered, _, err := Lower(g)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := names(lowered), []string{"PAD", "CONV_2D", "CONV_2D", "CONV_2D"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
