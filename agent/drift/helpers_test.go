package drift

import (
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"sort"
)

// beta returns the probabilities of the lattice steps of Beta(a, 1).
func beta(a float64) []float64 {
	w := make([]float64, LatticeSize)
	for q := range w {
		w[q] = math.Pow(float64(q+1)/LatticeSize, a) - math.Pow(float64(q)/LatticeSize, a)
	}
	return w
}

// saturated is like the confidences of an int8 model: nearly all of them at the top
// and a long thin tail.
func saturated() []float64 {
	w := make([]float64, LatticeSize)
	w[255] = 0.87
	for q := 244; q < 255; q++ {
		w[q] = 0.01
	}
	for q := 130; q < 230; q++ {
		w[q] = 0.0002
	}
	return w
}

// sampler draws lattice steps in proportion to weights.
type sampler struct {
	rng *rand.Rand
	cdf []float64
}

func newSampler(weights []float64, seed uint64) *sampler {
	s := &sampler{rng: rand.New(rand.NewPCG(seed, 1))}
	sum := 0.0
	for _, w := range weights {
		sum += w
		s.cdf = append(s.cdf, sum)
	}
	return s
}

func (s *sampler) step() uint8 {
	u := s.rng.Float64() * s.cdf[len(s.cdf)-1]
	return uint8(min(sort.SearchFloat64s(s.cdf, u), LatticeSize-1))
}

// next is a sample of the signal.
func (s *sampler) next() float64 { return float64(s.step()) / LatticeSize }

func (s *sampler) reference(n int) Reference {
	steps := make([]uint8, n)
	for i := range steps {
		steps[i] = s.step()
	}
	return referenceOf(steps)
}

// correlated is a signal in (0, 1) with Beta(19, 1) samples of which successive ones
// depend on each other: a Gaussian autoregression, transformed.
func correlated(rng *rand.Rand, ratio float64, n int) []float64 {
	xs := make([]float64, n)
	z := rng.NormFloat64()
	for i := range xs {
		z = ratio*z + math.Sqrt(1-ratio*ratio)*rng.NormFloat64()
		xs[i] = math.Pow(0.5*math.Erfc(-z/math.Sqrt2), 1.0/19)
	}
	return xs
}

// exactRunLength solves the chain's linear equations by Gaussian elimination with
// 200 bits, an algorithm that has nothing in common with chain.
func exactRunLength(weights []float64, k, h int) float64 {
	num := func(x float64) *big.Float { return new(big.Float).SetPrec(200).SetFloat64(x) }
	total := 0.0
	for _, w := range weights {
		total += w // counts, so exact
	}
	rows := make([][]*big.Float, h) // I - Q, with the right side in column h
	for s := range rows {
		rows[s] = make([]*big.Float, h+1)
		for j := range rows[s] {
			rows[s][j] = num(0)
		}
		rows[s][s].SetInt64(1)
		rows[s][h].SetInt64(1)
		for q, w := range weights {
			if to := max(0, s+k-q); w > 0 && to < h {
				rows[s][to].Sub(rows[s][to], num(0).Quo(num(w), num(total)))
			}
		}
	}
	product := num(0)
	for i := range h {
		for _, row := range rows[i+1:] {
			if row[i].Sign() == 0 {
				continue
			}
			factor := num(0).Quo(row[i], rows[i][i])
			for j := i; j <= h; j++ {
				if rows[i][j].Sign() != 0 {
					row[j].Sub(row[j], product.Mul(factor, rows[i][j]))
				}
			}
		}
	}
	for i := h - 1; i >= 0; i-- {
		for j := i + 1; j < h; j++ {
			rows[i][h].Sub(rows[i][h], product.Mul(rows[i][j], rows[j][h]))
		}
		rows[i][h].Quo(rows[i][h], rows[i][i])
	}
	arl, _ := rows[0][h].Float64()
	return arl
}

// accepted is how often a guarantee is tried: seconds' worth, or with KEDGE_ACCEPT=1 in
// full.
func accepted(few, full int) int {
	if os.Getenv("KEDGE_ACCEPT") != "" {
		return full
	}
	return few
}
