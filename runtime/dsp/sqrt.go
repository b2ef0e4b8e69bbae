package dsp

import "math"

// Sqrt is the square root of x, rounded to the nearest integer, except that the
// root of what fits in 32 bits is at most 2^16 − 1.
func Sqrt(x uint64) uint32 {
	root := uint64(0)
	for bit := uint64(1) << 31; bit > 0; bit >>= 1 {
		if t := root | bit; t*t <= x {
			root = t
		}
	}
	most := uint64(math.MaxUint32)
	if x <= math.MaxUint32 {
		most = math.MaxUint16
	}
	// The nearest is the next one from root + ½ on, which is a remainder above root.
	if x-root*root > root && root != most {
		root++
	}
	return uint32(root)
}
