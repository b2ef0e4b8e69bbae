package drift

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// TestCalibratePromise draws references from known distributions and computes the
// run length that their thresholds really have, exactly.
func TestCalibratePromise(t *testing.T) {
	const arl, draws = 20000, 200
	bernoulli := make([]float64, LatticeSize)
	bernoulli[0], bernoulli[255] = 0.01, 0.99
	for _, c := range []struct {
		name    string
		weights []float64
		n       int
		kept    float64 // least share of references
	}{
		{"thin tail", beta(19), 500, 0.95},
		{"thin tail", beta(19), 100, 0.90},
		{"steep", beta(99), 500, 0.95},
		{"heavy tail", beta(3), 500, 0.95},
		{"saturated", saturated(), 500, 0.95},
		{"saturated", saturated(), 100, 0.90},
		// Here everything hangs on how often the rare value came up: once or never, from
		// which five in 500 cannot be guessed, in 4 % of the references.
		{"two values", bernoulli, 500, 0.93},
	} {
		s, kept := newSampler(c.weights, 11), 0
		truth := make(map[int]*chain) // by k: walking on is cheaper than from h = 1
		for range draws {
			got, err := Calibrate(s.reference(c.n), DefaultDelta, arl)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			if got.RunLength < arl {
				t.Errorf("%s: promises %v, want %v", c.name, got.RunLength, arl)
			}
			chain := truth[got.K]
			if chain == nil {
				if chain, err = newChain(c.weights, got.K); err != nil {
					t.Fatal(err)
				}
				truth[got.K] = chain
			}
			// Up to h, or to where the promise is already kept.
			for chain.up > 0 && chain.h < got.H && chain.arl < arl {
				chain.next()
			}
			if chain.up == 0 || chain.h <= got.H && chain.arl >= arl {
				kept++
			}
		}
		if got := float64(kept) / draws; got < c.kept {
			t.Errorf("%s, %d samples: promise kept for %v of the references, want %v", c.name, c.n, got, c.kept)
		}
	}
}

// TestCalibrateDelay keeps the price of the promise in bounds: the exact mean delay
// for drops of 3 and 10 points, against some 54 and 9 of a threshold without margin.
func TestCalibrateDelay(t *testing.T) {
	s := newSampler(beta(19), 12)
	for range 50 {
		c, err := Calibrate(s.reference(500), DefaultDelta, 20000)
		if err != nil {
			t.Fatal(err)
		}
		small, err := RunLength(beta(0.92/0.08), c.K, c.H)
		if err != nil {
			t.Fatal(err)
		}
		large, err := RunLength(beta(0.85/0.15), c.K, c.H)
		if err != nil {
			t.Fatal(err)
		}
		if small > 250 || large > 25 {
			t.Errorf("k %d h %d: got delays %.1f and %.1f, want at most 250 and 25", c.K, c.H, small, large)
		}
	}
}

func TestCalibrateCorrelated(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 1))
	ref, err := NewReference(correlated(rng, 0.9, 2000))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Calibrate(ref, DefaultDelta, 20000)
	if err != nil {
		t.Fatal(err)
	}
	ref.Lags = nil
	independent, err := Calibrate(ref, DefaultDelta, 20000)
	if err != nil {
		t.Fatal(err)
	}
	if c.H < 5*independent.H || c.Delta < independent.Delta {
		t.Errorf("got h %d, delta %v, want well above %d, %v without correlation", c.H, c.Delta, independent.H, independent.Delta)
	}
}

func TestCalibrateEdges(t *testing.T) {
	constant := func(q uint8, n int) Reference {
		steps := make([]uint8, n)
		for i := range steps {
			steps[i] = q
		}
		return referenceOf(steps)
	}
	for _, q := range []uint8{0, 1, 5, 128, 255} {
		for _, n := range []int{MinReference, 500, 5000} {
			c, err := Calibrate(constant(q, n), DefaultDelta, 20000)
			if err != nil {
				t.Errorf("constant %d: %v", q, err)
				continue
			}
			if c.K > int(q) || c.H <= c.K {
				t.Errorf("constant %d: got k %d h %d, want k no higher and h above k", q, c.K, c.H)
			}
		}
	}
	good := constant(200, 500)
	for _, c := range []struct {
		name       string
		ref        Reference
		delta, arl float64
		want       error
	}{
		{"absent", Reference{}, 0.02, 1e4, ErrReference},
		{"ten samples", constant(200, 10), 0.02, 1e4, ErrReference},
		{"invalid", Reference{N: 500}, 0.02, 1e4, ErrReference},
		{"delta negative", good, -0.1, 1e4, ErrParameter},
		{"delta 1", good, 1, 1e4, ErrParameter},
		{"delta not a number", good, math.NaN(), 1e4, ErrParameter},
		{"run length 0", good, 0.02, 0, ErrParameter},
		{"run length infinite", good, 0.02, math.Inf(1), ErrParameter},
	} {
		if got, err := Calibrate(c.ref, c.delta, c.arl); !errors.Is(err, c.want) {
			t.Errorf("%s: got %+v, %v, want %v", c.name, got, err, c.want)
		}
	}
}

func TestDecay(t *testing.T) {
	// Steps of +1 with p and -1 with 1-p: exp(theta) = (1-p)/p.
	w := make([]float64, LatticeSize)
	w[99], w[101] = 0.3, 0.7
	if got, want := decay(w, 100), math.Log(0.7/0.3); math.Abs(got-want) > 1e-12 {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := decay(w, 101); got != 0 {
		t.Errorf("rising: got %v, want 0", got)
	}
	if got := decay(w, 50); got != maxDecay {
		t.Errorf("never rising: got %v, want %v", got, float64(maxDecay))
	}
}

func BenchmarkCalibrate(b *testing.B) {
	wide := make([]float64, LatticeSize)
	wide[0], wide[255] = 0.5, 0.5
	for _, c := range []struct {
		name    string
		weights []float64
	}{{"beta", beta(19)}, {"saturated", saturated()}, {"coin", wide}} {
		ref := newSampler(c.weights, 14).reference(500)
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Calibrate(ref, DefaultDelta, 1e6); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
