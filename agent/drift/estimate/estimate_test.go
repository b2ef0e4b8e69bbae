package estimate

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

func near(a, b, eps float64) bool { return math.Abs(a-b) <= eps }

// TestWilson: 81 of 263 gives .2553 to .3662, as in Newcombe's paper on single
// proportions (Statistics in Medicine 17:857), and 0 of 20 gives 0 to .1611.
func TestWilson(t *testing.T) {
	for _, c := range []struct{ right, n, low, high float64 }{
		{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718}, {20, 20, 1 - 0.1611, 1},
	} {
		if got := Wilson(c.right/c.n, c.n); !near(got.Low, c.low, 5e-5) || !near(got.High, c.high, 5e-5) {
			t.Errorf("%v of %v: got %v, want %v to %v", c.right, c.n, got, c.low, c.high)
		}
	}
	if got := Wilson(0.5, 0); got != (Interval{0, 1}) {
		t.Errorf("of nothing: got %v", got)
	}
}

// TestNewcombe: the examples of Newcombe's paper on differences (Statistics in Medicine
// 17:873), method 10.
func TestNewcombe(t *testing.T) {
	for _, c := range []struct{ a, m, b, n, low, high float64 }{
		{56, 70, 48, 80, 0.0524, 0.3339}, {9, 10, 3, 10, 0.1705, 0.8090}, {10, 10, 0, 20, 0.6791, 1}, {10, 10, 0, 10, 0.6075, 1},
	} {
		if got := Newcombe(c.a/c.m, c.m, c.b/c.n, c.n); !near(got.Low, c.low, 5e-5) || !near(got.High, c.high, 5e-5) {
			t.Errorf("%v/%v - %v/%v: got %v, want %v to %v", c.a, c.m, c.b, c.n, got, c.low, c.high)
		}
	}
}

// TestFit: by its definition, the share above the threshold is the accuracy on the
// samples that it was fitted to, ties or not.
func TestFit(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		n := 1 + rng.IntN(300)
		steps, right := make([]uint8, n), make([]bool, n)
		spread, chance := 1+rng.IntN(256), rng.Float64()
		var w Window
		for i := range steps {
			steps[i], right[i] = uint8(256-1-rng.IntN(spread)), rng.Float64() < chance
			w.Add(steps[i])
		}
		a, err := Fit(steps, right)
		if err != nil || !(a.Share >= 0 && a.Share <= 1) || a.N != n {
			t.Fatalf("got %+v, %v", a, err)
		}
		e, ok := w.ATC(&a, 1)
		if !ok || !near(e.Accuracy, a.Accuracy, 1e-12) || !near(e.Score, 0, 1e-12) || e.N != n || e.Kind != KindATC {
			t.Fatalf("%d samples: got %+v, want an accuracy of %v", n, e, a.Accuracy)
		}
		if e.Interval.Low > e.Accuracy || e.Interval.High < e.Accuracy || e.Lost.Low > 0 || e.Lost.High < 0 {
			t.Fatalf("got %+v, want intervals about it", e)
		}
	}
	for _, c := range []struct{ steps, right int }{{0, 0}, {2, 1}} {
		if _, err := Fit(make([]uint8, c.steps), make([]bool, c.right)); !errors.Is(err, ErrFit) {
			t.Errorf("%v: got %v, want ErrFit", c, err)
		}
	}
}

// TestATCOfOthers: answers that are right as often as they are sure are right as often
// as the estimate says, when the mix of sure and unsure ones changes.
func TestATCOfOthers(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	// Sure and right, or unsure and wrong.
	draw := func(sure float64) (uint8, bool) {
		if rng.Float64() < sure {
			return uint8(230 + rng.IntN(26)), true
		}
		return uint8(100 + rng.IntN(100)), false
	}
	steps, right := make([]uint8, 1000), make([]bool, 1000)
	for i := range steps {
		steps[i], right[i] = draw(0.9)
	}
	a, err := Fit(steps, right)
	if err != nil {
		t.Fatal(err)
	}
	inside := 0
	for range 200 {
		var w Window
		for range 2 * Size {
			q, _ := draw(0.6)
			w.Add(q)
		}
		e, _ := w.ATC(&a, 1)
		if e.N != Size || !near(e.Accuracy, 0.6, 0.1) || !near(e.Score, 0.3, 0.12) {
			t.Fatalf("got %+v", e)
		}
		if e.Interval.Low <= 0.6 && e.Interval.High >= 0.6 {
			inside++
		}
	}
	if inside < 185 {
		t.Errorf("the interval holds the truth in %d of 200 cases, want 185 or more", inside)
	}
}

func TestDoC(t *testing.T) {
	var w Window
	if _, ok := w.DoC(0.9, 0.1, 100, 1); ok {
		t.Error("an empty window has an estimate")
	}
	if _, ok := w.ATC(&ATC{N: 1}, 1); ok {
		t.Error("an empty window has an estimate")
	}
	for range 100 {
		w.Add(192)
		w.Add(128)
	}
	e, ok := w.DoC(0.875, 0.1, 400, 4)
	half := z * math.Sqrt(4*(0.01/400+0.125*0.125/200))
	if !ok || e.Kind != KindDoC || e.N != 200 || !near(e.Score, 0.25, 1e-12) || !math.IsNaN(e.Accuracy) ||
		!near(e.Lost.Low, 0.25-half, 1e-12) || !near(e.Lost.High, 0.25+half, 1e-12) {
		t.Errorf("got %+v, want .25 +- %v", e, half)
	}
}
