package graph

import (
	"fmt"
	"slices"

	"kedge/runtime/tensor"
)

// Dequantize returns the float graph that an int8 graph approximates: every
// quantized constant becomes Scale × (q − ZeroPoint), every activation
// float32. A float graph is copied. It is where retraining starts when only the
// deployed file is at hand.
func (g *Graph) Dequantize() (*Graph, error) {
	out := &Graph{
		Name: g.Name, Description: g.Description,
		Tensors: slices.Clone(g.Tensors), Nodes: slices.Clone(g.Nodes),
		Inputs: slices.Clone(g.Inputs), Outputs: slices.Clone(g.Outputs),
	}
	for i := range out.Tensors {
		if err := out.Tensors[i].dequantize(); err != nil {
			return nil, fmt.Errorf("%s: %w", g.label(TensorID(i)), err)
		}
	}
	if err := out.Infer(); err != nil {
		return nil, err
	}
	return out, nil
}

func (t *Tensor) dequantize() error {
	t.Shape = slices.Clone(t.Shape)
	if t.Type == tensor.Float32 {
		t.Float = slices.Clone(t.Float)
		return nil
	}
	if len(t.Quant.Scales) == 0 {
		return fmt.Errorf("%w: %v without quantization parameters", ErrUnsupported, t.Type)
	}
	if t.IsConstant() {
		values, err := t.reals()
		if err != nil {
			return err
		}
		t.Float = values
	}
	t.Type, t.Quant, t.Int8, t.Int32 = tensor.Float32, tensor.Quant{}, nil, nil
	return nil
}

// reals gives a quantized constant's values as real numbers.
func (t *Tensor) reals() ([]float32, error) {
	n := len(t.Int8) + len(t.Int32)
	q := t.Quant
	channels, inner := 1, n
	if q.PerChannel() {
		if q.Dim < 0 || q.Dim >= len(t.Shape) || t.Shape[q.Dim] != len(q.Scales) {
			return nil, fmt.Errorf("%w: %d scales along dimension %d of %v", ErrInvalid, len(q.Scales), q.Dim, t.Shape)
		}
		channels = len(q.Scales)
		inner, _ = t.Shape[q.Dim+1:].Elements()
	}
	out := make([]float32, n)
	for i := range out {
		c := 0
		if channels > 1 {
			c = i / inner % channels
		}
		zero := int64(0)
		if len(q.ZeroPoints) > 0 {
			zero = int64(q.ZeroPoints[c])
		}
		v := int64(0)
		if t.Int8 != nil {
			v = int64(t.Int8[i])
		} else {
			v = int64(t.Int32[i])
		}
		// In float64: int32 biases have more digits than a float32.
		out[i] = float32(float64(q.Scales[c]) * float64(v-zero))
	}
	return out, nil
}
