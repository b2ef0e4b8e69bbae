package graph

import (
	"fmt"

	"gonum.org/v1/gonum/blas"

	"kedge/runtime/tensor"
)

// TransposeConv spreads every element of x over the output through the filter:
// tap (ky, kx) of x's element (y, x) adds to the output's element
// (y·StrideH + ky − PadTop, x·StrideW + kx − PadLeft) where that lies in the output.
// Inputs: x (n, h, w, in), W (out, kh, kw, in) constant, optionally b (out)
// constant. Output: (n, OutputH, OutputW, out). (TFLite has the output's shape
// as its first operand; here it is in the fields.)
type TransposeConv struct {
	StrideH, StrideW int
	PadTop, PadLeft  int
	OutputH, OutputW int
	Activation       Activation
}

// Name implements Op.
func (TransposeConv) Name() string { return "TRANSPOSE_CONV" }

// window is the window that an ordinary convolution would take the output back
// to x with.
func (op TransposeConv) window() Window {
	return Window{StrideH: op.StrideH, StrideW: op.StrideW, DilationH: 1, DilationW: 1, Pad: Padding{Top: op.PadTop, Left: op.PadLeft}}
}

func (op TransposeConv) infer(g *Graph, n *Node) ([]tensor.Shape, error) {
	x, w, err := g.weighted(n, op.Activation, 4, 0)
	if err != nil {
		return nil, err
	}
	if err := image(x); err != nil {
		return nil, err
	}
	if x[3] != w[3] {
		return nil, fmt.Errorf("%w: weights %v for %d channels, the input %v has %d", ErrInvalid, w, w[3], x, x[3])
	}
	if err := op.window().check(w[1], w[2]); err != nil {
		return nil, err
	}
	if op.OutputH < 1 || op.OutputW < 1 {
		return nil, fmt.Errorf("%w: output of %d × %d elements, want at least 1", ErrInvalid, op.OutputH, op.OutputW)
	}
	return []tensor.Shape{{x[0], op.OutputH, op.OutputW, w[0]}}, nil
}

// pack brings the weights into the order (kh, kw, out, in): what one element
// adds to an output element is then contiguous.
func (TransposeConv) pack(w *Tensor) []float32 {
	out, in := w.Shape[0], w.Shape[3]
	count := w.Shape[1] * w.Shape[2]
	packed := make([]float32, len(w.Float))
	for o := range out {
		for t := range count {
			copy(packed[(t*out+o)*in:][:in], w.Float[(o*count+t)*in:])
		}
	}
	return packed
}

// eval multiplies the rows of x, a few at a time, by all taps of all outputs
// and adds the products where they belong.
func (op TransposeConv) eval(e *Executor, n *Node) {
	x, w, y := e.values[n.Inputs[0]], e.packed[n.Outputs[0]], e.values[n.Outputs[0]]
	xs, ws := e.g.Tensor(n.Inputs[0]).Shape, e.g.Tensor(n.Inputs[1]).Shape
	fill(y, e.bias(n))
	in, products := xs[3], ws[0]*ws[1]*ws[2]
	rows := scratchRows(products)
	buffer := e.buffer(rows * products)
	for first := 0; first < len(x)/in; first += rows {
		count := min(rows, len(x)/in-first)
		part := buffer[:count*products]
		clear(part)
		gemm(blas.NoTrans, blas.Trans, dense(x[first*in:], count, in), dense(w, products, in), dense(part, count, products))
		for i := range count {
			op.spread(y, part[i*products:(i+1)*products], first+i, xs, ws)
		}
	}
	op.Activation.apply(y)
}

// spread adds the products (kh, kw, out) of x's element number pixel to y.
func (op TransposeConv) spread(y, products []float32, pixel int, xs, ws tensor.Shape) {
	b, row, column := pixel/(xs[1]*xs[2]), pixel/xs[2]%xs[1], pixel%xs[2]
	out, top, left := ws[0], row*op.StrideH-op.PadTop, column*op.StrideW-op.PadLeft
	y0, y1 := taps(top, ws[1], 1, op.OutputH)
	x0, x1 := taps(left, ws[2], 1, op.OutputW)
	if x0 == x1 {
		return
	}
	for ky := y0; ky < y1; ky++ {
		from := products[(ky*ws[2]+x0)*out : (ky*ws[2]+x1)*out]
		to := y[((b*op.OutputH+top+ky)*op.OutputW+left+x0)*out:][:len(from)]
		for i, v := range from {
			to[i] += v
		}
	}
}
