package eval

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"kedge/quant/calib"
	"kedge/quant/emit"
	"kedge/quant/graph"
	"kedge/quant/ptq"
	"kedge/runtime"
	"kedge/runtime/tensor"
)

// models makes a random network of 12 features and 4 classes, its float and
// its int8 file, and rows for them.
func models(t *testing.T) (g *graph.Graph, float, int8file []byte, x []float32) {
	t.Helper()
	rng := rand.New(rand.NewPCG(5, 6))
	random := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		return v
	}
	g = &graph.Graph{Name: "main"}
	in := g.AddTensor(graph.Tensor{Name: "x", Shape: tensor.Shape{1, 12}})
	w0 := g.AddTensor(graph.Tensor{Name: "w0", Shape: tensor.Shape{8, 12}, Float: random(96)})
	b0 := g.AddTensor(graph.Tensor{Name: "b0", Shape: tensor.Shape{8}, Float: random(8)})
	h := g.AddTensor(graph.Tensor{Name: "h"})
	w1 := g.AddTensor(graph.Tensor{Name: "w1", Shape: tensor.Shape{4, 8}, Float: random(32)})
	b1 := g.AddTensor(graph.Tensor{Name: "b1", Shape: tensor.Shape{4}, Float: random(4)})
	z := g.AddTensor(graph.Tensor{Name: "z"})
	p := g.AddTensor(graph.Tensor{Name: "p"})
	g.AddNode(graph.FullyConnected{Activation: graph.ReLU}, []graph.TensorID{in, w0, b0}, []graph.TensorID{h})
	g.AddNode(graph.FullyConnected{}, []graph.TensorID{h, w1, b1}, []graph.TensorID{z})
	g.AddNode(graph.Softmax{Beta: 1}, []graph.TensorID{z}, []graph.TensorID{p})
	g.Inputs, g.Outputs = []graph.TensorID{in}, []graph.TensorID{p}
	if err := g.Infer(); err != nil {
		t.Fatal(err)
	}
	x = random(12 * 200)
	seen, err := calib.Collect(context.Background(), g, [][]float32{x}, calib.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ranges, err := seen.Ranges(calib.MinMax())
	if err != nil {
		t.Fatal(err)
	}
	q, err := ptq.Quantize(g, ranges, ptq.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if float, err = emit.Model(g); err != nil {
		t.Fatal(err)
	}
	if int8file, err = emit.Model(q); err != nil {
		t.Fatal(err)
	}
	return g, float, int8file, x
}

func TestCompare(t *testing.T) {
	g, _, file, x := models(t)
	y := make([]int, 200)
	e, err := graph.NewExecutor(g)
	if err != nil {
		t.Fatal(err)
	}
	for i := range y {
		out, err := e.Run([][]float32{x[12*i : 12*i+12]}, nil)
		if err != nil {
			t.Fatal(err)
		}
		y[i] = top(out[0])
	}
	c, err := compareRows(t, g, file, x, y)
	if err != nil {
		t.Fatal(err)
	}
	if c.Samples != 200 || c.Reference.Accuracy != 1 || c.Candidate.Accuracy != c.Agreement {
		t.Errorf("got %+v, want 200 samples labeled by the float graph itself", c)
	}
	if c.Agreement < 0.97 {
		t.Errorf("agreement got %v, want at least 0.97", c.Agreement)
	}
	if len(c.Layers) != 4 {
		t.Fatalf("layers got %+v, want x, h, z and p", c.Layers)
	}
	for i, name := range []string{"x", "h", "z", "p"} {
		// 8 bits over about ±3.5 standard deviations leave some 39 dB at the
		// input; each layer adds its own rounding.
		if l := c.Layers[i]; l.Name != name || l.SQNR < 28 || l.SQNR > 60 {
			t.Errorf("layer %d: got %+v, want %q with 28 to 60 dB", i, l, name)
		}
	}
	if c.Logits != c.Layers[2].SQNR {
		t.Errorf("logits got %v dB, want z's %v", c.Logits, c.Layers[2].SQNR)
	}
}

func TestCompareWithoutLabels(t *testing.T) {
	g, _, file, x := models(t)
	c, err := compareRows(t, g, file, x, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !math.IsNaN(c.Reference.Accuracy) || !math.IsNaN(c.Candidate.Accuracy) {
		t.Errorf("accuracy without labels got %v and %v, want NaN", c.Reference.Accuracy, c.Candidate.Accuracy)
	}
}

func TestClassify(t *testing.T) {
	_, _, file, x := models(t)
	c, err := OpenClassifier(file)
	if err != nil {
		t.Fatal(err)
	}
	if c.Features() != 12 || c.Classes() != 4 {
		t.Errorf("got %d features and %d classes, want 12 and 4", c.Features(), c.Classes())
	}
	for i := range 200 {
		a, err := c.Classify(x[12*i : 12*i+12])
		if err != nil {
			t.Fatal(err)
		}
		if steps := a.Confidence * 256; a.Confidence < 0.25 || a.Confidence > 1 || steps != math.Trunc(steps) {
			t.Errorf("row %d: confidence got %v, want a multiple of 1/256 from 1/4 to 1", i, a.Confidence)
		}
	}
	if _, err := c.Classify(x[:11]); !errors.Is(err, ErrSamples) {
		t.Errorf("short row: got %v, want %v", err, ErrSamples)
	}
	row := x[:12]
	if n := testing.AllocsPerRun(20, func() { _, _ = c.Classify(row) }); n != 0 {
		t.Errorf("Classify allocates %v times, want 0", n)
	}
}

func TestEncodeSaturates(t *testing.T) {
	for _, c := range []struct {
		kind runtime.DataType
		want []int32
	}{
		{runtime.Int8, []int32{127, -128, 3, 4}},
		{runtime.Uint8, []int32{255, 0, 3, 4}},
		{runtime.Int16, []int32{32767, -32768, 3, 4}},
	} {
		info := runtime.TensorInfo{Type: c.kind, Scales: []float32{0.5}, ZeroPoints: []int32{3}}
		to := make([]byte, 8)
		encode(to, info, []float32{1e30, -1e30, 0, 0.25})
		for i, want := range c.want {
			if got := integer(c.kind, to, i); got != want {
				t.Errorf("%v element %d: got %d, want %d", c.kind, i, got, want)
			}
		}
		back := make([]float32, 4)
		if decode(back, info, to); back[2] != 0 || back[3] != 0.5 {
			t.Errorf("%v decoded: got %v, want 0 and 0.5 at the end", c.kind, back)
		}
	}
}

func TestCompareRefuses(t *testing.T) {
	g, _, file, x := models(t)
	if _, err := compareRows(t, g, file, x[:13], nil); !errors.Is(err, ErrSamples) {
		t.Errorf("incomplete row: got %v, want %v", err, ErrSamples)
	}
	if _, err := compareRows(t, g, file, x, []int{1}); !errors.Is(err, ErrLabels) {
		t.Errorf("too few labels: got %v, want %v", err, ErrLabels)
	}
	if _, err := Open([]byte("nonsense")); err == nil {
		t.Error("nonsense: got no error")
	}
}

// compareRows is Compare of a float graph and an int8 file on rows.
func compareRows(t *testing.T, g *graph.Graph, file []byte, x []float32, y []int) (*Comparison, error) {
	t.Helper()
	reference, err := Float(g)
	if err != nil {
		t.Fatal(err)
	}
	candidate, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := FromRows(candidate, x)
	if err != nil {
		return nil, err
	}
	return Compare(t.Context(), reference, candidate, s, y, Options{})
}
