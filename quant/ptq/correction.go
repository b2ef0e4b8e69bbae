package ptq

import (
	"fmt"
	"math"
	"slices"

	"kedge/quant/calib"
	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// CorrectBias takes the mean error that rounded weights cause out of q, which
// Quantize made from g: for every output channel Σ (quantized − float weight) ×
// mean input, subtracted from the bias. s are the statistics that q's ranges came
// from. Neither graph is changed; layers without a bias stay as they are.
//
// Source: Nagel, van Baalen, Blankevoort and Welling, "Data-Free Quantization
// Through Weight Equalization and Bias Correction", 2019, section 4.2, with
// measured means in place of those derived from batch normalization. At an
// image's border the mean counts padding as if it were image.
func CorrectBias(g, q *graph.Graph, s *calib.Statistics) (*graph.Graph, error) {
	out := q.Clone()
	producers := g.Producers()
	for i := range out.Nodes {
		n := &out.Nodes[i]
		axis, ok := filterAxis(n.Op)
		if !ok || len(n.Inputs) < 3 || n.Inputs[2] == graph.None || out.Tensor(n.Inputs[1]).Type != tensor.Int8 {
			continue
		}
		if int(n.Outputs[0]) >= len(producers) || producers[n.Outputs[0]] < 0 {
			return nil, fmt.Errorf("%w: node %d %s has no counterpart in the float graph", ErrOptions, i, n.Op.Name())
		}
		float := &g.Nodes[producers[n.Outputs[0]]]
		seen := s.Tensor(float.Inputs[0])
		if seen == nil {
			return nil, fmt.Errorf("%w: tensor %d %q was not calibrated", ErrRange, float.Inputs[0], g.Tensor(float.Inputs[0]).Name)
		}
		shift(out.Tensor(n.Inputs[2]), meanError(g.Tensor(float.Inputs[1]), out.Tensor(n.Inputs[1]), axis, seen.Mean))
	}
	return out, nil
}

// meanError is Σ (quantized − float weight) × mean input for each output channel.
func meanError(float, quantized *graph.Tensor, axis int, means []float64) []float64 {
	l := alongAxis(float.Shape, axis)
	inner := float.Shape[len(float.Shape)-1] // weights of consecutive input channels
	out := make([]float64, l.channels)
	for i, w := range float.Float {
		c := l.of(i)
		scale := quantized.Quant.Scales[min(c, len(quantized.Quant.Scales)-1)]
		in := i % inner
		if axis != 0 { // depthwise: output channel c reads one input channel
			in = c * len(means) / l.channels
		}
		out[c] += (float64(scale)*float64(quantized.Int8[i]) - float64(w)) * means[in%len(means)]
	}
	return out
}

// shift subtracts errors, in real numbers, from an int32 or int64 bias.
func shift(bias *graph.Tensor, errors []float64) {
	unit := func(c int) float64 { return float64(bias.Quant.Scales[min(c, len(bias.Quant.Scales)-1)]) }
	if bias.Int64 != nil {
		bias.Int64 = slices.Clone(bias.Int64)
		for c, e := range errors {
			if u := unit(c); u != 0 {
				bias.Int64[c] -= int64(math.Round(e / u))
			}
		}
		return
	}
	bias.Int32 = slices.Clone(bias.Int32)
	for c, e := range errors {
		if u := unit(c); u != 0 {
			bias.Int32[c] = int32(min(max(math.Round(float64(bias.Int32[c])-e/u), -maxBias), maxBias))
		}
	}
}
