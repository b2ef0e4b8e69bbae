package graph

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/blas"

	"kedge/runtime/tensor"
)

// Bias returns the bias of a node whose inputs are x, weights and perhaps a
// bias: FullyConnected, Conv2D, DepthwiseConv2D, TransposeConv. It is nil when
// the node has none.
func (g *Graph) Bias(n *Node) *Tensor {
	if len(n.Inputs) < 3 || n.Inputs[2] == None {
		return nil
	}
	return g.Tensor(n.Inputs[2])
}

// weighted checks the operands of such a node and returns the shapes of x and
// of the weights, whose dimension outDim counts the outputs. Of constants only
// the shape matters: those of a quantized graph are integers.
func (g *Graph) weighted(n *Node, a Activation, rank, outDim int) (x, w tensor.Shape, err error) {
	if len(n.Inputs) < 2 || len(n.Inputs) > 3 || n.Inputs[0] == None || n.Inputs[1] == None {
		return nil, nil, fmt.Errorf("%w: %d inputs, want input, weights and perhaps bias", ErrInvalid, len(n.Inputs))
	}
	if err := a.check(); err != nil {
		return nil, nil, err
	}
	weights := g.Tensor(n.Inputs[1])
	if !weights.IsConstant() {
		return nil, nil, fmt.Errorf("%w: weights %s computed at run time", ErrUnsupported, g.label(n.Inputs[1]))
	}
	x, w = g.Tensor(n.Inputs[0]).Shape, weights.Shape
	if len(w) != rank || slices.Min(w) < 1 {
		return nil, nil, fmt.Errorf("%w: weights %s have shape %v, want %d dimensions, none empty", ErrInvalid, g.label(n.Inputs[1]), w, rank)
	}
	if b := g.Bias(n); b != nil && (!b.IsConstant() || !slices.Equal(b.Shape, w[outDim:outDim+1])) {
		return nil, nil, fmt.Errorf("%w: bias %s has shape %v, want a constant of shape %v", ErrInvalid, g.label(n.Inputs[2]), b.Shape, w[outDim:outDim+1])
	}
	return x, w, nil
}

// image checks that s is (n, h, w, c), none empty.
func image(s tensor.Shape) error {
	if len(s) != 4 || slices.Min(s) < 1 {
		return fmt.Errorf("%w: input %v, want an image (n, h, w, c)", ErrInvalid, s)
	}
	return nil
}

// layer is y = activation(x·Wᵀ + b) as one node computes it, for any number of
// rows of x.
type layer struct {
	in, out    int
	weights    []float32 // (out, in), or (in, out) when transposed
	transposed bool
	bias       []float32 // nil for none
	activation Activation
}

// layer returns the matrix form of a node whose weights are (out, …).
func (e *Executor) layer(n *Node, a Activation) layer {
	w := e.values[n.Inputs[1]]
	out := e.g.Tensor(n.Inputs[1]).Shape[0]
	l := layer{in: len(w) / out, out: out, weights: w, bias: e.bias(n), activation: a}
	if packed := e.packed[n.Outputs[0]]; packed != nil {
		l.weights, l.transposed = packed, true
	}
	return l
}

// bias returns the values of n's bias, nil for none.
func (e *Executor) bias(n *Node) []float32 {
	if e.g.Bias(n) == nil {
		return nil
	}
	return e.values[n.Inputs[2]]
}

// packLayer transposes the weights of a layer where gonum's Gemm is faster that
// way, and returns nil where it is not: on rows as stored it takes dot products
// as long as a row (1.5 times as fast for long rows), transposed it adds
// multiples of rows that are as long as there are outputs (2 times as fast for
// rows shorter than about 100 with more outputs than that).
func packLayer(w *Tensor) []float32 {
	out := w.Shape[0]
	in := len(w.Float) / out
	if in >= out || in >= 96 {
		return nil
	}
	packed := make([]float32, len(w.Float))
	for o := range out {
		for i, v := range w.Float[o*in : (o+1)*in] {
			packed[i*out+o] = v
		}
	}
	return packed
}

// run computes y for the rows of x, a few at a time, so that a row is still in
// the cache when its activation is applied.
func (l layer) run(y, x []float32) {
	for len(x) > 0 {
		rows := min(gemmRows, len(x)/l.in)
		part := y[:rows*l.out]
		fill(part, l.bias)
		if l.transposed {
			gemm(blas.NoTrans, blas.NoTrans, dense(x, rows, l.in), dense(l.weights, l.in, l.out), dense(part, rows, l.out))
		} else {
			gemm(blas.NoTrans, blas.Trans, dense(x, rows, l.in), dense(l.weights, l.out, l.in), dense(part, rows, l.out))
		}
		l.activation.apply(part)
		x, y = x[rows*l.in:], y[rows*l.out:]
	}
}

// fill sets every row of y to the bias, or to 0 without one.
func fill(y, bias []float32) {
	if bias == nil {
		clear(y)
		return
	}
	for len(y) > 0 {
		y = y[copy(y, bias):]
	}
}
