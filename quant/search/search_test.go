package search_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"kedge/quant/calib"
	"kedge/quant/eval"
	"kedge/quant/graph"
	"kedge/quant/ptq"
	"kedge/quant/search"
	"kedge/runtime/tensor"
)

// problem is a small network with what a search needs.
type problem struct {
	g     *graph.Graph
	stats *calib.Statistics
	r     *eval.Recording
}

const width = 20

// floatIO leaves no quantization but that of layers.
var floatIO = ptq.Options{FloatInput: true, FloatOutput: true}

// newProblem makes a classifier of three layers whose inputs have outliers, so
// that methods differ.
func newProblem(t *testing.T, samples int) problem {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, 4))
	g := &graph.Graph{Name: "main"}
	at := g.AddTensor(graph.Tensor{Name: "input", Shape: tensor.Shape{1, width}})
	g.Inputs = []graph.TensorID{at}
	for _, name := range []string{"first", "second", "logits"} {
		weights, bias := make([]float32, width*width), make([]float32, width)
		for i := range weights {
			weights[i] = float32(rng.NormFloat64())
		}
		w := g.AddTensor(graph.Tensor{Name: name + "_w", Shape: tensor.Shape{width, width}, Float: weights})
		b := g.AddTensor(graph.Tensor{Name: name + "_b", Shape: tensor.Shape{width}, Float: bias})
		op := graph.FullyConnected{Activation: graph.ReLU}
		if name == "logits" {
			op.Activation = graph.Linear
		}
		out := g.AddTensor(graph.Tensor{Name: name})
		g.AddNode(op, []graph.TensorID{at, w, b}, []graph.TensorID{out})
		at = out
	}
	out := g.AddTensor(graph.Tensor{Name: "output"})
	g.AddNode(graph.Softmax{Beta: 1}, []graph.TensorID{at}, []graph.TensorID{out})
	g.Outputs = []graph.TensorID{out}
	if err := g.Infer(); err != nil {
		t.Fatal(err)
	}
	x := make([]float32, samples*width)
	for i := range x {
		v := rng.NormFloat64()
		x[i] = float32(v * v * v / 4)
	}
	m, err := eval.Float(g)
	if err != nil {
		t.Fatal(err)
	}
	set, err := eval.FromRows(m, x)
	if err != nil {
		t.Fatal(err)
	}
	p := problem{g: g}
	if p.stats, err = calib.Collect(t.Context(), g, set.Values(), calib.Options{}); err != nil {
		t.Fatal(err)
	}
	if p.r, err = eval.Record(t.Context(), m, set, eval.Options{}); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p problem) run(t *testing.T, o search.Options) *search.Result {
	t.Helper()
	r, err := search.Run(t.Context(), p.g, p.stats, p.r, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRunImproves(t *testing.T) {
	p := newProblem(t, 64)
	r := p.run(t, search.Options{})
	if got, want := len(r.Tried), 2*len(search.Methods()); got != want {
		t.Errorf("tried: got %d, want %d", got, want)
	}
	if len(r.Choices) == 0 {
		t.Error("choices: got none, want some where inputs have outliers")
	}
	minmax := r.Tried[0].Score.Logits
	if r.Final <= minmax || r.Final < r.Base {
		t.Errorf("logit SQNR: got %.2f dB from %.2f, want above %.2f of %v", r.Final, r.Base, minmax, r.Tried[0].Method)
	}
	device, err := eval.Device(r.File)
	if err != nil {
		t.Fatal(err)
	}
	score, err := p.r.Compare(t.Context(), device, eval.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(score.Logits-r.Score.Logits) > 1e-9 || score.Agreement != r.Score.Agreement { // summed in another order
		t.Errorf("score: got %v, want %v of the file", r.Score, score)
	}
}

func TestRunIsDeterministic(t *testing.T) {
	p := newProblem(t, 64)
	a, b := p.run(t, search.Options{Goal: 40, PTQ: floatIO}), p.run(t, search.Options{Goal: 40, PTQ: floatIO})
	if !bytes.Equal(a.File, b.File) {
		t.Error("files differ")
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("got %+v, then %+v", a, b)
	}
}

func TestRunKeepsToEvaluations(t *testing.T) {
	p := newProblem(t, 64)
	methods := 2 * len(search.Methods())
	for _, c := range []struct{ evaluations, want int }{{-1, methods}, {1, methods + 1}, {5, methods + 5}} {
		if got := p.run(t, search.Options{Evaluations: c.evaluations}).Evaluations; got != c.want {
			t.Errorf("evaluations %d: got %d, want %d", c.evaluations, got, c.want)
		}
	}
}

func TestRunKeepsToSamples(t *testing.T) {
	p := newProblem(t, 64)
	for _, c := range []struct{ samples, want int }{{16, 16}, {64, 64}, {1000, 64}} {
		if got := p.run(t, search.Options{Samples: c.samples}).Samples; got != c.want {
			t.Errorf("samples %d: got %d, want %d", c.samples, got, c.want)
		}
	}
}

func TestFewSamplesAreNotSearched(t *testing.T) {
	p := newProblem(t, 4)
	if r := p.run(t, search.Options{}); len(r.Choices) != 0 {
		t.Errorf("choices: got %v, want none for 4 samples", r.Choices)
	}
}

func TestGoal(t *testing.T) {
	p := newProblem(t, 64)
	plain := p.run(t, search.Options{PTQ: floatIO})
	if len(plain.Types) != 0 {
		t.Errorf("types: got %v, want none without a goal", plain.Types)
	}
	for _, more := range []float64{2, 80} {
		goal := plain.Final + more
		r := p.run(t, search.Options{Goal: goal, PTQ: floatIO})
		if r.Final < goal || len(r.Types) == 0 {
			t.Errorf("goal %.1f dB: got %.1f with types %v", goal, r.Final, r.Types)
		}
	}
	if r := p.run(t, search.Options{Goal: plain.Final - 1, PTQ: floatIO}); len(r.Types) != 0 {
		t.Errorf("types: got %v, want none for a goal that is met", r.Types)
	}
}

func TestRefusals(t *testing.T) {
	p := newProblem(t, 64)
	plain := p.run(t, search.Options{PTQ: floatIO})
	for _, c := range []struct {
		name string
		o    search.Options
		want error
	}{
		{"bytes", search.Options{MaxBytes: 100}, search.ErrBudget},
		{"bytes for the goal", search.Options{PTQ: floatIO, MaxBytes: len(plain.File), Goal: plain.Final + 80}, search.ErrBudget},
		{"MACs for the goal", search.Options{PTQ: floatIO, MaxMACs: 3 * width * width, Goal: plain.Final + 80}, search.ErrBudget},
		{"unreachable", search.Options{Goal: 1000}, search.ErrGoal},
		{"negative", search.Options{Samples: -1}, search.ErrOptions},
		{"no methods", search.Options{Methods: []calib.Method{}}, search.ErrOptions},
	} {
		if _, err := search.Run(t.Context(), p.g, p.stats, p.r, c.o); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := search.Run(stopped, p.g, p.stats, p.r, search.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: got %v", err)
	}
}

func TestApply(t *testing.T) {
	p := newProblem(t, 64)
	m := calib.Percentile(99.9)
	r, err := search.Apply(t.Context(), p.g, p.stats, p.r, m, search.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Method != m || r.Corrected || len(r.Choices) != 0 || r.Evaluations != 1 {
		t.Errorf("got %v, corrected %v, %d choices, %d evaluations, want %v alone", r.Method, r.Corrected, len(r.Choices), r.Evaluations, m)
	}
}

func TestSensitivity(t *testing.T) {
	p := newProblem(t, 64)
	ranges, err := p.stats.Ranges(calib.MinMax())
	if err != nil {
		t.Fatal(err)
	}
	whole, err := search.Apply(t.Context(), p.g, p.stats, p.r, calib.MinMax(), search.Options{})
	if err != nil {
		t.Fatal(err)
	}
	layers, err := search.Sensitivity(t.Context(), p.g, ranges, p.r, search.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	gained := false
	for i, l := range layers {
		names = append(names, l.Tensor)
		if l.Node != i {
			t.Errorf("layer %d: got node %d", i, l.Node)
		}
		gained = gained || l.SQNR > whole.Final
	}
	if want := []string{"first", "second", "logits"}; !reflect.DeepEqual(names, want) {
		t.Errorf("layers: got %v, want %v", names, want)
	}
	if !gained {
		t.Errorf("got %v, want some above %.2f dB", layers, whole.Final)
	}
}
