package calib

import "math"

// leastDivergence searches the range in which quantized values are distributed
// most like real ones: each end in turn in steps of 1/64 of its extreme, until
// neither moves. No fewer bins are left than the 256 levels.
func (t *Tensor) leastDivergence() Range {
	base, width := t.base(), t.width()
	if width == 0 {
		return Range{}
	}
	zero := -base / width // in bins
	ends := func(lo, hi int) (first, end int) {
		return int(math.Round(zero - zero*float64(lo)/clipSteps)), int(math.Round(zero + (Bins-zero)*float64(hi)/clipSteps))
	}
	lo, hi := clipSteps, clipSteps
	best := t.divergence(0, Bins)
	for moved := true; moved; {
		moved = false
		for i := 1; i <= clipSteps; i++ {
			if d := t.divergence(ends(lo, i)); d < best {
				best, hi, moved = d, i, true
			}
		}
		for i := 1; i <= clipSteps; i++ {
			if d := t.divergence(ends(i, hi)); d < best {
				best, lo, moved = d, i, true
			}
		}
	}
	first, end := ends(lo, hi)
	return Range{float32(base + width*float64(first)), float32(base + width*float64(end))}
}

// divergence is Σ p·log(p/q) over the bins [first, end), where p has the values
// outside in its outermost bins and q spreads each level's values inside evenly
// over its bins that are not empty. Zeros, which quantization keeps exact, are
// left out of both.
func (t *Tensor) divergence(first, end int) float64 {
	n := end - first
	if n < levels+1 {
		return math.Inf(1)
	}
	p, q := make([]float64, n), make([]float64, n)
	total, inside := 0.0, 0.0
	for b, count := range t.Histogram {
		p[min(max(b-first, 0), n-1)] += float64(count)
		total += float64(count)
		if b >= first && b < end {
			inside += float64(count)
		}
	}
	if inside == 0 {
		return math.Inf(1)
	}
	for level := range levels + 1 {
		t.spread(q, first, level*n/(levels+1), (level+1)*n/(levels+1))
	}
	d := 0.0
	for i, v := range p {
		switch {
		case v == 0:
		case q[i] == 0:
			// Only an outermost bin can get here: what was cut off fell into a bin that
			// is empty. Half a value keeps the logarithm finite.
			d += v / total * math.Log(v/total*inside/0.5)
		default:
			d += v / total * math.Log(v/total*inside/q[i])
		}
	}
	return d
}

// spread gives the bins [lo, hi) of q, counted from first, the mean of those of
// the histogram that are not empty.
func (t *Tensor) spread(q []float64, first, lo, hi int) {
	sum, used := uint64(0), 0
	for _, count := range t.Histogram[first+lo : first+hi] {
		sum += count
		if count > 0 {
			used++
		}
	}
	for i := lo; i < hi; i++ {
		if t.Histogram[first+i] > 0 {
			q[i] = float64(sum) / float64(used)
		}
	}
}
