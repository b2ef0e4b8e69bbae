package calib

import (
	"context"
	"errors"
	"math"
	"testing"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// scaler is y = ReLU(2x − 1) on one value.
func scaler(t *testing.T) *graph.Graph {
	t.Helper()
	g := &graph.Graph{}
	x := g.AddTensor(graph.Tensor{Name: "x", Shape: tensor.Shape{1, 1}})
	w := g.AddTensor(graph.Tensor{Name: "w", Shape: tensor.Shape{1, 1}, Float: []float32{2}})
	b := g.AddTensor(graph.Tensor{Name: "b", Shape: tensor.Shape{1}, Float: []float32{-1}})
	y := g.AddTensor(graph.Tensor{Name: "y"})
	g.AddNode(graph.FullyConnected{Activation: graph.ReLU}, []graph.TensorID{x, w, b}, []graph.TensorID{y})
	g.Inputs, g.Outputs = []graph.TensorID{x}, []graph.TensorID{y}
	if err := g.Infer(); err != nil {
		t.Fatal(err)
	}
	return g
}

func TestRunFindsRangeOverAllBlocks(t *testing.T) {
	g := scaler(t)
	samples := make([]float32, 1000) // many blocks, the extremes in different ones
	samples[5], samples[990] = -4, 7
	got, err := Run(context.Background(), g, samples, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Ranges{0: {-4, 7}, 3: {0, 13}}
	if len(got) != len(want) || got[0] != want[0] || got[3] != want[3] {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRangeContainsZero(t *testing.T) {
	for _, c := range []struct {
		values []float32
		want   Range
	}{
		{[]float32{2, 3}, Range{0, 3}},
		{[]float32{-2, -3}, Range{-3, 0}},
		{[]float32{-1, 1}, Range{-1, 1}},
		{nil, Range{}},
	} {
		o := NewMinMax()
		if err := o.Observe(c.values); err != nil {
			t.Fatal(err)
		}
		if got := o.Range(); got != c.want {
			t.Errorf("%v: got %v, want %v", c.values, got, c.want)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	g := scaler(t)
	for name, x := range map[string][]float32{
		"empty":    nil,
		"NaN":      {1, float32(math.NaN())},
		"infinite": {float32(math.Inf(1))},
	} {
		if _, err := Run(context.Background(), g, x, nil); !errors.Is(err, ErrSamples) {
			t.Errorf("%s: got %v, want %v", name, err, ErrSamples)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, g, []float32{1}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: got %v, want %v", err, context.Canceled)
	}
	g.Tensors[0].Shape = tensor.Shape{1, 2}
	if _, err := Run(context.Background(), g, []float32{1, 2, 3}, nil); !errors.Is(err, ErrSamples) {
		t.Errorf("incomplete row: got %v, want %v", err, ErrSamples)
	}
}
