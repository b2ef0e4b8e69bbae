package inputs

import (
	"math"
	"slices"
	"testing"
)

func TestBins(t *testing.T) {
	few := condense(Column{Type: Float}, []float64{3, 1, 2, 2, 1, 3})
	constant := condense(Column{Type: Float}, []float64{5, 5, math.NaN(), 5})
	signed, unsigned := Feature{Type: Int8}, Feature{Type: Uint8}
	for _, c := range []struct {
		name string
		f    *Feature
		x    float64
		want uint8
	}{
		{"few", &few, 0.9, 0}, {"few", &few, 1, 1}, {"few", &few, 1.9, 1}, {"few", &few, 2, 2}, {"few", &few, 3, 3},
		{"few", &few, 3.1, 255}, {"few", &few, math.MaxFloat64, 255}, {"few", &few, -math.MaxFloat64, 0},
		{"constant", &constant, 5, 1}, {"constant", &constant, 4, 0}, {"constant", &constant, 6, 255},
		{"int8", &signed, -128, 0}, {"int8", &signed, 0, 128}, {"int8", &signed, 127, 255}, {"int8", &signed, 1e9, 255}, {"int8", &signed, -1e9, 0},
		{"uint8", &unsigned, 0, 0}, {"uint8", &unsigned, 255, 255}, {"uint8", &unsigned, 7.5, 8},
	} {
		if got := c.f.bin(c.x); got != c.want {
			t.Errorf("%s, %v: got bin %d, want %d", c.name, c.x, got, c.want)
		}
	}
	if !constant.Constant() || few.Constant() {
		t.Error("got the constant feature wrong")
	}
	if constant.Counts.Missing != 1 || constant.Run != 3 || constant.Runs != 1 || constant.Repeats != 2 {
		t.Errorf("got %d missing, run %d, runs %d, repeats %d, want 1, 3, 1, 2", constant.Counts.Missing, constant.Run, constant.Runs, constant.Repeats)
	}
}

// TestBinsEqualFrequency: with outliers as with none no bin holds much more than its
// share, and every bin's value lies in it.
func TestBinsEqualFrequency(t *testing.T) {
	rng := newRand(1)
	values := make([]float64, 5000)
	for i := range values {
		values[i] = math.Exp(5 * rng.NormFloat64())
	}
	f := condense(Column{Type: Float}, values)
	if got := slices.Max(f.Counts.Counts[:]); got > 21 {
		t.Errorf("got %d values in one bin, want at most 21 of 5000", got)
	}
	if lo, hi := f.rangeBins(); lo != 1 || hi != 254 || f.Counts.Counts[0] != 0 || f.Counts.Counts[255] != 0 {
		t.Errorf("got the range in bins %d..%d, want 1..254", lo, hi)
	}
	for bin := 1; bin <= 254; bin++ {
		if got := f.bin(f.value(bin)); int(got) != bin {
			t.Errorf("got bin %d of the value of bin %d", got, bin)
		}
	}
}

func TestBinsFewValues(t *testing.T) {
	for _, distinct := range []int{1, 2, 253, 254, 255, 400} {
		values := make([]float64, 4*distinct)
		for i := range values {
			values[i] = float64(i % distinct)
		}
		f := condense(Column{Type: Float}, values)
		used := 0
		for _, c := range f.Counts.Counts {
			if c > 0 {
				used++
			}
		}
		if want := min(distinct, 254); used != want {
			t.Errorf("%d values: got %d bins, want %d", distinct, used, want)
		}
		if err := f.validate(int64(len(values))); err != nil {
			t.Errorf("%d values: %v", distinct, err)
		}
	}
}
