package eval

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"kedge/quant/data"
	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// chain makes a float Model of one dense layer, whose weights are given row by
// row, and the operators behind it.
func chain(t *testing.T, in, out int, weights []float32, behind ...graph.Op) Model {
	t.Helper()
	g := &graph.Graph{Name: "main"}
	at := g.AddTensor(graph.Tensor{Name: "x", Shape: tensor.Shape{1, in}})
	g.Inputs = []graph.TensorID{at}
	w := g.AddTensor(graph.Tensor{Name: "w", Shape: tensor.Shape{out, in}, Float: weights})
	y := g.AddTensor(graph.Tensor{Name: "y"})
	g.AddNode(graph.FullyConnected{}, []graph.TensorID{at, w, graph.None}, []graph.TensorID{y})
	for _, op := range behind {
		to := g.AddTensor(graph.Tensor{Name: op.Name()})
		g.AddNode(op, []graph.TensorID{y}, []graph.TensorID{to})
		y = to
	}
	g.Outputs = []graph.TensorID{y}
	if err := g.Infer(); err != nil {
		t.Fatal(err)
	}
	m, err := Float(g)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func mustSet(t *testing.T, m Model, a data.Array) *Set {
	t.Helper()
	s, err := NewSet(m.Inputs(), []data.Array{a}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var identity2 = []float32{1, 0, 0, 1}

func TestTaskAndLogits(t *testing.T) {
	for _, c := range []struct {
		name   string
		m      Model
		want   Task
		logits string
		by     string
	}{
		{"softmax", chain(t, 2, 2, identity2, graph.Softmax{Beta: 1}), Classification, "y", "SOFTMAX"},
		{"softmax and reshape", chain(t, 2, 2, identity2, graph.Softmax{Beta: 1}, graph.Reshape{Shape: tensor.Shape{2}}), Classification, "y", "SOFTMAX"},
		{"three logits", chain(t, 2, 3, make([]float32, 6)), Classification, "y", ""},
		{"autoencoder", chain(t, 2, 2, identity2), Reconstruction, "y", ""},
		{"autoencoder of 0 to 1", chain(t, 2, 2, identity2, graph.Unary{Kind: graph.FuncLogistic}), Reconstruction, "y", "LOGISTIC"},
		{"one probability", chain(t, 2, 1, []float32{1, 1}, graph.Unary{Kind: graph.FuncLogistic}), Detection, "y", "LOGISTIC"},
		{"matrix", chain(t, 2, 4, make([]float32, 8), graph.Reshape{Shape: tensor.Shape{1, 2, 2}}), Other, "RESHAPE", ""},
	} {
		if got := TaskOf(c.m); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
		if l := c.m.Logits()[0]; l.Name != c.logits || l.By != c.by {
			t.Errorf("%s: logits %q made by %q, want %q and %q", c.name, l.Name, l.By, c.logits, c.by)
		}
	}
}

func TestEvaluateClassification(t *testing.T) {
	m := chain(t, 3, 3, []float32{1, 0, 0, 0, 1, 0, 0, 0, 1}, graph.Softmax{Beta: 1})
	// Answers 0, 1, 2, 0.
	s := mustSet(t, m, data.FromFloat32s([]float32{1, 0, 0, 0, 1, 0, 0, 0, 1, 2, 0, 0}, 4, 3))
	r, err := Evaluate(t.Context(), m, s, []int{0, 1, 1, 0}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Task != Classification || r.Accuracy != 0.75 || r.AccuracyError != math.Sqrt(0.75*0.25/4) || !math.IsNaN(r.AUC) {
		t.Errorf("got %+v, want three of four right", r)
	}
	want := []Class{{0, 2, 2, 2}, {1, 2, 1, 1}, {2, 0, 0, 1}}
	if !slices.Equal(r.Classes, want) {
		t.Errorf("classes: got %v, want %v", r.Classes, want)
	}
	if got := r.Classes[1].Recall(); got != 0.5 {
		t.Errorf("recall: got %v, want 0.5", got)
	}
	for _, y := range [][]int{{0, 1, 3, 0}, {0, 1, 1}, {0, 1, -1, 0}} {
		if _, err := Evaluate(t.Context(), m, s, y, Options{}); !errors.Is(err, ErrLabels) {
			t.Errorf("labels %v: got %v, want %v", y, err, ErrLabels)
		}
	}
}

func TestEvaluateReconstruction(t *testing.T) {
	m := chain(t, 4, 4, []float32{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0}) // forgets the last value
	// Samples of 3 frames of 2: windows 0 to 3 and 2 to 5, so errors (v3² + v5²)/4/2.
	s := mustSet(t, m, data.FromFloat32s([]float32{
		0, 0, 0, 1, 0, 1,
		9, 9, 9, 2, 9, 4,
		0, 0, 0, 0, 0, 2,
	}, 3, 3, 2))
	r, err := Evaluate(t.Context(), m, s, []int{0, 1, 1}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Task != Reconstruction || r.Windows != 2 || r.AUC != 1 || r.Scores != [2]float64{0.25, (2.5 + 0.5) / 2} || !math.IsNaN(r.Accuracy) {
		t.Errorf("got %+v, want AUC 1 with scores 0.25 and 1.5", r)
	}
	// With labels of more than two classes it is a classifier.
	if r, err = Evaluate(t.Context(), m, s, []int{0, 1, 3}, Options{}); err != nil || r.Task != Classification {
		t.Errorf("four classes: got %+v, %v", r, err)
	}
}

func TestEvaluateDetection(t *testing.T) {
	for _, c := range []struct {
		name   string
		behind []graph.Op
		want   float64 // accuracy
	}{
		{"threshold 0.5", []graph.Op{graph.Unary{Kind: graph.FuncLogistic}}, 0.75},
		{"threshold 0", nil, 0.75},
	} {
		m := chain(t, 1, 1, []float32{1}, c.behind...)
		s := mustSet(t, m, data.FromFloat32s([]float32{-2, -1, 1, 0.2}, 4))
		r, err := Evaluate(t.Context(), m, s, []int{0, 0, 1, 0}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if r.Task != Detection || r.Accuracy != c.want || r.AUC != 1 || len(r.Classes) != 2 {
			t.Errorf("%s: got %+v, want accuracy %v, AUC 1", c.name, r, c.want)
		}
	}
}

func TestEvaluateRefuses(t *testing.T) {
	m := chain(t, 2, 4, make([]float32, 8), graph.Reshape{Shape: tensor.Shape{1, 2, 2}})
	s := mustSet(t, m, counting(1, 2))
	if _, err := Evaluate(t.Context(), m, s, []int{0}, Options{}); !errors.Is(err, ErrModel) {
		t.Errorf("matrix: got %v, want %v", err, ErrModel)
	}
	m = chain(t, 2, 3, []float32{math.MaxFloat32, math.MaxFloat32, 0, 0, 0, 0})
	if _, err := Evaluate(t.Context(), m, mustSet(t, m, counting(2, 2)), []int{0, 0}, Options{}); !errors.Is(err, ErrModel) {
		t.Errorf("infinite output: got %v, want %v", err, ErrModel)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Evaluate(ctx, m, s, []int{0}, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: got %v, want %v", err, context.Canceled)
	}
}

// The first sample at fault is named, whatever the number of workers; sums do
// not depend on it either.
func TestWorkers(t *testing.T) {
	g, _, file, x := models(t)
	var all []*Comparison
	for _, workers := range []int{1, 2, 7} {
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
			t.Fatal(err)
		}
		last := 0
		c, err := Compare(t.Context(), reference, candidate, s, nil, Options{Workers: workers, Progress: func(done, total int) {
			if done <= last || total != 200 {
				t.Errorf("progress %d of %d after %d", done, total, last)
			}
			last = done
		}})
		if err != nil {
			t.Fatal(err)
		}
		if last != 200 {
			t.Errorf("progress ended at %d, want 200", last)
		}
		all = append(all, c)
	}
	for _, c := range all[1:] {
		if !slices.Equal(c.Layers, all[0].Layers) || c.Logits != all[0].Logits {
			t.Errorf("got %v, want %v as with one worker", c.Layers, all[0].Layers)
		}
	}
}

// A Recording gives what Compare gives.
func TestRecording(t *testing.T) {
	g, _, file, x := models(t)
	want, err := compareRows(t, g, file, x, nil)
	if err != nil {
		t.Fatal(err)
	}
	reference, err := Float(g)
	if err != nil {
		t.Fatal(err)
	}
	s, err := FromRows(reference, x)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Record(t.Context(), reference, s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	candidate, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Compare(t.Context(), candidate, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Logits != want.Logits || got.Agreement != want.Agreement {
		t.Errorf("got %+v, want %v dB and agreement %v", got, want.Logits, want.Agreement)
	}
	if _, err := r.Compare(t.Context(), chain(t, 12, 3, make([]float32, 36)), Options{}); !errors.Is(err, ErrModel) {
		t.Errorf("other classes: got %v, want %v", err, ErrModel)
	}
}

func TestCostOf(t *testing.T) {
	g, _, _, _ := models(t)
	g.Tensors[1].Float[3] = 0
	c := CostOf(g)
	if c.Weights != 96+32 || c.MACs != 96+32 || c.Zeros != 1 || c.Bytes != 4*(96+8+32+4) {
		t.Errorf("got %+v, want 128 weights and MACs, one zero, 560 bytes", c)
	}
	if n := c.Nodes[0]; n.Weights != 96 || n.Zeros != 1 || n.MACs != 96 {
		t.Errorf("first layer: got %+v", n)
	}
}
