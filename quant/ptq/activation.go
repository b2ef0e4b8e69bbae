package ptq

import (
	"fmt"
	"math"

	"kedge/quant/calib"
	"kedge/runtime/tensor"
)

// Asymmetric gives the int8 parameters that cover r, widened to contain zero:
// scale = (max − min)/255 and a zero point in [−128, 127] that makes real 0
// exact. Of the two zero points that min and max suggest, the one with the
// smaller rounding error is taken, as TFLite's converter does. A range of zero
// width gets scale 1, so that no consumer divides by zero.
func Asymmetric(r calib.Range) (tensor.Quant, error) {
	lo, hi, err := ends(r)
	if err != nil {
		return tensor.Quant{}, err
	}
	if lo == hi {
		return fixed(1, 0), nil
	}
	const qmin, qmax = -128, 127
	scale := (hi - lo) / (qmax - qmin)
	if float32(scale) == 0 || math.IsInf(float64(float32(scale)), 0) {
		return tensor.Quant{}, fmt.Errorf("%w: %v to %v has no float32 scale", ErrRange, r.Min, r.Max)
	}
	fromMin, fromMax := qmin-lo/scale, qmax-hi/scale
	zero := fromMax
	if -qmin+math.Abs(lo/scale) < qmax+math.Abs(hi/scale) {
		zero = fromMin
	}
	zero = min(max(math.Round(zero), qmin), qmax)
	return fixed(float32(scale), int32(zero)), nil
}

// Symmetric gives the int16 parameters that cover r: zero point 0, as TFLite's
// 16x8 form demands, and scale = max(|min|, |max|)/32767. A range of zero width
// gets scale 1.
func Symmetric(r calib.Range) (tensor.Quant, error) {
	lo, hi, err := ends(r)
	if err != nil {
		return tensor.Quant{}, err
	}
	if lo == hi {
		return fixed(1, 0), nil
	}
	scale := float32(max(-lo, hi) / math.MaxInt16)
	if scale == 0 {
		return tensor.Quant{}, fmt.Errorf("%w: %v to %v has no float32 scale", ErrRange, r.Min, r.Max)
	}
	return fixed(scale, 0), nil
}

// ends widens r to contain zero.
func ends(r calib.Range) (lo, hi float64, err error) {
	lo, hi = math.Min(float64(r.Min), 0), math.Max(float64(r.Max), 0)
	if math.IsNaN(lo) || math.IsNaN(hi) || math.IsInf(lo, 0) || math.IsInf(hi, 0) {
		return 0, 0, fmt.Errorf("%w: %v to %v", ErrRange, r.Min, r.Max)
	}
	return lo, hi, nil
}
