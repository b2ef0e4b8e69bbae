package graph

import (
	"math"
	"slices"

	"kedge/runtime/tensor"
)

// LogSoftmax is x − log Σ exp(x) along the last dimension.
type LogSoftmax struct{}

// Name implements Op.
func (LogSoftmax) Name() string { return "LOG_SOFTMAX" }

func (LogSoftmax) infer(g *Graph, n *Node) ([]tensor.Shape, error) {
	x, err := rowOperand(g, n)
	if err != nil {
		return nil, err
	}
	return []tensor.Shape{slices.Clone(x.Shape)}, nil
}

func (LogSoftmax) eval(e *Executor, n *Node) {
	shape := e.g.Tensor(n.Inputs[0]).Shape
	depth := shape[len(shape)-1]
	x, y := e.values[n.Inputs[0]], e.values[n.Outputs[0]]
	for lo := 0; lo < len(x); lo += depth {
		logSoftmaxRow(y[lo:lo+depth], x[lo:lo+depth])
	}
}

// logSoftmaxRow subtracts the maximum first, so that exp cannot overflow.
func logSoftmaxRow(y, x []float32) {
	top, sum := float64(slices.Max(x)), 0.0
	for _, v := range x {
		sum += math.Exp(float64(v) - top)
	}
	shift := top + math.Log(sum)
	for i, v := range x {
		y[i] = float32(float64(v) - shift)
	}
}
