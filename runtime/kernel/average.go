package kernel

import "kedge/runtime/fixed"

// averageWeight stands for one in the sums, whose factor is smaller in turn:
// between its two roundings they keep enough places that no sum is taken for a
// tie that is none.
const averageWeight = 64

// maxAverage bounds the window whose mean is taken by a multiplication: the
// check of every possible sum is part of loading a model.
const maxAverage = 1 << 10

// PrepareAverage returns the mean over windows that lie within the image, as a
// depthwise convolution with equal weights: the sum, times a factor for 1/n that
// gives what division by n rounded half away from zero gives, for every sum that
// n bytes can have. It is nil where there is no such factor, or where the set's
// own loops would not be faster than sums in plain Go.
func (s *Set) PrepareAverage(w Window, channels int, lo, hi int32, take Take) *Depthwise {
	n := w.KernelH * w.KernelW
	if s.engine == nil || n < 1 || n > maxAverage || !w.within() || !take(channels*(n+8)) {
		return nil
	}
	m, ok := inverse(n)
	if !ok {
		return nil
	}
	d := &Depthwise{Window: w, InC: channels, OutC: channels, Multiplier: 1,
		Weights: make([]int8, n*channels), Output: Output{Multipliers: make([]fixed.Multiplier, channels), Min: lo, Max: hi}}
	for i := range d.Weights {
		d.Weights[i] = averageWeight
	}
	for i := range d.Output.Multipliers {
		d.Output.Multipliers[i] = m
	}
	if s.PrepareDepthwise(d, take); d.layer == nil {
		return nil
	}
	d.Weights = nil // the layer has them packed
	return d
}

// inverse is the factor by which sums of n bytes are divided by n. It is rounded
// up, so that ties fall away from zero.
func inverse(n int) (fixed.Multiplier, bool) {
	m := fixed.Quantize(1 / float64(averageWeight*n))
	if m.M < 1<<31-1 && n&(n-1) != 0 {
		m.M++
	}
	for sum := int32(-128 * n); sum <= int32(127*n); sum++ {
		half := int32(n / 2)
		if sum <= 0 {
			half = -half
		}
		if m.Apply(averageWeight*sum) != (sum+half)/int32(n) {
			return m, false
		}
	}
	return m, true
}
