package op

import (
	"fmt"
	"math"

	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// activation is the fused activation of the schema's ActivationFunctionType.
type activation byte

const (
	actNone activation = iota
	actRelu
	actReluN1To1
	actRelu6
)

// clamp is the range of quantized values that a fused activation leaves of the
// output's type. Bounds are rounded in float32, as the definition has it.
func (p *Prep) clamp(a activation, out operand) (lo, hi int32, err error) {
	lo, hi, _ = out.Type.Range()
	switch a {
	case actNone:
	case actRelu:
		lo = max(lo, quantizeBound(0, out.Quant, lo, hi))
	case actReluN1To1:
		lo, hi = max(lo, quantizeBound(-1, out.Quant, lo, hi)), min(hi, quantizeBound(1, out.Quant, lo, hi))
	case actRelu6:
		lo, hi = max(lo, quantizeBound(0, out.Quant, lo, hi)), min(hi, quantizeBound(6, out.Quant, lo, hi))
	default:
		return 0, 0, p.unsupported(operand{}, fmt.Sprintf("fused activation %d", a), "none, RELU, RELU_N1_TO_1 or RELU6")
	}
	return lo, hi, nil
}

// clampPlain is clamp for integers that are not quantized.
func (p *Prep) clampPlain(a activation) (lo, hi int32, err error) {
	unit := &tflite.Tensor{Type: tensor.Int32, Quant: tensor.Quant{Scales: []float32{1}}}
	return p.clamp(a, operand{Tensor: unit})
}

// quantizeBound is zero point + round(v/scale), within [lo, hi]; the scale is
// positive.
func quantizeBound(v float32, q tensor.Quant, lo, hi int32) int32 {
	n := math.Round(float64(v / q.Scale()))
	n += float64(q.ZeroPoint()) // both are integers: exact, or far beyond the range
	return int32(min(max(n, float64(lo)), float64(hi)))
}
