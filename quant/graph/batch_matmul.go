package graph

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/blas"

	"kedge/runtime/tensor"
)

// BatchMatMul multiplies the matrices in the last two dimensions of its two
// inputs; the dimensions before broadcast as in NumPy. AdjX and AdjY transpose a
// side first. Either input may be a constant.
type BatchMatMul struct {
	AdjX, AdjY bool
}

// Name implements Op.
func (BatchMatMul) Name() string { return "BATCH_MATMUL" }

func (op BatchMatMul) infer(g *Graph, n *Node) ([]tensor.Shape, error) {
	if len(n.Inputs) != 2 || n.Inputs[0] == None || n.Inputs[1] == None {
		return nil, fmt.Errorf("%w: %d inputs, want 2", ErrInvalid, len(n.Inputs))
	}
	x, y := g.Tensor(n.Inputs[0]).Shape, g.Tensor(n.Inputs[1]).Shape
	if len(x) < 2 || len(y) < 2 || slices.Min(x) < 1 || slices.Min(y) < 1 {
		return nil, fmt.Errorf("%w: operands %v and %v, want at least two dimensions, none empty", ErrInvalid, x, y)
	}
	rows, inner := matrix(x, op.AdjX)
	inner2, cols := matrix(y, op.AdjY)
	if inner != inner2 {
		return nil, fmt.Errorf("%w: operands %v and %v: rows of %d against columns of %d", ErrInvalid, x, y, inner, inner2)
	}
	lead, err := broadcast(x[:len(x)-2], y[:len(y)-2])
	if err != nil {
		return nil, err
	}
	return []tensor.Shape{append(lead, rows, cols)}, nil
}

// matrix gives the extent of the matrices in the last two dimensions of s.
func matrix(s tensor.Shape, transposed bool) (rows, cols int) {
	rows, cols = s[len(s)-2], s[len(s)-1]
	if transposed {
		rows, cols = cols, rows
	}
	return rows, cols
}

func (op BatchMatMul) eval(e *Executor, n *Node) {
	x, y, z := e.values[n.Inputs[0]], e.values[n.Inputs[1]], e.values[n.Outputs[0]]
	xs, ys, zs := e.g.Tensor(n.Inputs[0]).Shape, e.g.Tensor(n.Inputs[1]).Shape, e.g.Tensor(n.Outputs[0]).Shape
	xRows, xCols := matrix(xs, false)
	yRows, yCols := matrix(ys, false)
	rows, cols := matrix(zs, false)
	lead := zs[:len(zs)-2]
	w := newWalk(lead, broadcastSteps(xs[:len(xs)-2], lead), broadcastSteps(ys[:len(ys)-2], lead))
	count, stepX, stepY := w.row()
	clear(z)
	w.rows(func(at, a, b int) {
		for i := range count {
			gemm(transposition(op.AdjX), transposition(op.AdjY),
				dense(x[(a+i*stepX)*xRows*xCols:], xRows, xCols),
				dense(y[(b+i*stepY)*yRows*yCols:], yRows, yCols),
				dense(z[(at+i)*rows*cols:], rows, cols))
		}
	})
}

func transposition(yes bool) blas.Transpose {
	if yes {
		return blas.Trans
	}
	return blas.NoTrans
}
