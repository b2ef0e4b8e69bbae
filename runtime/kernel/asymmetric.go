package kernel

import "slices"

// Weights with a zero point stand for differences of nine bits. An engine takes
// each as a sum of two numbers of eight that meet the same activations: the layer
// becomes a symmetric one whose windows have every run twice. Where all
// differences have eight bits the second half is left out.

// differences are w − zero in one or two parts, each as long as the weights, or
// nil where they do not fit or take does not grant the memory. Neither part has
// a −128, which some engines do not take.
func differences(weights []int8, zero int32, take Take) [][]int8 {
	const most = 127
	if !take(2 * len(weights)) {
		return nil
	}
	low, high := make([]int8, len(weights)), make([]int8, len(weights))
	parts := 1
	for i, w := range weights {
		v := int32(w) - zero
		first := min(max(v, -most), most)
		if v-first < -most || v-first > most {
			return nil
		}
		low[i], high[i] = int8(first), int8(v-first)
		if v != first {
			parts = 2
		}
	}
	return [][]int8{low, high}[:parts]
}

// symmetric is the convolution with symmetric weights [OutC][parts][...], or nil.
func (c *Conv) symmetric(take Take) (sym *Conv, parts int) {
	if c.WeightZero == 0 {
		return c, 1
	}
	ds := differences(c.Weights, c.WeightZero, take)
	if ds == nil {
		return nil, 0
	}
	s := *c
	s.WeightZero, s.Weights = 0, ds[0]
	if k := len(c.Weights) / c.OutC; len(ds) == 2 {
		s.Weights = make([]int8, 0, 2*len(c.Weights))
		for at := 0; at < len(c.Weights); at += k {
			s.Weights = append(append(s.Weights, ds[0][at:at+k]...), ds[1][at:at+k]...)
		}
	}
	return &s, len(ds)
}

// symmetric is the layer with symmetric weights [parts][taps][OutC], or nil.
func (d *Depthwise) symmetric(take Take) (sym *Depthwise, parts int) {
	if d.WeightZero == 0 {
		return d, 1
	}
	ds := differences(d.Weights, d.WeightZero, take)
	if ds == nil {
		return nil, 0
	}
	s := *d
	s.WeightZero, s.Weights = 0, slices.Concat(ds...)
	return &s, len(ds)
}

// repeated are windows with every run n times, one after all others.
func (s bands) repeated(n int) bands {
	s.reach = slices.Repeat(s.reach, n)
	return s
}
