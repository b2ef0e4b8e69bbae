package kernel

import (
	"encoding/binary"
	"math"
)

// linearParams is requantization by float32 for outputs whose lower bound is not
// below their zero point, as after a ReLU. There only sums ≥ 0 count, for which the
// two roundings of the definition are one: a result is at least k where
//
//	sum·m + c ≥ (k−zero)·2^(31+e),  c = 2^30, and 2^(30+e) for e > 0
//
// as nested floors. In units of 2^−(31+e) that is the line sum·m + c + zero·2^(31+e)
// and the edges k·2^(31+e). The sum's bias takes the line's whole multiples of m, so
// that less than m is left as offset; m is the sum of two float32, the lower within
// ±64, and the offset is cut to 24 bits.
//
// A kernel computes X·high + (X·low + offset) and rounds it down, which is exact
// but for the rounding of what is in brackets and the cut: below 2^31 + 2^30 and 2^7,
// hence less than linearError off while |X| ≤ 2^24, where X is the sum itself. The
// result is right if at no edge k the line comes that close, for the last sum below
// it and the first that is not, which linear goes through. Sums farther away are
// beyond the bounds in any case, as all edges must be reached before 2^23.
//
// Like vnniParams it returns six vectors for 16 channels: bias, high, low, offset,
// one that is not used, and -1, which no shift is; nil where it is not exact.
func linearParams(p []channel, o *Output) []byte {
	if o.Min < o.Zero {
		return nil
	}
	out := make([]byte, 24*len(p))
	for i, c := range p {
		bias, offset, ok := c.linear(o)
		if !ok {
			return nil
		}
		high := (int64(c.m) + 64) &^ 127 // up to 2^31
		unit := math.Ldexp(1, int(-31-c.shift))
		at := out[i/16*384+i%16*4:]
		binary.LittleEndian.PutUint32(at, uint32(bias))
		binary.LittleEndian.PutUint32(at[320:], math.MaxUint32)
		for f, v := range [3]int64{high, int64(c.m) - high, offset} {
			binary.LittleEndian.PutUint32(at[64*(1+f):], math.Float32bits(float32(float64(v)*unit)))
		}
	}
	return out
}

// linearError is how close to an edge the computed line can be on the wrong side.
const linearError = 512

// linear returns the channel's bias with the multiples of its multiplier, the
// offset that is left, and whether the form is exact.
func (c channel) linear(o *Output) (bias int32, offset int64, ok bool) {
	m, edge := int64(c.m), int64(1)<<uint(31+c.shift)
	half := int64(1) << 30
	if c.shift > 0 {
		half += edge / 2
	}
	line := half + int64(o.Zero)*edge // at sum 0
	n, offset := line/m, line%m
	if offset < 0 {
		n, offset = n-1, offset+m
	}
	if most := int64(max(-o.Min, o.Max) + 1); most*edge/m >= 1<<23 {
		return 0, 0, false
	}
	// How far the first sum at or beyond an edge is beyond it, edge by edge.
	over := remainder(line-int64(o.Min+1)*edge, m)
	step := remainder(-edge, m)
	for range o.Max - o.Min {
		if over < linearError || m-over < linearError {
			return 0, 0, false
		}
		if over += step; over >= m {
			over -= m
		}
	}
	return int32(int64(c.bias) + n), offset &^ 127, true
}

// remainder is v mod m, at least 0.
func remainder(v, m int64) int64 {
	if v %= m; v < 0 {
		v += m
	}
	return v
}
