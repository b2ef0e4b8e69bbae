package jobs

import (
	"context"
	"math/rand/v2"
	"testing"

	"kedge/quant/eval"
	"kedge/quant/graph"
	"kedge/trainer/train"
)

// TestQuantizeConvolution: a program may train a network of other layers than
// dense ones; rows of features become images in it.
func TestQuantizeConvolution(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	normal := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		return v
	}
	g := &graph.Graph{Name: "main"}
	constant := func(name string, shape ...int) graph.TensorID {
		n := 1
		for _, d := range shape {
			n *= d
		}
		return g.AddTensor(graph.Tensor{Name: name, Shape: shape, Float: normal(n)})
	}
	then := func(name string, op graph.Op, inputs ...graph.TensorID) graph.TensorID {
		y := g.AddTensor(graph.Tensor{Name: name})
		g.AddNode(op, inputs, []graph.TensorID{y})
		return y
	}
	x := g.AddTensor(graph.Tensor{Name: "x", Shape: []int{1, 16}})
	image := then("image", graph.Reshape{Shape: []int{1, 4, 4, 1}}, x)
	window := graph.Dense().Same(4, 4, 3, 3)
	edges := then("edges", graph.Conv2D{Window: window, Activation: graph.ReLU}, image, constant("filters", 3, 3, 3, 1), constant("bias", 3))
	flat := then("flat", graph.Reshape{Shape: []int{1, 48}}, edges)
	logits := then("logits", graph.FullyConnected{}, flat, constant("weights", 2, 48))
	g.Inputs, g.Outputs = []graph.TensorID{x}, []graph.TensorID{then("p", graph.Softmax{Beta: 1}, logits)}
	if err := g.Infer(); err != nil {
		t.Fatal(err)
	}
	const rows = 200
	samples := train.Samples{X: normal(rows * 16), Features: 16, Y: make([]int, rows)}
	float, err := eval.Float(g)
	if err != nil {
		t.Fatal(err)
	}
	c, err := eval.NewClassifier(float)
	if err != nil {
		t.Fatal(err)
	}
	for i := range samples.Y {
		answer, err := c.Classify(samples.X[16*i : 16*i+16])
		if err != nil {
			t.Fatal(err)
		}
		samples.Y[i] = answer.Class
	}
	model, err := quantize(context.Background(), g, samples.X)
	if err != nil {
		t.Fatal(err)
	}
	held, err := classify(model, samples)
	if err != nil {
		t.Fatal(err)
	}
	if got := accuracy(held); got < 0.95 {
		t.Errorf("agreement with the float network: got %v, want at least 0.95", got)
	}
}
