package drift

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// bernoulli is 0 with probability p, else 255.
func bernoulli(p float64) []float64 {
	w := make([]float64, LatticeSize)
	w[0], w[255] = p, 1-p
	return w
}

// TestCalibratePromise draws references from known distributions and computes the
// run length that their thresholds really have, exactly.
func TestCalibratePromise(t *testing.T) {
	const arl, draws = 20000, 200
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
		{"two values, one in a hundred", bernoulli(0.01), 500, 0.95},
		{"two values, one in 500", bernoulli(0.002), 500, 0.95},
		{"two values, one in 20", bernoulli(0.05), 100, 0.90},
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
	ref.Lags, ref.Blocks = nil, nil
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

// TestBelief compares with what is known exactly: quantiles of the mean of two values
// are those of Beta variables.
func TestBelief(t *testing.T) {
	// Of no zeros in 500, (1-p)^500 is the probability of a share above p.
	want := 1 - math.Pow(meanRisk, 1.0/500)
	got := 1 - newBelief(Reference{Counts: constantCounts(255, 500), N: 500}, 1).lowerMean(meanRisk)/255
	if math.Abs(got/want-1) > 0.03 {
		t.Errorf("500 equal samples: got at most %v of zeros, want %v", got, want)
	}
	// Many samples: two standard errors.
	counts := make([]int64, LatticeSize)
	counts[0], counts[255] = 5000, 95000
	ref := Reference{Counts: counts, N: 100000}
	lower := ref.Mean() - 2*ref.StdErr()
	if got := newBelief(ref, 1).lowerMean(meanRisk) / LatticeSize; math.Abs(got-lower) > 0.05*ref.StdErr() {
		t.Errorf("one in twenty of 100,000: got %v, want %v", got, lower)
	}
	// The bound of the decay rate approaches the root itself: steps of +1 with p and -1
	// with 1-p have exp(theta) = (1-p)/p.
	counts = make([]int64, LatticeSize)
	counts[99], counts[101] = 3e9, 7e9
	w, err := newBelief(Reference{Counts: counts, N: 1e10}, 1).lowerDecay(100, decayRisk)
	if err != nil {
		t.Fatal(err)
	}
	if got := w[101] / w[99]; math.Abs(got/(7.0/3)-1) > 1e-3 {
		t.Errorf("got odds %v, want nearly 7/3", got)
	}
}

func constantCounts(q uint8, n int64) []int64 {
	counts := make([]int64, LatticeSize)
	counts[q] = n
	return counts
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
