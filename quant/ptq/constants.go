package ptq

import (
	"fmt"
	"math"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// constants quantizes filters, biases and data constants by the parameters that
// the activations have by now.
func (c *converter) constants() error {
	for _, d := range c.data {
		c.dataConstant(d)
	}
	for i := range c.dst.Nodes {
		if c.types[i] == tensor.Float32 {
			continue
		}
		n := &c.dst.Nodes[i]
		axis, ok := filterAxis(n.Op)
		if !ok {
			continue
		}
		perTensor := c.options.PerTensorConv
		if _, dense := n.Op.(graph.FullyConnected); dense {
			perTensor = perTensor || c.options.PerTensor
		}
		if err := c.weighted(n, axis, perTensor, c.types[i]); err != nil {
			return fmt.Errorf("node %d %s: %w", i, n.Op.Name(), err)
		}
	}
	return nil
}

// weighted replaces weights and bias of n. Constants that two nodes share were
// given to each as a copy, because the bias's scale depends on the node's input.
func (c *converter) weighted(n *graph.Node, axis int, perTensor bool, to tensor.Type) error {
	in := c.dst.Tensor(n.Inputs[0]).Quant.Scale()
	w := c.dst.Tensor(n.Inputs[1])
	l := alongAxis(w.Shape, axis)
	var bias *graph.Tensor
	if len(n.Inputs) > 2 && n.Inputs[2] != graph.None {
		bias = c.dst.Tensor(n.Inputs[2])
	}
	limits, err := weightLimits(w, bias, l, in, perTensor, to)
	if err != nil {
		return err
	}
	q, scales := quantizeWeights(w.Float, limits, l)
	w.Type, w.Int8, w.Float, w.Quant = tensor.Int8, q, nil, symmetric(scales, axis)
	if bias == nil {
		return nil
	}
	units := biasScales(scales, in)
	if to == tensor.Int16 {
		bias.Type, bias.Int64 = tensor.Int64, quantizeWideBias(bias.Float, units)
	} else {
		bias.Type, bias.Int32 = tensor.Int32, quantizeBias(bias.Float, units)
	}
	bias.Float, bias.Quant = nil, symmetric(units, 0)
	return nil
}

// weightLimits are those that the model itself brings, else the weights' own. An
// int64 bias needs no room made for it.
func weightLimits(w, bias *graph.Tensor, l layout, in float32, perTensor bool, to tensor.Type) ([]float32, error) {
	if limits := brought(w, l, perTensor); limits != nil {
		return limits, nil
	}
	var b []float32
	if bias != nil && to == tensor.Int8 {
		b = bias.Float
	}
	return channelLimits(w.Float, b, l, in, perTensor)
}

// brought is the limits by the scales on a float constant, from
// quantization-aware training, if they have the form that is wanted here; nil if
// not.
func brought(w *graph.Tensor, l layout, perTensor bool) []float32 {
	n := len(w.Quant.Scales)
	if n == 0 || n > 1 && (perTensor || n != l.channels || w.Quant.Dim != l.axis) || n == 1 && !perTensor && l.channels > 1 {
		return nil
	}
	limits := make([]float32, n)
	for c, s := range w.Quant.Scales {
		limits[c] = 127 * s
		if z := w.Quant.ZeroPoints; len(z) > c && z[c] != 0 || !(s > 0) || math.IsInf(float64(127/limits[c]), 0) || math.IsInf(float64(limits[c]), 0) {
			return nil
		}
	}
	return limits
}

// filterAxis is the dimension of output channels in the operator's weights; ok
// is false for an operator without.
func filterAxis(op graph.Op) (axis int, ok bool) {
	switch op.(type) {
	case graph.FullyConnected, graph.Conv2D, graph.TransposeConv:
		return 0, true
	case graph.DepthwiseConv2D:
		return 3, true
	}
	return 0, false
}

// symmetric gives parameters along a dimension.
func symmetric(scales []float32, axis int) tensor.Quant {
	if len(scales) == 1 {
		axis = 0
	}
	return tensor.Quant{Scales: scales, ZeroPoints: make([]int32, len(scales)), Dim: axis}
}

// dataConstant quantizes a constant operand by the parameters that its tensor
// got, as QUANTIZE would: round half away from zero, saturated.
func (c *converter) dataConstant(d dataConstant) {
	t := c.dst.Tensor(d.id)
	lo, hi, _ := d.to.Range()
	s, z := t.Quant.Scale(), float64(t.Quant.ZeroPoint())
	at := func(v float32) float64 {
		return min(max(math.Round(float64(v/s))+z, float64(lo)), float64(hi))
	}
	if d.to == tensor.Int16 {
		t.Int16 = make([]int16, len(t.Float))
		for i, v := range t.Float {
			t.Int16[i] = int16(at(v))
		}
	} else {
		t.Int8 = make([]int8, len(t.Float))
		for i, v := range t.Float {
			t.Int8[i] = int8(at(v))
		}
	}
	t.Float = nil
}
