package pipeline

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"kedge/runtime"
	"kedge/runtime/runtimetest"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

func newSession(t *testing.T, b *runtimetest.Builder) *runtime.Session {
	t.Helper()
	m, err := runtime.Load(b.Bytes(), runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.NewSession(runtime.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// echo is a front end whose features are its samples.
func echo(samples int) *runtimetest.Builder {
	return &runtimetest.Builder{
		Tensors: []runtimetest.Tensor{
			{Name: "samples", Type: tensor.Int16, Shape: []int{1, samples}}, {Name: "features", Type: tensor.Int8, Shape: []int{1, samples}},
		},
		Inputs: []int{0}, Outputs: []int{1},
		Ops: []runtimetest.Op{{Code: tflite.Cast, Inputs: []int{0}, Outputs: []int{1}}},
	}
}

// taker is a model of so many rows of 2 features.
func taker(rows int) *runtimetest.Builder {
	b := runtimetest.Successor()
	b.Tensors[0].Shape, b.Tensors[1].Shape = []int{rows, 2}, []int{rows, 2}
	return b
}

func TestFrontEnd(t *testing.T) {
	for _, c := range []struct {
		name              string
		rows, step, every int
		want              [][]byte // inputs of the model for the samples 1, 2, 3, ...
	}{
		{"frames overlap", 2, 1, 1, [][]byte{{1, 2, 2, 3}, {2, 3, 3, 4}, {3, 4, 4, 5}, {4, 5, 5, 6}, {5, 6, 6, 7}}},
		{"frames follow each other", 2, 2, 1, [][]byte{{1, 2, 3, 4}, {3, 4, 5, 6}}},
		{"samples are left out", 1, 4, 1, [][]byte{{1, 2}, {5, 6}}},
		{"all rows are new", 2, 1, 0, [][]byte{{1, 2, 2, 3}, {3, 4, 4, 5}, {5, 6, 6, 7}}},
		{"rows are left out", 1, 1, 3, [][]byte{{1, 2}, {4, 5}}},
		{"too little", 9, 1, 0, nil},
	} {
		// However the samples come in, the answers are the same.
		for portion := 1; portion <= 7; portion++ {
			model := newSession(t, taker(c.rows))
			f, err := NewFrontEnd(FrontEndOptions{FrontEnd: newSession(t, echo(2)), Model: model, Step: c.step, Every: c.every})
			if err != nil {
				t.Fatal(err)
			}
			var got [][]byte
			samples := []int16{1, 2, 3, 4, 5, 6, 7}
			for len(samples) > 0 {
				before, missing := f.Heard(), f.Missing()
				taken, ready, err := f.Add(samples[:min(portion, len(samples))])
				if err != nil || taken == 0 {
					t.Fatalf("%s: got %d, %v", c.name, taken, err)
				}
				if f.Heard() != before+int64(taken) || ready != (int64(taken) == missing) {
					t.Errorf("%s: took %d and heard %d after %d, ready %v with %d missing", c.name, taken, f.Heard(), before, ready, missing)
				}
				samples = samples[taken:]
				if ready {
					got = append(got, slices.Clone(model.Input(0)))
					clear(model.Input(0)) // as an invocation may
				}
			}
			if !slices.EqualFunc(got, c.want, slices.Equal) {
				t.Errorf("%s, %d at a time: got %v, want %v", c.name, portion, got, c.want)
			}
		}
	}
}

func TestFrontEndAllocatesNothing(t *testing.T) {
	model := newSession(t, runtimetest.Listener())
	f, err := NewFrontEnd(FrontEndOptions{FrontEnd: newSession(t, runtimetest.FrontEnd()), Model: model, Step: 8})
	if err != nil {
		t.Fatal(err)
	}
	samples := make([]int16, 24)
	if n := testing.AllocsPerRun(50, func() {
		if taken, ready, _ := f.Add(samples); ready || taken == 0 {
			model.Invoke()
		}
	}); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

func TestFrontEndRefusals(t *testing.T) {
	quantized := func(scale float32) *runtimetest.Builder {
		b := echo(2)
		b.Tensors[1] = runtimetest.Int8("features", scale, 0, 1, 2)
		return b
	}
	twoInputs := taker(1)
	twoInputs.Inputs = append(twoInputs.Inputs, 1)
	twoInputs.Tensors = append(twoInputs.Tensors, runtimetest.Int8("other", 1, 0, 2))
	twoInputs.Inputs[1] = 2
	for _, c := range []struct {
		name            string
		frontEnd, model *runtimetest.Builder
		step            int
		want            string
	}{
		{"samples of another type", taker(1), taker(1), 1, "front end with 1 inputs, the first int8 [1 2], want one of int16 samples"},
		{"whole rows", echo(2), runtimetest.Listener(), 1, ""},
		{"rows that do not fit", echo(5), taker(1), 1, "model with 1 inputs, the first int8 [1 2], want one of rows like the front end's 1 outputs, the first int8 [1 5]"},
		{"another type of features", echo(2), echo(2), 1, "model with 1 inputs, the first int16 [1 2]"},
		{"two inputs", echo(2), twoInputs, 1, "model with 2 inputs"},
		{"the same quantization", quantized(1), taker(1), 1, ""},
		{"another quantization", quantized(0.5), taker(1), 1, "features with scale [0.5], zero point [0] for a model that takes [1], [0]"},
		{"no step", echo(2), taker(1), 0, "step of 0 samples"},
	} {
		_, err := NewFrontEnd(FrontEndOptions{FrontEnd: newSession(t, c.frontEnd), Model: newSession(t, c.model), Step: c.step})
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: got %v, want none", c.name, err)
			}
		} else if !errors.Is(err, ErrModel) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %v and %q", c.name, err, ErrModel, c.want)
		}
	}
}
