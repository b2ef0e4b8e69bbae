package ptq

import (
	"fmt"
	"math"
	"slices"
)

// channelScales gives one symmetric scale for each of the equally long
// channels of w (one scale altogether when perTensor), and quantizes w with
// them. bias may be nil; inputScale is the scale of the operator's input.
//
// The rounding is that of Google's converter, to the bit: the factor
// 127/absmax is rounded to float32, the product too, and halves go away from
// zero.
func channelScales(w, bias []float32, channels int, inputScale float32, perTensor bool) ([]int8, []float32, error) {
	size := len(w) / channels
	limits := make([]float32, channels)
	for c := range limits {
		limits[c] = widen(absMax(w[c*size:(c+1)*size]), bias, c, inputScale)
	}
	if perTensor {
		limits = []float32{slices.Max(limits)}
		size = len(w)
	}
	fillDead(limits)
	q, scales := make([]int8, len(w)), make([]float32, len(limits))
	for c, limit := range limits {
		scales[c] = limit / 127
		factor := 127 / limit
		if scales[c] == 0 || math.IsInf(float64(factor), 0) {
			return nil, nil, fmt.Errorf("%w: channel %d has weights up to %v, too small for a float32 scale", ErrRange, c, limit)
		}
		for i := c * size; i < (c+1)*size; i++ {
			q[i] = int8(min(max(math.Round(float64(float32(w[i]*factor))), -127), 127))
		}
	}
	return q, scales, nil
}

func absMax(w []float32) float32 {
	top := float32(0)
	for _, v := range w {
		top = max(top, v, -v)
	}
	return top
}

// maxBias is the largest bias that int32 holds symmetrically.
const maxBias = 1<<31 - 1

// widen raises a channel's weight range until its bias, counted in units of
// inputScale × weight scale, stays within half of int32: a channel with tiny
// weights and a real bias would otherwise overflow (the converter's
// AdjustWeightsForBiasScale).
func widen(limit float32, bias []float32, c int, inputScale float32) float32 {
	if bias == nil {
		return limit
	}
	b := math.Abs(float64(bias[c]))
	unit := float64(inputScale) * float64(limit) / 127
	if b == 0 || b < 0.5*unit*maxBias {
		return limit
	}
	return float32(2 * b / maxBias * 127 / float64(inputScale))
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

// quantizeBias expresses bias in units of inputScale × the channel's weight
// scale, in float32 like the converter, saturating symmetrically.
func quantizeBias(bias, scales []float32, inputScale float32) (q []int32, biasScales []float32) {
	biasScales = make([]float32, len(scales))
	for c, s := range scales {
		biasScales[c] = inputScale * s
	}
	q = make([]int32, len(bias))
	for i, b := range bias {
		unit := biasScales[0]
		if len(biasScales) > 1 {
			unit = biasScales[i]
		}
		if unit == 0 { // underflowed: the bias is below anything representable
			continue
		}
		inverse := float32(1 / float64(unit))
		q[i] = int32(min(max(math.Round(float64(float32(b*inverse))), -maxBias), maxBias))
	}
	return q, biasScales
}
