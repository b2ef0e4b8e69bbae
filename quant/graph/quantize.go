package graph

import "kedge/runtime/tensor"

// Quantize turns real numbers into integers of type To: round(x/scale) + zero
// point, halves to even, saturated; Quant may be per-channel. The executor
// holds the integers as float32 values.
type Quantize struct {
	To    tensor.Type // Int8, Uint8 or Int16
	Quant tensor.Quant
}

// Name implements Op.
func (Quantize) Name() string { return "QUANTIZE" }

// Dequantize turns integers back into real numbers: scale·(q − zero point).
type Dequantize struct {
	Quant tensor.Quant
}

// Name implements Op.
func (Dequantize) Name() string { return "DEQUANTIZE" }
