package release

import (
	"math"
	"testing"

	"kedge/agent/drift"
)

func TestNewMargin(t *testing.T) {
	margins := make([]float64, 100)
	for i := range margins {
		margins[i] = float64(i) / 10
	}
	got, err := NewMargin(margins)
	if err != nil || len(got) != 1 || got[0].Signal.Name != "margin" || got[0].Signal.High != 9 || got[0].Reference.N != 100 {
		t.Fatalf("got %+v, %v, want a margin up to 9", got, err)
	}
	// 4.5 is half of the range, and the ten above it count as the end of it.
	if c := got[0].Reference.Counts; c[128] != 1 || c[drift.LatticeSize-1] < 10 {
		t.Errorf("got counts %v", c)
	}
	for name, none := range map[string][]float64{
		"few": margins[:29], "no softmax": append([]float64{math.NaN()}, margins...), "no margin": make([]float64, 100),
	} {
		if got, err := NewMargin(none); got != nil || err != nil {
			t.Errorf("%s: got %+v, %v, want none", name, got, err)
		}
	}
}

func TestNewInputs(t *testing.T) {
	rows := func(n, features int) func(func([]float64) bool) {
		return func(yield func([]float64) bool) {
			for i := range n {
				row := make([]float64, features)
				row[0] = float64(i % 7)
				if !yield(row) {
					return
				}
			}
		}
	}
	got, err := NewInputs([]string{"a", "b"}, rows(50, 2))
	if err != nil || got == nil || got.N != 50 || got.Features[0].Name != "a" || got.Features[0].Hi != 6 || !got.Features[1].Constant() {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := NewInputs([]string{"a", "b"}, rows(29, 2)); got != nil || err != nil {
		t.Errorf("few rows: got %v, %v, want none", got, err)
	}
	if got, err := NewInputs(make([]string, MaxInputs+1), rows(50, MaxInputs+1)); got != nil || err != nil {
		t.Errorf("many features: got %v, %v, want none", got, err)
	}
}
