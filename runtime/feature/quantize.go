package feature

import (
	"fmt"
	"math"
)

// Quantize writes x as int8 into dst, which holds one byte for each element (the
// memory of a model's input): round(x/scale) + zeroPoint, ties away from zero,
// clamped. These are the bytes of the operator QUANTIZE for finite numbers; any
// other is an error that wraps ErrNotFinite.
func Quantize(dst []byte, x []float32, scale float32, zeroPoint int32) error {
	if len(dst) != len(x) {
		return fmt.Errorf("quantize: %d values into %d bytes", len(x), len(dst))
	}
	if !(scale > 0) || !finite(float64(scale)) {
		return fmt.Errorf("quantize: scale %v: must be a finite number above 0", scale)
	}
	for i, v := range x {
		if !finite(float64(v)) {
			return fmt.Errorf("quantize: value %d: %v: %w", i, v, ErrNotFinite)
		}
		// Both terms are integers, or so large that the clamp decides.
		q := math.Round(float64(v/scale)) + float64(zeroPoint)
		dst[i] = byte(int8(min(max(q, -128), 127)))
	}
	return nil
}
