package onnx

import (
	"math"

	"kedge/runtime/tensor"
)

func identity(c *call) []*value { return c.in[:1] }

// cast converts constants; activations are real numbers before and after.
func cast(c *call) []*value {
	to, ok := types[c.integer("to", 0)]
	if !ok {
		return c.unsupported("to element type %d of TensorProto.DataType", c.integer("to", 0))
	}
	v := c.in[0]
	switch {
	case !v.isConstant() && !(v.isReal() && isReal(to)):
		return c.unsupported("of an activation from %v to %v", v.Type, to)
	case !v.isConstant() || v.Type == to:
		return c.in[:1]
	}
	if err := c.im.spent.spend(2 * v.length()); err != nil {
		return c.fail(err)
	}
	t := Tensor{Shape: v.Shape, Type: to, Float: v.Float, Int: v.Int}
	switch {
	case v.isReal() && !isReal(to):
		t.Float, t.Int = nil, make([]int64, len(v.Float))
		for i, x := range v.Float {
			if t.Int[i], ok = toInteger(x, to); !ok {
				return c.invalid("%v as %v", x, to)
			}
		}
	case !v.isReal() && isReal(to):
		t.Int, t.Float = nil, make([]float32, len(v.Int))
		for i, x := range v.Int {
			t.Float[i] = float32(x)
		}
	}
	return []*value{constantValue(&t)}
}

// toInteger rounds toward zero; as a truth value everything but 0 is 1.
func toInteger(x float32, to tensor.Type) (int64, bool) {
	if to == tensor.Bool {
		if x != 0 {
			return 1, true
		}
		return 0, true
	}
	if !(math.Abs(float64(x)) < 1<<62) {
		return 0, false
	}
	return int64(x), true
}

// dropout does nothing in inference; its second output, the mask, is not
// supported.
func dropout(c *call) []*value {
	if c.has(2) {
		training, ok := c.constantInts(2)
		if !ok {
			return nil
		}
		ratio := float32(0.5)
		if c.has(1) {
			ratio, _ = c.realScalar(1)
		}
		if len(training) != 1 || training[0] != 0 && ratio != 0 {
			return c.unsupported("training_mode: export the model for inference")
		}
	}
	return c.in[:1]
}
