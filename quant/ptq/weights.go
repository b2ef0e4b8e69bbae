package ptq

import (
	"fmt"
	"math"
	"slices"

	"kedge/runtime/tensor"
)

// layout is how the values of a constant belong to channels: channel c has
// element i where i/inner mod channels = c.
type layout struct{ axis, channels, inner int }

// alongAxis is the layout of channels along a dimension of a shape that Infer
// has accepted.
func alongAxis(s tensor.Shape, axis int) layout {
	inner, _ := s[axis+1:].Elements()
	return layout{axis, s[axis], inner}
}

// of is the channel of element i.
func (l layout) of(i int) int { return i / l.inner % l.channels }

// channelLimits gives the greatest magnitude that the int8 weights of each
// channel have to represent, or of all channels when perTensor; the scale is a
// 127th. bias may be nil; inputScale is the scale of the operator's input.
func channelLimits(w, bias []float32, l layout, inputScale float32, perTensor bool) ([]float32, error) {
	limits := absMax(w, l)
	for c := range limits {
		limits[c] = widen(limits[c], bias, c, inputScale)
	}
	if perTensor {
		limits = []float32{slices.Max(limits)}
	}
	fillDead(limits)
	for c, limit := range limits {
		if limit/127 == 0 || math.IsInf(float64(127/limit), 0) || math.IsInf(float64(limit), 0) {
			return nil, fmt.Errorf("%w: channel %d has weights up to %v, beyond a float32 scale", ErrRange, c, limit)
		}
	}
	return limits, nil
}

// quantizeWeights rounds w to int8 with one limit, or one for each channel, and
// gives the scales.
//
// The rounding is that of Google's converter, to the bit: the factor
// 127/limit is rounded to float32, the product too, and halves go away from
// zero.
func quantizeWeights(w, limits []float32, l layout) (q []int8, scales []float32) {
	q, scales = make([]int8, len(w)), make([]float32, len(limits))
	factors := make([]float32, len(limits))
	for c, limit := range limits {
		scales[c], factors[c] = limit/127, 127/limit
	}
	for i, v := range w {
		factor := factors[0]
		if len(factors) > 1 {
			factor = factors[l.of(i)]
		}
		q[i] = int8(min(max(math.Round(float64(float32(v*factor))), -127), 127))
	}
	return q, scales
}

// absMax is the greatest magnitude in each channel.
func absMax(w []float32, l layout) []float32 {
	limits := make([]float32, l.channels)
	for i, v := range w {
		c := l.of(i)
		limits[c] = max(limits[c], v, -v)
	}
	return limits
}

// maxBias is the largest bias that int32 holds symmetrically.
const maxBias = 1<<31 - 1

// widen raises a channel's weight range until its bias, counted in units of
// inputScale × weight scale, stays within half of int32: a channel with tiny
// weights and a real bias would otherwise overflow (the converter's
// AdjustWeightsForBiasScale, to the bit: 127/inputScale is rounded to float32).
func widen(limit float32, bias []float32, c int, inputScale float32) float32 {
	if bias == nil {
		return limit
	}
	b := math.Abs(float64(bias[c]))
	unit := float64(inputScale) * float64(limit) / 127
	if b == 0 || b < 0.5*unit*maxBias {
		return limit
	}
	return float32(2 * b / maxBias * float64(127/inputScale))
}

// fillDead gives channels whose weights and bias are all zero the widest range
// of the layer: any scale represents them, and this one keeps the layer's
// multipliers together. A layer of zeros gets scale 1.
func fillDead(limits []float32) {
	top := slices.Max(limits)
	if top == 0 {
		top = 127
	}
	for c := range limits {
		if limits[c] == 0 {
			limits[c] = top
		}
	}
}

// biasScales are the units of the bias: inputScale × the channel's weight scale.
func biasScales(scales []float32, inputScale float32) []float32 {
	units := make([]float32, len(scales))
	for c, s := range scales {
		units[c] = inputScale * s
	}
	return units
}

// quantizeBias expresses bias in units, one or one for each channel, in float32
// like the converter, saturating symmetrically.
func quantizeBias(bias, units []float32) []int32 {
	q := make([]int32, len(bias))
	for i, b := range bias {
		unit := units[min(i, len(units)-1)]
		if unit == 0 { // underflowed: the bias is below anything representable
			continue
		}
		inverse := float32(1 / float64(unit))
		q[i] = int32(min(max(math.Round(float64(float32(b*inverse))), -maxBias), maxBias))
	}
	return q
}

// quantizeWideBias is quantizeBias for the 64-bit sums of int16 activations,
// whose bias has more digits than a float32. The limit leaves the sum room.
func quantizeWideBias(bias, units []float32) []int64 {
	const limit = 1 << 46
	q := make([]int64, len(bias))
	for i, b := range bias {
		if unit := float64(units[min(i, len(units)-1)]); unit != 0 {
			q[i] = int64(min(max(math.Round(float64(b)/unit), -limit), limit))
		}
	}
	return q
}
