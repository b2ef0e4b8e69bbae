package op

import "math"

// lut16 tabulates a function of int16 in 512 linear pieces: the upper 9 bits of
// the argument choose the piece, the lower 7 interpolate.
type lut16 [513]int16

// newLUT16 tabulates f between two real values onto outputs of the given range,
// in float32 throughout. Each sample is moved by half the error that
// interpolation would have in the middle of its piece.
func newLUT16(f func(float32) float32, inMin, inMax, outMin, outMax float32) *lut16 {
	const pieces = 512
	var t lut16
	step := float32((inMax - inMin) / pieces)
	half := float32(step / 2)
	inv := float32(65536 / float32(outMax-outMin))
	scaled := func(x float32) float32 { return float32(f(x) * inv) }
	for i := range pieces {
		x := float32(inMin + float32(float32(i)*step))
		sample := roundf(scaled(x))
		next := scaled(float32(inMin + float32(float32(i+1)*step)))
		interpolated := roundf(float32(next+sample) / 2)
		middle := roundf(scaled(float32(x + half)))
		bias := roundf(float32(interpolated-middle) / 2)
		t[i] = saturate16(sample - bias)
	}
	t[pieces] = saturate16(roundf(scaled(inMax)))
	return &t
}

func roundf(x float32) float32 { return float32(math.Round(float64(x))) }

func saturate16(x float32) int16 { return int16(min(max(x, -32768), 32767)) }

// at is the table's value for v.
func (t *lut16) at(v int16) int16 {
	i := 256 + int(v>>7)
	slope := int32(t[i+1]) - int32(t[i])
	return t[i] + int16((int32(int16(slope))*int32(v&0x7f)+64)>>7)
}
