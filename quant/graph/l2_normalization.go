package graph

import (
	"math"
	"slices"

	"kedge/runtime/tensor"
)

// minNorm is what TFLite divides by at least, so that a row of zeros stays one.
const minNorm = 1e-6

// L2Normalization divides by the Euclidean norm along the last dimension, by
// 1e-6 where the norm is smaller.
type L2Normalization struct{}

// Name implements Op.
func (L2Normalization) Name() string { return "L2_NORMALIZATION" }

func (L2Normalization) infer(g *Graph, n *Node) ([]tensor.Shape, error) {
	x, err := rowOperand(g, n)
	if err != nil {
		return nil, err
	}
	return []tensor.Shape{slices.Clone(x.Shape)}, nil
}

func (L2Normalization) eval(e *Executor, n *Node) {
	shape := e.g.Tensor(n.Inputs[0]).Shape
	depth := shape[len(shape)-1]
	x, y := e.values[n.Inputs[0]], e.values[n.Outputs[0]]
	for lo := 0; lo < len(x); lo += depth {
		sum := 0.0
		for _, v := range x[lo : lo+depth] {
			sum += float64(v) * float64(v)
		}
		norm := max(math.Sqrt(sum), minNorm)
		for i, v := range x[lo : lo+depth] {
			y[lo+i] = float32(float64(v) / norm)
		}
	}
}
