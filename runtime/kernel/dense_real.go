package kernel

import "math"

// DenseReal is a fully connected layer of uint8 tensors, Batch rows of K inputs
// times N filters of K weights. Its definition differs from that of Dense: the
// int32 accumulator is scaled in float64 and rounded half away from zero.
type DenseReal struct {
	Batch, K, N        int
	InZero, WeightZero int32 // within uint8
	Weights            []uint8
	Bias               []int32 // per filter, or nil
	Scale              float64 // from accumulator to output
	Zero, Min, Max     int32   // of the output

	folded []int32 // bias − InZero·Σ(weights − WeightZero)
}

// Prepare completes the block.
func (d *DenseReal) Prepare() {
	d.folded = make([]int32, d.N)
	for n := range d.folded {
		d.folded[n] = d.InZero * d.WeightZero * int32(d.K)
		for _, w := range d.Weights[n*d.K : (n+1)*d.K] {
			d.folded[n] -= d.InZero * int32(w)
		}
		if d.Bias != nil {
			d.folded[n] += d.Bias[n]
		}
	}
}

// RunDenseReal computes the layer. O has the range from Min to Max.
func RunDenseReal[O uint8 | int16](d *DenseReal, in []uint8, out []O) {
	for b := range d.Batch {
		x := in[b*d.K : (b+1)*d.K]
		var shift int32
		for _, v := range x {
			shift -= d.WeightZero * int32(v)
		}
		for n := range d.N {
			acc := d.folded[n] + shift + dotUnsigned(x, d.Weights[n*d.K:(n+1)*d.K])
			out[b*d.N+n] = O(d.requantize(acc))
		}
	}
}

// requantize scales an accumulator. The sum is exact in float64 wherever the
// clamp does not decide.
func (d *DenseReal) requantize(acc int32) int32 {
	v := math.Round(float64(float64(acc)*d.Scale)) + float64(d.Zero)
	return int32(min(max(v, float64(d.Min)), float64(d.Max)))
}

// dotUnsigned is Σ x·w.
func dotUnsigned(x, w []uint8) int32 {
	w = w[:len(x)]
	var a int32
	for i, v := range x {
		a += int32(v) * int32(w[i])
	}
	return a
}
