package graph

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"

	"kedge/runtime/tensor"
)

// FullyConnected is y = Activation(x·Wᵀ + b). Inputs: x (batch, in), W (out,
// in) constant, optionally b (out) constant. Output: (batch, out).
type FullyConnected struct {
	Activation Activation
}

// Name implements Op.
func (FullyConnected) Name() string { return "FULLY_CONNECTED" }

func (op FullyConnected) infer(g *Graph, n *Node) ([]tensor.Shape, error) {
	if len(n.Inputs) < 2 || len(n.Inputs) > 3 || n.Inputs[0] == None || n.Inputs[1] == None {
		return nil, fmt.Errorf("%w: %d inputs, want input, weights and perhaps bias", ErrInvalid, len(n.Inputs))
	}
	if op.Activation != Linear && op.Activation != ReLU {
		return nil, fmt.Errorf("%w: fused %v", ErrUnsupported, op.Activation)
	}
	x, w := g.Tensor(n.Inputs[0]), g.Tensor(n.Inputs[1])
	if len(x.Shape) != 2 || len(w.Shape) != 2 || x.Shape[1] != w.Shape[1] {
		return nil, fmt.Errorf("%w: input %v does not fit weights %v, want (batch, in) and (out, in)", ErrInvalid, x.Shape, w.Shape)
	}
	if !w.IsConstant() {
		return nil, fmt.Errorf("%w: weights computed at run time", ErrUnsupported)
	}
	if b := op.Bias(g, n); b != nil && (!b.IsConstant() || !slices.Equal(b.Shape, w.Shape[:1])) {
		return nil, fmt.Errorf("%w: bias %v, want a constant of shape %v", ErrInvalid, b.Shape, w.Shape[:1])
	}
	return []tensor.Shape{{x.Shape[0], w.Shape[0]}}, nil
}

// Bias returns n's bias tensor, nil when it has none.
func (FullyConnected) Bias(g *Graph, n *Node) *Tensor {
	if len(n.Inputs) < 3 || n.Inputs[2] == None {
		return nil
	}
	return g.Tensor(n.Inputs[2])
}

func (op FullyConnected) eval(e *Executor, n *Node) {
	w := e.g.Tensor(n.Inputs[1])
	out, in := w.Shape[0], w.Shape[1]
	x, y := e.values[n.Inputs[0]], e.values[n.Outputs[0]]
	rows := len(x) / in
	if b := op.Bias(e.g, n); b != nil {
		for r := range rows {
			copy(y[r*out:(r+1)*out], b.Float)
		}
	} else {
		clear(y)
	}
	blas32.Gemm(blas.NoTrans, blas.Trans, 1,
		blas32.General{Rows: rows, Cols: in, Stride: in, Data: x},
		blas32.General{Rows: out, Cols: in, Stride: in, Data: w.Float}, 1,
		blas32.General{Rows: rows, Cols: out, Stride: out, Data: y})
	if op.Activation == ReLU {
		for i, v := range y {
			y[i] = max(v, 0)
		}
	}
}
