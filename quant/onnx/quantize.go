package onnx

import (
	"math"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// quantizeLinear makes integers of real numbers; of a constant at once.
func quantizeLinear(c *call) []*value {
	q, kind, ok := c.quantization(tensor.Uint8)
	if !ok {
		return nil
	}
	low, high := limits(kind)
	if c.in[0].isConstant() {
		if !c.in[0].isReal() {
			return c.invalid("input holds %v", c.in[0].Type)
		}
		return c.perChannel(q, kind, func(t *Tensor, i int, scale float32, zero int64) {
			v := math.RoundToEven(float64(c.in[0].Float[i]/scale)) + float64(zero)
			t.Int = append(t.Int, int64(min(max(v, low), high)))
		})
	}
	switch kind {
	case tensor.Int8, tensor.Uint8, tensor.Int16:
	default:
		return c.unsupported("an activation to %v", kind)
	}
	return c.result(c.emit(graph.Quantize{To: kind, Quant: q}, c.tensor(0)))
}

// dequantizeLinear makes real numbers of integers; of a constant at once.
func dequantizeLinear(c *call) []*value {
	v := c.in[0]
	q, _, ok := c.quantization(v.Type)
	if !ok {
		return nil
	}
	switch {
	case v.isConstant() && !v.isReal():
		return c.perChannel(q, tensor.Float32, func(t *Tensor, i int, scale float32, zero int64) {
			t.Float = append(t.Float, float32(float64(v.Int[i]-zero)*float64(scale)))
		})
	case v.isReal():
		return c.unsupported("of an activation that no QuantizeLinear made")
	}
	return c.result(c.emit(graph.Dequantize{Quant: q}, v.id))
}

// quantization reads inputs 1 and 2: scales and zero points, for the whole tensor
// or each element of the dimension axis. Without zero points they are 0 and of
// type absent.
func (c *call) quantization(absent tensor.Type) (q tensor.Quant, kind tensor.Type, ok bool) {
	scales, kind := c.in[1], absent
	if !scales.isConstant() || !scales.isReal() || c.has(2) && (!c.in[2].isConstant() || c.in[2].isReal()) {
		c.unsupported("scale or zero point that is not constant")
		return q, kind, false
	}
	q.Scales, q.ZeroPoints = scales.Float, make([]int32, len(scales.Float))
	if c.has(2) {
		kind = c.in[2].Type
		if len(c.in[2].Int) != len(q.Scales) {
			c.invalid("%d zero points for %d scales", len(c.in[2].Int), len(q.Scales))
			return q, kind, false
		}
	}
	low, high := limits(kind)
	for i, s := range q.Scales {
		if !(s > 0) || math.IsInf(float64(s), 0) {
			c.invalid("scale %v", s)
			return q, kind, false
		}
		if c.has(2) {
			z := c.in[2].Int[i]
			if float64(z) < low || float64(z) > high {
				c.invalid("zero point %d of %v", z, kind)
				return q, kind, false
			}
			q.ZeroPoints[i] = int32(z)
		}
	}
	if len(q.Scales) != 1 {
		s := c.shape(0)
		q.Dim = c.axis(c.integer("axis", 1), len(s))
		if c.err == nil && (len(scales.Shape) != 1 || s[q.Dim] != len(q.Scales)) {
			c.invalid("scales of shape %v along dimension %d of %v", scales.Shape, q.Dim, s)
		}
	}
	return q, kind, c.err == nil
}

// limits are the least and greatest values of an integer type, of those that
// zero points may have (int32 in biases).
func limits(t tensor.Type) (low, high float64) {
	switch t {
	case tensor.Uint8:
		return 0, math.MaxUint8
	case tensor.Int8:
		return math.MinInt8, math.MaxInt8
	case tensor.Uint16:
		return 0, math.MaxUint16
	case tensor.Int16:
		return math.MinInt16, math.MaxInt16
	}
	return math.MinInt32, math.MaxInt32
}

// perChannel makes a constant of input 0, element by element.
func (c *call) perChannel(q tensor.Quant, kind tensor.Type, convert func(t *Tensor, i int, scale float32, zero int64)) []*value {
	s := c.shape(0)
	n := c.in[0].length()
	t := &Tensor{Shape: s, Type: kind}
	cost := n
	if !t.isReal() {
		cost = 2 * n
	}
	if err := c.im.spent.spend(cost); err != nil {
		return c.fail(err)
	}
	if t.isReal() {
		t.Float = make([]float32, 0, n)
	} else {
		t.Int = make([]int64, 0, n)
	}
	inner := 1
	if len(q.Scales) > 1 {
		inner, _ = s[q.Dim+1:].Elements()
	}
	for i := range n {
		channel := i / inner % len(q.Scales)
		convert(t, i, q.Scales[channel], int64(q.ZeroPoints[channel]))
	}
	return []*value{constantValue(t)}
}
