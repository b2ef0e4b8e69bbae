package onnx

import (
	"math"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// batchNormalization is γ·(x − μ)/√(σ² + ε) + β, with constants a product and a
// sum for each channel.
func batchNormalization(c *call) []*value {
	if c.integer("training_mode", 0) != 0 {
		return c.unsupported("training_mode: export the model for inference")
	}
	s := c.shape(0)
	if len(s) < 2 {
		return c.invalid("input of shape %v", s)
	}
	n := s[1]
	for i := 1; i < 5; i++ {
		if !c.in[i].isConstant() {
			return c.unsupported("input %d computed at run time", i)
		}
		if len(c.in[i].Float) != n {
			return c.invalid("input %d has shape %v for %d channels", i, c.in[i].Shape, n)
		}
	}
	if err := c.im.spent.spend(2 * n); err != nil {
		return c.fail(err)
	}
	factor, offset := normalization(c.in[1:5], c.float("epsilon", 1e-5))
	x := c.tensor(0)
	if len(s) > 2 {
		x = c.channelsLast(x)
	}
	y := c.emit(graph.Binary{Kind: graph.Mul}, x, c.constant(tensor.Shape{n}, factor...))
	y = c.emit(graph.Binary{Kind: graph.Add}, y, c.constant(tensor.Shape{n}, offset...))
	if len(s) > 2 {
		y = c.channelsFirst(y)
	}
	return c.result(y)
}

// normalization computes in float64: the difference of large numbers is in it.
func normalization(in []*value, epsilon float32) (factor, offset []float32) {
	scale, shift, mean, variance := in[0].Float, in[1].Float, in[2].Float, in[3].Float
	factor, offset = make([]float32, len(scale)), make([]float32, len(scale))
	for i := range scale {
		f := float64(scale[i]) / math.Sqrt(float64(variance[i])+float64(epsilon))
		factor[i], offset[i] = float32(f), float32(float64(shift[i])-f*float64(mean[i]))
	}
	return factor, offset
}
