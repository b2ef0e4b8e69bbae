package drift

import (
	"errors"
	"math"
	"testing"
)

func TestRunLengthExact(t *testing.T) {
	uneven := make([]float64, LatticeSize)
	for q := 3; q < LatticeSize; q += 7 {
		uneven[q] = float64(1 + q*q%11)
	}
	two := make([]float64, LatticeSize)
	two[0], two[255] = 1, 9
	for _, c := range []struct {
		name    string
		weights []float64
		k, h    int
	}{
		{"uneven", uneven, 120, 1},
		{"uneven", uneven, 120, 90},
		{"uneven rising", uneven, 160, 60},
		{"uneven falling", uneven, 40, 60},
		{"two values", two, 220, 100},
		{"two values", two, 220, 250},
		{"k at the top", two, 255, 120},
		{"k 1", two, 1, 5},
	} {
		got, err := RunLength(c.weights, c.k, c.h)
		want := exactRunLength(c.weights, c.k, c.h)
		if err != nil || math.Abs(got/want-1) > 1e-12 {
			t.Errorf("%s k %d h %d: got %v (%v), want %v", c.name, c.k, c.h, got, err, want)
		}
	}
}

// TestRunLengthGaussian compares with the textbook's CUSUM table, k = 0.5 sigma. 24
// lattice steps to a sigma leave a discretization error of some percent.
func TestRunLengthGaussian(t *testing.T) {
	const sigma = 24
	w := make([]float64, LatticeSize)
	cdf := func(x float64) float64 { return 0.5 * math.Erfc(-x/sigma/math.Sqrt2) }
	for q := range w {
		w[q] = cdf(float64(q)-127.5) - cdf(float64(q)-128.5)
	}
	for _, c := range []struct {
		h    int
		want float64
	}{{4, 335.4}, {5, 930.9}} {
		got, err := RunLength(w, 128-sigma/2, c.h*sigma)
		if err != nil || math.Abs(got/c.want-1) > 0.03 {
			t.Errorf("h %d sigma: got %v (%v), want %v within 3%%", c.h, got, err, c.want)
		}
	}
}

func TestRunLengthSimulated(t *testing.T) {
	const k, h, runs = 237, 60, 4000
	want, err := RunLength(beta(19), k, h)
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewFrozen(k, h)
	if err != nil {
		t.Fatal(err)
	}
	s, steps := newSampler(beta(19), 5), 0
	for range runs {
		d.Reset()
		for steps++; d.Update(s.next()) != Drift; steps++ {
		}
	}
	// Run lengths scatter about as much as they are long: four standard errors.
	if got := float64(steps) / runs; math.Abs(got/want-1) > 4/math.Sqrt(runs) {
		t.Errorf("got a mean run of %v, want %v", got, want)
	}
}

func TestFindThreshold(t *testing.T) {
	for _, arl := range []float64{1, 50, 1e4, 1e9, 1e100} {
		h, got, err := findThreshold(beta(19), 237, arl)
		if err != nil {
			t.Fatal(err)
		}
		if want, err := RunLength(beta(19), 237, h); err != nil || got != want || got < arl {
			t.Errorf("%v: h %d, got run length %v (%v), want %v and at least that asked for", arl, h, got, err, want)
		}
		if h > 1 {
			if less, err := RunLength(beta(19), 237, h-1); err != nil || less >= arl {
				t.Errorf("%v: h %d is not the smallest: one less gives %v (%v)", arl, h, less, err)
			}
		}
	}
	top := make([]float64, LatticeSize)
	top[255] = 3
	if h, arl, err := findThreshold(top, 250, 1e6); err != nil || h != 1 || !math.IsInf(arl, 1) {
		t.Errorf("no weight below k: got h %d, run length %v (%v), want 1 and +Inf", h, arl, err)
	}
	if h, arl, err := findThreshold(top, 255, 1e6); err != nil || h != 1 || !math.IsInf(arl, 1) {
		t.Errorf("all weight at k: got h %d, run length %v (%v), want 1 and +Inf", h, arl, err)
	}
	bottom := []float64{1}
	if h, arl, err := findThreshold(bottom, 2, 1e6); err != nil || h != maxThreshold || arl != maxThreshold/2 {
		t.Errorf("always falling: got h %d, run length %v (%v), want %d and %d", h, arl, err, maxThreshold, maxThreshold/2)
	}
}

func TestRunLengthRefuses(t *testing.T) {
	for _, c := range []struct {
		name    string
		weights []float64
		k, h    int
	}{
		{"no weights", nil, 10, 10},
		{"only zeros", make([]float64, LatticeSize), 10, 10},
		{"too many", make([]float64, LatticeSize+1), 10, 10},
		{"negative", []float64{2, -1}, 10, 10},
		{"not a number", []float64{math.NaN()}, 10, 10},
		{"infinite", []float64{math.Inf(1)}, 10, 10},
		{"infinite sum", []float64{math.MaxFloat64, math.MaxFloat64}, 10, 10},
		{"k below", []float64{1}, -1, 10},
		{"k above", []float64{1}, LatticeSize, 10},
		{"h 0", []float64{1}, 10, 0},
	} {
		if got, err := RunLength(c.weights, c.k, c.h); !errors.Is(err, ErrParameter) {
			t.Errorf("%s: got %v, %v, want ErrParameter", c.name, got, err)
		}
	}
}
