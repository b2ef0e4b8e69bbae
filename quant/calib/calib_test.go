package calib

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// dense is a graph of FULLY_CONNECTED layers of the given widths, with ReLU
// between them, whose weights come from a seed.
func dense(t testing.TB, seed uint64, widths ...int) *graph.Graph {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	g := &graph.Graph{}
	x := g.AddTensor(graph.Tensor{Name: "x", Shape: tensor.Shape{1, widths[0]}})
	g.Inputs = []graph.TensorID{x}
	for i := 1; i < len(widths); i++ {
		in, out := widths[i-1], widths[i]
		w, b := make([]float32, in*out), make([]float32, out)
		for k := range w {
			w[k] = float32(r.NormFloat64() / math.Sqrt(float64(in)))
		}
		for k := range b {
			b[k] = float32(r.NormFloat64() / 4)
		}
		wt := g.AddTensor(graph.Tensor{Name: "w", Shape: tensor.Shape{out, in}, Float: w})
		bt := g.AddTensor(graph.Tensor{Name: "b", Shape: tensor.Shape{out}, Float: b})
		y := g.AddTensor(graph.Tensor{Name: "y"})
		op := graph.FullyConnected{Activation: graph.ReLU}
		if i == len(widths)-1 {
			op.Activation = graph.Linear
		}
		g.AddNode(op, []graph.TensorID{x, wt, bt}, []graph.TensorID{y})
		x = y
	}
	g.Outputs = []graph.TensorID{x}
	if err := g.Infer(); err != nil {
		t.Fatal(err)
	}
	return g
}

func uniform(seed uint64, n int, scale float64) []float32 {
	r := rand.New(rand.NewPCG(seed, 2))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(scale * r.Float64())
	}
	return x
}

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

func TestCollect(t *testing.T) {
	samples := make([]float32, 1000)
	samples[5], samples[990] = -4, 7
	steps := 0
	s, err := Collect(context.Background(), scaler(t), [][]float32{samples}, Options{Workers: 3, Progress: func(done, total int) {
		if steps++; done != steps || total != 2000 {
			t.Fatalf("progress: got %d of %d, want %d of 2000", done, total, steps)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Ranges(MinMax())
	if err != nil {
		t.Fatal(err)
	}
	if want := (Ranges{0: {-4, 7}, 3: {0, 13}}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	x := s.Tensor(0)
	if x.Zeros != 998 || x.Histogram[0] != 1 || x.Histogram[Bins-1] != 1 || math.Abs(x.Mean[0]-0.003) > 1e-9 {
		t.Errorf("got %d zeros, %d and %d at the ends, mean %v, want 998, 1, 1, 0.003", x.Zeros, x.Histogram[0], x.Histogram[Bins-1], x.Mean[0])
	}
	if x.SampleMin[5] != -4 || x.SampleMax[990] != 7 || x.SampleMax[0] != 0 {
		t.Errorf("the samples' extremes are %v %v %v, want -4 7 0", x.SampleMin[5], x.SampleMax[990], x.SampleMax[0])
	}
	if s.Tensor(1) != nil {
		t.Error("the weights have statistics")
	}
}

// TestWorkersDoNotMatter: the same bits whoever computes what.
func TestWorkersDoNotMatter(t *testing.T) {
	g := dense(t, 1, 20, 30, 10)
	x := uniform(2, 20*101, 3)
	var first *Statistics
	for _, workers := range []int{1, 2, 7} {
		s, err := Collect(context.Background(), g, [][]float32{x}, Options{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = s
		}
		if !reflect.DeepEqual(s, first) {
			t.Errorf("%d workers: other statistics than with one", workers)
		}
	}
}

func TestRangesContainZero(t *testing.T) {
	for _, c := range []struct {
		values []float32
		want   Range
	}{
		{[]float32{2, 3}, Range{0, 3}},
		{[]float32{-2, -3}, Range{-3, 0}},
		{[]float32{-1, 1}, Range{-1, 1}},
		{[]float32{0, 0}, Range{}},
	} {
		s, err := Collect(context.Background(), scaler(t), [][]float32{c.values}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range []Method{MinMax(), Percentile(100), MSE(), Entropy(), MovingAverage(0)} {
			r, err := s.Ranges(m)
			if err != nil {
				t.Fatal(err)
			}
			if r[0].Min > 0 || r[0].Max < 0 || r[0].Min < c.want.Min || r[0].Max > c.want.Max {
				t.Errorf("%v, %v: got %v, want it within %v and around zero", m, c.values, r[0], c.want)
			}
			if m == MinMax() && r[0] != c.want {
				t.Errorf("%v: got %v, want %v", c.values, r[0], c.want)
			}
		}
	}
}

func TestCollectRefuses(t *testing.T) {
	g := scaler(t)
	for _, c := range []struct {
		name string
		x    [][]float32
		say  string
	}{
		{"no input", nil, "0 inputs"},
		{"empty", [][]float32{nil}, "no samples"},
		{"NaN", [][]float32{{1, 2, float32(math.NaN()), float32(math.NaN())}}, "sample 2"},
		{"infinite", [][]float32{{float32(math.Inf(1))}}, "sample 0"},
		{"overflow", [][]float32{{1, 3e38}}, `sample 1: tensor 3 "y"`},
	} {
		_, err := Collect(context.Background(), g, c.x, Options{Workers: 4})
		if !errors.Is(err, ErrSamples) || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: got %v, want %v that says %q", c.name, err, ErrSamples, c.say)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Collect(ctx, g, [][]float32{{1}}, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: got %v, want %v", err, context.Canceled)
	}
	g.Tensors[0].Shape = tensor.Shape{1, 2}
	if _, err := Collect(context.Background(), g, [][]float32{{1, 2, 3}}, Options{}); !errors.Is(err, ErrSamples) {
		t.Errorf("incomplete row: got %v, want %v", err, ErrSamples)
	}
}
