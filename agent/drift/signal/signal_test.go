package signal

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func parse(t *testing.T, name string, low, high float64, falling bool) Signal {
	t.Helper()
	s, err := Parse(name, low, high, falling)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestValue(t *testing.T) {
	sure := Inference{Output: []float64{0, 1, 0}, Logits: []float64{-4, 8, 2}, Input: []float64{0, 1, 0}}
	torn := Inference{Output: []float64{0.25, 0.25, 0.5}, Logits: []float64{1, 1, 1 + math.Ln2}, Input: []float64{1, 1, 1}}
	flat := Inference{Output: []float64{0.25, 0.25, 0.25, 0.25}, Logits: []float64{3, 3, 3, 3}, Input: []float64{0.25, 0.25, 0.25, 4.25}}
	broken := Inference{Output: []float64{0.5, math.NaN()}, Logits: []float64{math.NaN(), 1}, Input: []float64{0, 0}}
	nan := math.NaN()
	for _, c := range []struct {
		s                        Signal
		sure, torn, flat, broken float64
	}{
		{parse(t, Top1, 0, 0, false), 1, 0.5, 0.25, nan},
		{parse(t, Margin, 0, 12, false), 0.5, math.Ln2 / 12, 0, nan},
		{parse(t, Margin, 0, 3, false), 1, math.Ln2 / 3, 0, nan},
		// H of (1/4, 1/4, 1/2) is 3/2 ln 2.
		{parse(t, Entropy, 0, 0, false), 1, 1 - 1.5*math.Ln2/math.Log(3), 0, nan},
		// Squares: none; 9/16 + 9/16 + 1/4; 16.
		{parse(t, Reconstruction, 0, 8, false), 1, 1 - 1.375/3/8, 0.5, nan},
		{parse(t, "output:1", -1, 1, false), 1, 0.625, 0.625, nan},
		{parse(t, "output:0", 0, 0.5, true), 1, 0.5, 0.5, 0},
	} {
		for i, v := range []*Inference{&sure, &torn, &flat, &broken} {
			want := []float64{c.sure, c.torn, c.flat, c.broken}[i]
			got := c.s.Value(v)
			if math.IsNaN(got) != math.IsNaN(want) || math.Abs(got-want) > 1e-12 {
				t.Errorf("%s of %v: got %v, want %v", c.s.Name, v.Output, got, want)
			}
		}
	}
}

// TestEntropyOfInt8: the probabilities of an int8 softmax need not sum to 1.
func TestEntropyOfInt8(t *testing.T) {
	s := parse(t, Entropy, 0, 0, false)
	if got := s.Value(&Inference{Output: []float64{85.0 / 256, 85.0 / 256, 85.0 / 256}}); math.Abs(got) > 1e-12 {
		t.Errorf("got %v, want 0", got)
	}
	if got := s.Value(&Inference{Output: []float64{0, 0}}); !math.IsNaN(got) {
		t.Errorf("no probability at all: got %v, want NaN", got)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct {
		name      string
		low, high float64
		falling   bool
		want      string
	}{
		{"confidence", 0, 0, false, "this version knows top1, margin, entropy, reconstruction and output:<i>"},
		{"", 0, 0, false, "this version knows"},
		{Top1, 0, 1, false, "want no range"},
		{Entropy, 0, 0, true, "want no range"},
		{Margin, 0, 0, false, "want high alone, above 0"},
		{Margin, 1, 2, false, "want high alone"},
		{Reconstruction, 0, -1, false, "want high alone"},
		{Reconstruction, 0, math.NaN(), false, "want finite numbers"},
		{"output:", 0, 1, false, "want output:0"},
		{"output:01", 0, 1, false, "want output:0"},
		{"output:-1", 0, 1, false, "want output:0"},
		{"output:9999999999", 0, 1, false, "want output:0"},
		{"output:0", 1, 1, false, "want a range from low to high"},
		{"output:0", -math.MaxFloat64, math.MaxFloat64, false, "want a range from low to high"},
	} {
		if _, err := Parse(c.name, c.low, c.high, c.falling); !errors.Is(err, ErrSignal) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q from %v to %v: got %v, want %s", c.name, c.low, c.high, err, c.want)
		}
	}
}

func TestFits(t *testing.T) {
	for _, c := range []struct {
		s               Signal
		inputs, outputs int
		fits            bool
	}{
		{parse(t, Top1, 0, 0, false), 5, 1, true},
		{parse(t, Margin, 0, 1, false), 5, 1, false},
		{parse(t, Entropy, 0, 0, false), 5, 2, true},
		{parse(t, Reconstruction, 0, 1, false), 5, 2, false},
		{parse(t, Reconstruction, 0, 1, false), 5, 5, true},
		{parse(t, "output:1", 0, 1, false), 5, 2, true},
		{parse(t, "output:2", 0, 1, false), 5, 2, false},
	} {
		if err := c.s.Fits(c.inputs, c.outputs); (err == nil) != c.fits || err != nil && !errors.Is(err, ErrSignal) {
			t.Errorf("%s of %d inputs and %d outputs: got %v, fits %v", c.s.Name, c.inputs, c.outputs, err, c.fits)
		}
	}
}

func TestValueDoesNotAllocate(t *testing.T) {
	v := Inference{Output: []float64{0.25, 0.75}, Logits: []float64{1, 2}, Input: []float64{1, 2}}
	for _, s := range []Signal{
		parse(t, Top1, 0, 0, false), parse(t, Margin, 0, 1, false), parse(t, Entropy, 0, 0, false),
		parse(t, Reconstruction, 0, 1, false), parse(t, "output:1", 0, 1, false),
	} {
		if n := testing.AllocsPerRun(100, func() { s.Value(&v) }); n != 0 {
			t.Errorf("%s: got %v allocations, want 0", s.Name, n)
		}
	}
}
