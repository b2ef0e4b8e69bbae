package drift

import "math"

// LatticeSize is the number of steps into which the unit interval is divided.
// TFLite fixes the int8 softmax output to scale 1/256 and zero point -128, so a
// quantized model's probabilities lie exactly on this lattice.
const LatticeSize = 256

// Quantize maps x to its lattice step clamp(floor(256*x), 0, 255). x must not be
// NaN; infinities clamp.
func Quantize(x float64) uint8 {
	// Compared as floats first: converting an out-of-range float to an integer is
	// implementation-defined.
	q := math.Floor(x * LatticeSize)
	switch {
	case q <= 0:
		return 0
	case q >= LatticeSize-1:
		return LatticeSize - 1
	default:
		return uint8(q)
	}
}

// finite reports whether x is neither NaN nor an infinity.
func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
