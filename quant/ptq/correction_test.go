package ptq_test

import (
	"context"
	"math"
	"testing"

	"kedge/quant/calib"
	"kedge/quant/graph"
	"kedge/quant/ptq"
	"kedge/runtime/tensor"
)

// TestCorrectBias: with inputs whose mean is far from zero, the mean of every
// output channel comes near the float one, for each kind of layer and bias.
func TestCorrectBias(t *testing.T) {
	for name, build := range map[string]func(n *net) graph.TensorID{
		"FULLY_CONNECTED": func(n *net) graph.TensorID {
			return n.op(graph.FullyConnected{}, n.input(1, 300), n.random(0.1, 8, 300), n.random(0.1, 8))
		},
		"CONV_2D": func(n *net) graph.TensorID {
			return n.op(graph.Conv2D{Window: graph.Dense()}, n.input(1, 6, 6, 30), n.random(0.1, 8, 3, 3, 30), n.random(0.1, 8))
		},
		"DEPTHWISE_CONV_2D": func(n *net) graph.TensorID {
			op := graph.DepthwiseConv2D{Window: graph.Dense(), Multiplier: 2}
			return n.op(op, n.input(1, 9, 9, 4), n.random(0.1, 1, 5, 5, 8), n.random(0.1, 8))
		},
	} {
		for _, kind := range []tensor.Type{tensor.Int8, tensor.Int16} {
			n := newNet(t, 3)
			g := n.outputs(build(n))
			x := samples(g, 60, 0.3)
			shape := g.Tensor(g.Inputs[0]).Shape
			for i := range x[0] {
				x[0][i] += float32(1 + i%shape[len(shape)-1]%4) // neighbors among the channels have means of their own
			}
			s, err := calib.Collect(context.Background(), g, x, calib.Options{})
			if err != nil {
				t.Fatal(err)
			}
			ranges, err := s.Ranges(calib.MinMax())
			if err != nil {
				t.Fatal(err)
			}
			q, err := ptq.Quantize(g, ranges, ptq.Options{Activations: kind, PerTensor: true, PerTensorConv: true})
			if err != nil {
				t.Fatal(err)
			}
			corrected, err := ptq.CorrectBias(g, q, s)
			if err != nil {
				t.Fatal(err)
			}
			before, after := compare(t, g, q, x)[0], compare(t, g, corrected, x)[0]
			if !(after > before+1) || math.IsNaN(before) {
				t.Errorf("%s %v: %.1f dB before, %.1f after, want at least 1 more", name, kind, before, after)
			}
		}
	}
}
