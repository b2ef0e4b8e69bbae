package eval

import (
	"encoding/binary"
	"math"

	"kedge/runtime"
)

// convertible reports whether encode and decode know a tensor: float32, or
// integers of 8 or 16 bits with one scale.
func convertible(t runtime.TensorInfo) bool {
	switch t.Type {
	case runtime.Float32:
		return true
	case runtime.Int8, runtime.Uint8, runtime.Int16:
		return len(t.Scales) == 1 && t.Scales[0] > 0
	}
	return false
}

// elements is the number of values in a convertible tensor.
func elements(t runtime.TensorInfo) int {
	if bytes := t.Type.Bits() / 8; bytes > 0 {
		return t.Bytes / bytes
	}
	return 0
}

// encode quantizes real numbers the way the QUANTIZE operator does: x/scale in
// float32, halves away from zero, saturated.
func encode(to []byte, info runtime.TensorInfo, x []float32) {
	if info.Type == runtime.Float32 {
		for i, v := range x {
			binary.LittleEndian.PutUint32(to[4*i:], math.Float32bits(v))
		}
		return
	}
	lo, hi, _ := info.Type.Range()
	scale, zero := info.Scales[0], float64(zeroPoint(info))
	for i, v := range x {
		q := int32(min(max(math.Round(float64(float32(v/scale)))+zero, float64(lo)), float64(hi)))
		if info.Type == runtime.Int16 {
			binary.LittleEndian.PutUint16(to[2*i:], uint16(q))
		} else {
			to[i] = byte(q)
		}
	}
}

// decode gives the real numbers that a tensor's bytes stand for.
func decode(to []float32, info runtime.TensorInfo, from []byte) {
	if info.Type == runtime.Float32 {
		for i := range to {
			to[i] = math.Float32frombits(binary.LittleEndian.Uint32(from[4*i:]))
		}
		return
	}
	scale, zero := info.Scales[0], zeroPoint(info)
	for i := range to {
		to[i] = scale * float32(integer(info.Type, from, i)-zero)
	}
}

// integer is element i of a tensor of 8 or 16 bits.
func integer(t runtime.DataType, p []byte, i int) int32 {
	switch t {
	case runtime.Uint8:
		return int32(p[i])
	case runtime.Int16:
		return int32(int16(binary.LittleEndian.Uint16(p[2*i:])))
	}
	return int32(int8(p[i]))
}

func zeroPoint(info runtime.TensorInfo) int32 {
	if len(info.ZeroPoints) == 0 {
		return 0
	}
	return info.ZeroPoints[0]
}
