package main

import (
	"math"
	"math/rand/v2"
	"sort"

	"kedge/agent/drift"
)

// source draws independent samples of a signal on the lattice.
type source struct {
	cdf []float64 // of the lattice steps
}

func newSource(weights []float64) *source {
	s := &source{}
	sum := 0.0
	for _, w := range weights {
		sum += w
		s.cdf = append(s.cdf, sum)
	}
	return s
}

func (s *source) draw(rng *rand.Rand) float64 {
	u := rng.Float64() * s.cdf[len(s.cdf)-1]
	return float64(min(sort.SearchFloat64s(s.cdf, u), drift.LatticeSize-1)) / drift.LatticeSize
}

// beta is Beta(a, 1), whose mean is a/(a+1).
func beta(a float64) []float64 {
	w := make([]float64, drift.LatticeSize)
	for q := range w {
		w[q] = math.Pow(float64(q+1)/drift.LatticeSize, a) - math.Pow(float64(q)/drift.LatticeSize, a)
	}
	return w
}

// betaMean is Beta(a, 1) with the given mean.
func betaMean(mean float64) []float64 { return beta(mean / (1 - mean)) }

// two is a signal of two values.
func two(low, high int, p float64) []float64 {
	w := make([]float64, drift.LatticeSize)
	w[low] += p
	w[high] += 1 - p
	return w
}

// saturated is like the confidences of an int8 model.
func saturated() []float64 {
	w := make([]float64, drift.LatticeSize)
	w[255] = 0.87
	for q := 244; q < 255; q++ {
		w[q] = 0.01
	}
	for q := 130; q < 230; q++ {
		w[q] = 0.0002
	}
	return w
}

func uniform(low, high int) []float64 {
	w := make([]float64, drift.LatticeSize)
	for q := low; q <= high; q++ {
		w[q] = 1
	}
	return w
}

// mix is p of a and 1-p of b.
func mix(p float64, a, b []float64) []float64 {
	w := make([]float64, drift.LatticeSize)
	sa, sb := 0.0, 0.0
	for q := range w {
		sa, sb = sa+a[q], sb+b[q]
	}
	for q := range w {
		w[q] = p*a[q]/sa + (1-p)*b[q]/sb
	}
	return w
}

// correlated is a Gaussian autoregression with Beta(19, 1) margins: mean 0.95.
type correlated struct {
	ratio, z float64
	rng      *rand.Rand
}

func newCorrelated(rng *rand.Rand, ratio float64) *correlated {
	return &correlated{ratio: ratio, z: rng.NormFloat64(), rng: rng}
}

func (c *correlated) draw() float64 {
	c.z = c.ratio*c.z + math.Sqrt(1-c.ratio*c.ratio)*c.rng.NormFloat64()
	return math.Pow(0.5*math.Erfc(-c.z/math.Sqrt2), 1.0/19)
}
