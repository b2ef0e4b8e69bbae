package ptq

import (
	"slices"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// fullyConnected quantizes the output by its range and replaces weights and
// bias. Constants that two nodes share get a copy each, because the bias's
// scale depends on the node's input.
func (c *converter) fullyConnected(op graph.FullyConnected, n *graph.Node) error {
	in := c.dst.Tensor(n.Inputs[0]).Quant.Scale()
	w, bias := c.src.Tensor(n.Inputs[1]), op.Bias(c.src, n)
	out := w.Shape[0]
	var b []float32
	if bias != nil {
		b = bias.Float
	}
	q, scales, err := channelScales(w.Float, b, out, in, c.options.PerTensor)
	if err != nil {
		return err
	}
	n.Inputs[1] = c.constant(n.Inputs[1], graph.Tensor{
		Name: w.Name, Shape: slices.Clone(w.Shape), Type: tensor.Int8, Int8: q,
		Quant: symmetric(scales),
	})
	if bias != nil {
		qb, biasScales := quantizeBias(b, scales, in)
		n.Inputs[2] = c.constant(n.Inputs[2], graph.Tensor{
			Name: bias.Name, Shape: slices.Clone(bias.Shape), Type: tensor.Int32, Int32: qb,
			Quant: symmetric(biasScales),
		})
	}
	return c.activation(n.Outputs[0])
}

// constant replaces a float constant in place the first time and appends a
// further version when another node already replaced it.
func (c *converter) constant(id graph.TensorID, t graph.Tensor) graph.TensorID {
	if c.dst.Tensor(id).Type != tensor.Float32 {
		return c.dst.AddTensor(t)
	}
	*c.dst.Tensor(id) = t
	return id
}

// symmetric gives parameters along dimension 0, the output channels.
func symmetric(scales []float32) tensor.Quant {
	return tensor.Quant{Scales: scales, ZeroPoints: make([]int32, len(scales))}
}
