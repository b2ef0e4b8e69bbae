package tensor

// Quant holds the parameters of affine quantization: real = Scale·(q − ZeroPoint).
// One pair is per-tensor; several are per-channel along dimension Dim. An empty
// Scales means the tensor is not quantized.
type Quant struct {
	Scales     []float32
	ZeroPoints []int32 // empty, or one for each scale
	Dim        int
}

// Scale is the per-tensor scale, 0 when the tensor is not quantized.
func (q Quant) Scale() float32 {
	if len(q.Scales) == 0 {
		return 0
	}
	return q.Scales[0]
}

// ZeroPoint is the per-tensor zero point, 0 when none is given.
func (q Quant) ZeroPoint() int32 {
	if len(q.ZeroPoints) == 0 {
		return 0
	}
	return q.ZeroPoints[0]
}

// PerChannel reports whether there is more than one scale.
func (q Quant) PerChannel() bool { return len(q.Scales) > 1 }
