package eval

import (
	"math"
	"testing"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

func TestContestIgnoresCommonShift(t *testing.T) {
	want := []float32{1, 2, 8}
	var shifted, top, bottom power
	shifted.contest(want, []float32{4, 5, 11})
	if shifted.noise > 1e-20 || !(shifted.signal > 0) {
		t.Errorf("shift: got signal %v, noise %v, want some and none", shifted.signal, shifted.noise)
	}
	bottom.contest(want, []float32{2, 2, 8})
	top.contest(want, []float32{1, 2, 7})
	if !(0 < bottom.noise && bottom.noise < top.noise) {
		t.Errorf("noise: got %v of an error in the least logit, %v in the greatest, want more in the greatest", bottom.noise, top.noise)
	}
}

// scaling is a network that multiplies two logits by a factor before SOFTMAX.
func scaling(t *testing.T, factor float32) Model {
	t.Helper()
	g := &graph.Graph{Name: "main"}
	x := g.AddTensor(graph.Tensor{Name: "x", Shape: tensor.Shape{1, 2}})
	w := g.AddTensor(graph.Tensor{Name: "w", Shape: tensor.Shape{2, 2}, Float: []float32{factor, 0, 0, factor}})
	z, y := g.AddTensor(graph.Tensor{Name: "z"}), g.AddTensor(graph.Tensor{Name: "y"})
	g.AddNode(graph.FullyConnected{}, []graph.TensorID{x, w}, []graph.TensorID{z})
	g.AddNode(graph.Softmax{Beta: 1}, []graph.TensorID{z}, []graph.TensorID{y})
	g.Inputs, g.Outputs = []graph.TensorID{x}, []graph.TensorID{y}
	if err := g.Infer(); err != nil {
		t.Fatal(err)
	}
	m, err := Float(g)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMeasure(t *testing.T) {
	reference := scaling(t, 1)
	s, err := FromRows(reference, []float32{1, 2, 3, 1, -1, 4, 2, -2, 5, 0, 0, 6})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Record(t.Context(), reference, s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		factor          float32
		sqnr, agreement float64
	}{
		{1, math.Inf(1), 1}, {0.5, 20 * math.Log10(2), 1}, {-1, 20 * math.Log10(0.5), 0},
	} {
		for _, r := range []*Recording{r, r.Thin(3)} {
			d, err := r.Measure(t.Context(), scaling(t, c.factor), Options{})
			if err != nil {
				t.Fatal(err)
			}
			first := func(sample int) bool { return sample == 0 }
			for _, got := range []float64{d.Logits(nil), d.Logits(first)} {
				if got != c.sqnr && !(math.Abs(got-c.sqnr) < 1e-9) {
					t.Errorf("factor %v, %d samples: got %v dB, want %v", c.factor, r.Samples(), got, c.sqnr)
				}
			}
			if got := d.Agreement(); got != c.agreement {
				t.Errorf("factor %v, %d samples: agreement: got %v, want %v", c.factor, r.Samples(), got, c.agreement)
			}
			if d.Samples() != r.Samples() {
				t.Errorf("samples: got %d, want %d", d.Samples(), r.Samples())
			}
		}
	}
}

func TestThinChoosesEvenly(t *testing.T) {
	reference := scaling(t, 1)
	s, err := FromRows(reference, []float32{0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Record(t.Context(), reference, s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []float32
	for _, z := range r.Thin(3).logits {
		got = append(got, z[0])
	}
	if len(got) != 3 || got[0] != 0 || got[1] != 2 || got[2] != 4 {
		t.Errorf("samples: got %v, want 0, 2 and 4", got)
	}
	if r.Samples() != 6 || r.Thin(6) != r || r.Thin(100) != r {
		t.Errorf("got %d samples, want the recording itself where it is small enough", r.Samples())
	}
}
