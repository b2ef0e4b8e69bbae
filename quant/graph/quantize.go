package graph

import (
	"fmt"
	"math"
	"slices"

	"kedge/runtime/tensor"
)

// Quantize turns real numbers into integers of type To: round(x/scale) + zero
// point, halves to even, saturated; Quant may be per-channel. The executor
// holds the integers as float32 values. Its output tensor has type To.
type Quantize struct {
	To    tensor.Type // Int8, Uint8 or Int16
	Quant tensor.Quant
}

// Name implements Op.
func (Quantize) Name() string { return "QUANTIZE" }

func (op Quantize) infer(g *Graph, n *Node) ([]tensor.Shape, error) {
	in, err := operands(g, n, 1)
	if err != nil {
		return nil, err
	}
	if op.To != tensor.Int8 && op.To != tensor.Uint8 && op.To != tensor.Int16 {
		return nil, fmt.Errorf("%w: to %v, want int8, uint8 or int16", ErrInvalid, op.To)
	}
	if err := checkQuant(op.Quant, op.To, in[0].Shape); err != nil {
		return nil, err
	}
	for _, id := range n.Outputs {
		if id >= 0 && int(id) < len(g.Tensors) && g.Tensor(id).Type != op.To {
			return nil, fmt.Errorf("%w: %s is %v, want %v", ErrInvalid, g.label(id), g.Tensor(id).Type, op.To)
		}
	}
	return []tensor.Shape{slices.Clone(in[0].Shape)}, nil
}

func (op Quantize) eval(e *Executor, n *Node) {
	lo, hi, _ := op.To.Range()
	y := e.values[n.Outputs[0]]
	channels(op.Quant, e.g.Tensor(n.Inputs[0]).Shape, e.values[n.Inputs[0]], func(at int, x []float32, scale float32, zero int32) {
		for i, v := range x {
			// The division in float32, as ONNX and XNNPACK define it.
			q := math.RoundToEven(float64(v/scale)) + float64(zero)
			y[at+i] = float32(min(max(q, float64(lo)), float64(hi)))
		}
	})
}

// Dequantize turns integers back into real numbers: scale·(q − zero point). Its
// input is an integer tensor, computed or constant.
type Dequantize struct {
	Quant tensor.Quant
}

// Name implements Op.
func (Dequantize) Name() string { return "DEQUANTIZE" }

func (op Dequantize) infer(g *Graph, n *Node) ([]tensor.Shape, error) {
	in, err := operands(g, n, 1)
	if err != nil {
		return nil, err
	}
	if _, _, ok := in[0].Type.Range(); !ok {
		return nil, fmt.Errorf("%w: %s is %v, want int8, uint8, int16 or int32", ErrInvalid, g.label(n.Inputs[0]), in[0].Type)
	}
	if err := checkQuant(op.Quant, in[0].Type, in[0].Shape); err != nil {
		return nil, err
	}
	return []tensor.Shape{slices.Clone(in[0].Shape)}, nil
}

func (op Dequantize) eval(e *Executor, n *Node) {
	y := e.values[n.Outputs[0]]
	channels(op.Quant, e.g.Tensor(n.Inputs[0]).Shape, e.values[n.Inputs[0]], func(at int, x []float32, scale float32, zero int32) {
		for i, v := range x {
			// In float64, where difference and product of such numbers are exact.
			y[at+i] = float32(float64(scale) * (float64(v) - float64(zero)))
		}
	})
}

// checkQuant checks parameters for a tensor of that type and shape.
func checkQuant(q tensor.Quant, t tensor.Type, shape tensor.Shape) error {
	if len(q.Scales) == 0 {
		return fmt.Errorf("%w: no scale, want at least 1", ErrInvalid)
	}
	if q.PerChannel() && (q.Dim < 0 || q.Dim >= len(shape) || shape[q.Dim] != len(q.Scales)) {
		return fmt.Errorf("%w: %d scales along dimension %d of %v", ErrInvalid, len(q.Scales), q.Dim, shape)
	}
	for i, s := range q.Scales {
		if !(s > 0) || math.IsInf(float64(s), 1) {
			return fmt.Errorf("%w: scale %d is %v, want a positive number", ErrInvalid, i, s)
		}
	}
	if n := len(q.ZeroPoints); n != 0 && n != len(q.Scales) {
		return fmt.Errorf("%w: %d zero points for %d scales", ErrInvalid, n, len(q.Scales))
	}
	lo, hi, _ := t.Range()
	for i, z := range q.ZeroPoints {
		if z < lo || z > hi {
			return fmt.Errorf("%w: zero point %d is %d, want %d to %d of %v", ErrInvalid, i, z, lo, hi, t)
		}
	}
	return nil
}

// channels hands x to f in pieces of one scale each, with their offsets.
func channels(q tensor.Quant, shape tensor.Shape, x []float32, f func(at int, piece []float32, scale float32, zero int32)) {
	size := len(x)
	if q.PerChannel() {
		size = block(shape, q.Dim+1)
	}
	for i, at := 0, 0; at < len(x); i, at = i+1, at+size {
		c, zero := i%len(q.Scales), int32(0)
		if len(q.ZeroPoints) > 0 {
			zero = q.ZeroPoints[c]
		}
		f(at, x[at:at+size], q.Scales[c], zero)
	}
}
