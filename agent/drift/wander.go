package drift

import (
	"fmt"
	"math"
)

// BlockVariance says how much the means of successive blocks of a reference differ.
type BlockVariance struct {
	// Rows is the length of the blocks, a power of two from 64 on.
	Rows int `json:"rows"`
	// Blocks is how many there were.
	Blocks int `json:"blocks"`
	// Variance is that of their means in units of what independent samples would show:
	// Rows times it over the variance of a sample.
	Variance float64 `json:"variance"`
}

// Lengths of blocks, in samples.
const (
	shortestBlocks = 64
	longestBlocks  = 1 << 30
	minBlocks      = 12 // of a length; fewer tell of their variance next to nothing
)

// blockVariances compares successive blocks at every length that fits.
func blockVariances[T uint8 | float64](steps []T) []BlockVariance {
	if len(steps) < minBlocks*shortestBlocks {
		return nil
	}
	prefix := make([]float64, len(steps)+1)
	for i, q := range steps {
		prefix[i+1] = prefix[i] + float64(q)
	}
	mean, variance := prefix[len(steps)]/float64(len(steps)), 0.0
	for _, q := range steps {
		variance += (float64(q) - mean) * (float64(q) - mean) / float64(len(steps))
	}
	if variance == 0 {
		return nil
	}
	var all []BlockVariance
	for rows := shortestBlocks; len(steps)/rows >= minBlocks; rows *= 2 {
		n := len(steps) / rows
		mean, square := prefix[n*rows]/float64(n), 0.0
		for i := range n {
			d := prefix[(i+1)*rows] - prefix[i*rows] - mean
			square += d * d
		}
		v := square / float64(n-1) / float64(rows) / variance
		all = append(all, BlockVariance{Rows: rows, Blocks: n, Variance: math.Round(v*1e4) / 1e4})
	}
	return all
}

// validateBlocks checks what came from outside.
func (r Reference) validateBlocks() error {
	rows := shortestBlocks
	for _, b := range r.Blocks {
		if b.Rows != rows || rows > longestBlocks || b.Blocks < minBlocks || int64(b.Blocks) > r.N/int64(rows) ||
			!(b.Variance >= 0 && b.Variance <= float64(b.Rows)*2) {
			return fmt.Errorf("drift: %w: variance of blocks %+v, want blocks of %d samples", ErrReference, b, rows)
		}
		rows *= 2
	}
	return nil
}

// mergeBlocks averages by number; lengths that one reference is too short for are the
// other's.
func mergeBlocks(a, b []BlockVariance) []BlockVariance {
	if len(a) < len(b) {
		a, b = b, a
	}
	merged := append([]BlockVariance(nil), a...)
	for i, v := range b {
		n := a[i].Blocks + v.Blocks
		merged[i].Variance = (a[i].Variance*float64(a[i].Blocks) + v.Variance*float64(v.Blocks)) / float64(n)
		merged[i].Blocks = n
	}
	return merged
}

// Normal quantiles: of the evidence that blocks differ by more than the
// autocorrelations foretell, and of the confidence in a variance that few blocks tell.
const (
	wanderEvidence   = 1.645
	wanderConfidence = 1.645
	// wanderMargin covers what the autocorrelations' estimate may be off.
	wanderMargin = 1.25
)

// Wander is the standard deviation of the slow variation of the mean that the reference
// itself shows, and that therefore is no drift: from day to day, from year to year. It
// is 0 as long as the blocks do not contradict the autocorrelations, which foretell how
// much they may differ; where they do, it comes from the blocks' own variance at its
// upper 95 % limit, and the length that shows most counts.
func (r Reference) Wander() float64 {
	if len(r.Blocks) == 0 {
		return 0
	}
	foretold := newBlockVariance(r.rho())
	effective := float64(r.N) / r.Inflation()
	most, length := 0.0, 0
	for _, b := range r.Blocks {
		v := 0.0
		for ; length < b.Rows; length++ {
			v = foretold.next()
		}
		expected := v / float64(b.Rows)
		if expected > 1 {
			expected *= wanderMargin
		}
		freedom := float64(b.Blocks) - 1
		if b.Variance <= expected*chiSquareQuantile(freedom, wanderEvidence) {
			continue
		}
		upper := b.Variance / chiSquareQuantile(max(min(freedom, effective-1), 1), -wanderConfidence)
		most = max(most, (upper-expected)/float64(b.Rows))
	}
	return r.Std() * math.Sqrt(most)
}

// uncertainty is by how much a mean is worth less than that of N independent samples:
// for dependence, and because the mean of today is another than that of the reference.
func (r Reference) uncertainty() float64 {
	std, wander := r.Std(), r.Wander()
	if std == 0 || wander == 0 {
		return r.Inflation()
	}
	return r.Inflation() + float64(r.N)*wander*wander/(std*std)
}

// chiSquareQuantile is that of a chi-square variable over its degrees of freedom, at a
// normal quantile (Wilson and Hilferty, "The distribution of chi-square", 1931).
func chiSquareQuantile(freedom, z float64) float64 {
	v := 2 / (9 * freedom)
	root := max(1-v+z*math.Sqrt(v), 0.1)
	return root * root * root
}
