package calib

import (
	"context"
	"strings"
	"testing"
)

func TestWarnings(t *testing.T) {
	for _, c := range []struct {
		name    string
		samples int
		scale   float64
		want    []WarningKind
	}{
		{"sound", 40, 2, nil},
		{"few", 5, 2, []WarningKind{FewSamples}},
		{"255 times too small", 40, 2.0 / 255, []WarningKind{InputScale}},
		{"255 times too large", 40, 2 * 255, []WarningKind{InputScale}},
	} {
		g := dense(t, 9, 30, 40, 40, 5)
		s, err := Collect(context.Background(), g, [][]float32{uniform(4, 30*c.samples, c.scale)}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got []WarningKind
		for _, w := range s.Warnings() {
			got = append(got, w.Kind)
		}
		if len(got) != len(c.want) || len(got) > 0 && got[0] != c.want[0] {
			t.Errorf("%s: got %v, want %v", c.name, s.Warnings(), c.want)
		}
	}
}

// One layer whose biases are large on any scale does not hide that of the others.
func TestScaleDespiteALargeBias(t *testing.T) {
	for _, c := range []struct {
		scale float64
		want  int
	}{{2, 0}, {2 * 255, 1}} {
		g := dense(t, 9, 30, 40, 40, 40, 40, 5)
		last := g.Nodes[len(g.Nodes)-1]
		for i := range g.Tensor(last.Inputs[2]).Float {
			g.Tensor(last.Inputs[2]).Float[i] *= 1000
		}
		s, err := Collect(context.Background(), g, [][]float32{uniform(4, 30*40, c.scale)}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if w := s.Warnings(); len(w) != c.want || c.want > 0 && w[0].Kind != InputScale {
			t.Errorf("inputs to %v: got %v, want %d warnings about the scale", c.scale, w, c.want)
		}
	}
}

func TestEqualSamples(t *testing.T) {
	x := uniform(4, 30, 1)
	var all []float32
	for range 40 {
		all = append(all, x...)
	}
	s, err := Collect(context.Background(), dense(t, 9, 30, 10), [][]float32{all}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if w := s.Warnings(); len(w) != 1 || w[0].Kind != EqualSamples || !strings.Contains(w[0].Text, "40") {
		t.Errorf("got %v, want one about 40 equal samples", w)
	}
}

func TestCompareRange(t *testing.T) {
	s, err := Collect(context.Background(), dense(t, 9, 30, 10), [][]float32{uniform(1, 30*40, 1)}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		known Range
		want  bool
	}{{Range{0, 255}, true}, {Range{0, 1}, false}, {Range{-2, 2}, false}, {Range{0, 0.01}, true}, {Range{}, false}} {
		if w, got := s.CompareRange(0, c.known); got != c.want {
			t.Errorf("%v: got %v (%v), want %v", c.known, got, w, c.want)
		}
	}
}
