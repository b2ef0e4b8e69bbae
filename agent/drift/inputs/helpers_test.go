package inputs

import (
	"math"
	"math/rand/v2"
	"testing"
)

// source is an endless stream of values.
type source func() float64

func normal(rng *rand.Rand) source { return rng.NormFloat64 }

// autoregression is standard normal with correlation ratio between neighbors.
func autoregression(ratio float64) func(*rand.Rand) source {
	return func(rng *rand.Rand) source {
		z := rng.NormFloat64()
		return func() float64 {
			z = ratio*z + math.Sqrt(1-ratio*ratio)*rng.NormFloat64()
			return z
		}
	}
}

// rhythm is a sine of the given period with noise.
func rhythm(period float64) func(*rand.Rand) source {
	return func(rng *rand.Rand) source {
		t := rng.Float64() * period
		return func() float64 {
			t++
			return math.Sin(2*math.Pi*t/period) + 0.5*rng.NormFloat64()
		}
	}
}

func choice(rate float64, yes, no func(*rand.Rand) float64) func(*rand.Rand) source {
	return func(rng *rand.Rand) source {
		return func() float64 {
			if rng.Float64() < rate {
				return yes(rng)
			}
			return no(rng)
		}
	}
}

func fixed(x float64) func(*rand.Rand) float64 { return func(*rand.Rand) float64 { return x } }
func uniform(rng *rand.Rand) float64           { return rng.Float64() }
func constant(x float64) func(*rand.Rand) source {
	return func(*rand.Rand) source { return func() float64 { return x } }
}

// referenceOf draws n rows of float features.
func referenceOf(t testing.TB, n int, sources ...source) *Reference {
	t.Helper()
	columns := make([]Column, len(sources))
	for i := range columns {
		columns[i] = Column{Name: string(rune('a' + i)), Type: Float}
	}
	b := NewBuilder(columns)
	for range n {
		if err := b.Add(rowOf(sources)); err != nil {
			t.Fatal(err)
		}
	}
	ref, err := b.Reference()
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func rowOf(sources []source) []float64 {
	row := make([]float64, len(sources))
	for i, s := range sources {
		row[i] = s()
	}
	return row
}

func monitorOf(t testing.TB, ref *Reference, arl float64) *Monitor {
	t.Helper()
	m, err := New(ref, Options{ARL: arl})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// update takes a row that must be accepted.
func update(t testing.TB, m *Monitor, row []float64) Result {
	t.Helper()
	r, err := m.Update(row)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }
