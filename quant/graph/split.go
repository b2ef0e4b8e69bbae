package graph

import (
	"fmt"
	"slices"

	"kedge/runtime/tensor"
)

// Split cuts its input along Axis (not negative) into parts of the given
// Sizes, one output each.
type Split struct {
	Axis  int
	Sizes []int
}

// Name implements Op. Equal parts are TFLite's SPLIT.
func (op Split) Name() string {
	for _, s := range op.Sizes {
		if s != op.Sizes[0] {
			return "SPLIT_V"
		}
	}
	return "SPLIT"
}

func (op Split) infer(g *Graph, n *Node) ([]tensor.Shape, error) {
	in, err := operands(g, n, 1)
	if err != nil {
		return nil, err
	}
	x := in[0].Shape
	if err := checkAxis(op.Axis, x); err != nil {
		return nil, err
	}
	rest, out := x[op.Axis], make([]tensor.Shape, len(op.Sizes))
	for i, size := range op.Sizes {
		if size < 1 || size > rest {
			return nil, fmt.Errorf("%w: part %d has %d of the %d elements left along axis %d of %v", ErrInvalid, i, size, rest, op.Axis, x)
		}
		rest -= size
		out[i] = slices.Clone(x)
		out[i][op.Axis] = size
	}
	if rest > 0 {
		return nil, fmt.Errorf("%w: sizes %v leave %d of the %d elements along axis %d of %v", ErrInvalid, op.Sizes, rest, x[op.Axis], op.Axis, x)
	}
	return out, nil
}

func (op Split) eval(e *Executor, n *Node) {
	x, at := e.values[n.Inputs[0]], 0
	whole := block(e.g.Tensor(n.Inputs[0]).Shape, op.Axis)
	for _, id := range n.Outputs {
		y, part := e.values[id], block(e.g.Tensor(id).Shape, op.Axis)
		for from, to := at, 0; to < len(y); from, to = from+whole, to+part {
			copy(y[to:to+part], x[from:])
		}
		at += part
	}
}
