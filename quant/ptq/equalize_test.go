package ptq

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// uneven is convolution, depthwise convolution of two filters a channel,
// convolution, with channels whose weights differ by up to a thousand times and
// one without any.
func uneven(t *testing.T, a graph.Activation) *graph.Graph {
	t.Helper()
	r := rand.New(rand.NewPCG(9, 1))
	g := &graph.Graph{Name: "main"}
	constant := func(channels int, shape ...int) graph.TensorID {
		n, _ := tensor.Shape(shape).Elements()
		v := make([]float32, n)
		gains := make([]float64, channels)
		for i := range gains {
			gains[i] = math.Pow(1000, r.Float64())
		}
		gains[channels-1] = 0
		for i := range v {
			c := i / (n / channels)
			if shape[0] == 1 {
				c = i % channels
			}
			v[i] = float32(gains[c] * r.NormFloat64())
		}
		return g.AddTensor(graph.Tensor{Name: fmt.Sprintf("c%d", len(g.Tensors)), Shape: shape, Float: v})
	}
	x := g.AddTensor(graph.Tensor{Name: "x", Shape: tensor.Shape{1, 5, 5, 3}})
	g.Inputs = []graph.TensorID{x}
	add := func(op graph.Op, in ...graph.TensorID) graph.TensorID {
		y := g.AddTensor(graph.Tensor{Name: fmt.Sprintf("y%d", len(g.Nodes))})
		g.AddNode(op, in, []graph.TensorID{y})
		return y
	}
	y := add(graph.Conv2D{Window: graph.Dense(), Activation: a}, x, constant(4, 4, 1, 1, 3), constant(4, 4))
	y = add(graph.DepthwiseConv2D{Window: graph.Dense(), Multiplier: 2, Activation: a}, y, constant(8, 1, 3, 3, 8), constant(8, 8))
	y = add(graph.Conv2D{Window: graph.Dense(), Activation: a}, y, constant(5, 5, 1, 1, 8), constant(5, 5))
	g.Outputs = []graph.TensorID{y}
	if err := g.Infer(); err != nil {
		t.Fatal(err)
	}
	return g
}

func TestEqualize(t *testing.T) {
	for _, c := range []struct {
		activation graph.Activation
		pairs      int
	}{{graph.Linear, 2}, {graph.ReLU, 2}, {graph.ReLU6, 0}, {graph.ReLUN1To1, 0}} {
		g := uneven(t, c.activation)
		before := g.Clone()
		got, pairs := Equalize(g, Options{PerTensorConv: true})
		if pairs != c.pairs {
			t.Errorf("%v: got %d pairs, want %d", c.activation, pairs, c.pairs)
		}
		x := make([]float32, 75)
		r := rand.New(rand.NewPCG(1, 1))
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		a, b := floatOutputs(t, g, x), floatOutputs(t, got, x)
		top := slices.Max(a)
		for i := range a {
			if math.Abs(float64(a[i]-b[i])) > 1e-5*float64(top) {
				t.Fatalf("%v: output %d: got %v, want %v", c.activation, i, b[i], a[i])
			}
		}
		for i := range g.Tensors {
			if !slices.Equal(g.Tensors[i].Float, before.Tensors[i].Float) {
				t.Errorf("%v: tensor %d of the graph given has changed", c.activation, i)
			}
		}
	}
}

// TestEqualizeDense: a matrix of one scale represents the rows again that its
// greatest had made it round away.
func TestEqualizeDense(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	const n = 8
	g := &graph.Graph{Name: "main"}
	x := g.AddTensor(graph.Tensor{Name: "x", Shape: tensor.Shape{1, n}})
	g.Inputs = []graph.TensorID{x}
	for layer := range 2 {
		w := make([]float32, n*n)
		for i := range w {
			c := i / n
			if layer == 1 {
				c = n - 1 - i%n
			}
			w[i] = float32(math.Pow(4, float64(c)) * (1 + r.Float64()))
		}
		id := g.AddTensor(graph.Tensor{Name: fmt.Sprintf("w%d", layer), Shape: tensor.Shape{n, n}, Float: w})
		y := g.AddTensor(graph.Tensor{Name: fmt.Sprintf("y%d", layer)})
		g.AddNode(graph.FullyConnected{Activation: graph.ReLU}, []graph.TensorID{x, id, graph.None}, []graph.TensorID{y})
		x = y
	}
	g.Outputs = []graph.TensorID{x}
	if err := g.Infer(); err != nil {
		t.Fatal(err)
	}
	got, pairs := Equalize(g, Options{PerTensor: true})
	if pairs != 1 {
		t.Fatalf("got %d pairs, want 1", pairs)
	}
	lost := func(g *graph.Graph) int {
		zeros := 0
		for i := range g.Nodes {
			w := g.Tensor(g.Nodes[i].Inputs[1]).Float
			q, _ := quantizeWeights(w, []float32{slices.Max(w)}, layout{0, n, n})
			for _, v := range q {
				if v == 0 {
					zeros++
				}
			}
		}
		return zeros
	}
	if before, after := lost(g), lost(got); before < 40 || after > before/4 {
		t.Errorf("got %d weights rounded to 0, %d before", after, before)
	}
}

func floatOutputs(t *testing.T, g *graph.Graph, x []float32) []float32 {
	t.Helper()
	e, err := graph.NewExecutor(g)
	if err != nil {
		t.Fatal(err)
	}
	y, err := e.Run([][]float32{x}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Clone(y[0])
}

// TestEqualizeLeavesShared: weights and activations with other readers stay.
func TestEqualizeLeavesShared(t *testing.T) {
	g := uneven(t, graph.ReLU)
	g.Outputs = append(g.Outputs, g.Nodes[0].Outputs[0], g.Nodes[1].Outputs[0])
	if _, pairs := Equalize(g, Options{PerTensorConv: true}); pairs != 0 {
		t.Errorf("got %d pairs across graph outputs, want 0", pairs)
	}
}
