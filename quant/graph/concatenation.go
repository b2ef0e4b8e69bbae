package graph

import (
	"fmt"
	"math"
	"slices"

	"kedge/runtime/tensor"
)

// Concatenation joins its inputs, of which some may be constants, along Axis
// (not negative).
type Concatenation struct {
	Axis       int
	Activation Activation
}

// Name implements Op.
func (Concatenation) Name() string { return "CONCATENATION" }

func (op Concatenation) infer(g *Graph, n *Node) ([]tensor.Shape, error) {
	if err := op.Activation.check(); err != nil {
		return nil, err
	}
	if len(n.Inputs) == 0 {
		return nil, fmt.Errorf("%w: no inputs, want at least 1", ErrInvalid)
	}
	in, err := operands(g, n, len(n.Inputs))
	if err != nil {
		return nil, err
	}
	out := slices.Clone(in[0].Shape)
	if err := checkAxis(op.Axis, out); err != nil {
		return nil, err
	}
	for i, t := range in[1:] {
		s := t.Shape
		if len(s) != len(out) || !slices.Equal(s[:op.Axis], out[:op.Axis]) || !slices.Equal(s[op.Axis+1:], out[op.Axis+1:]) {
			return nil, fmt.Errorf("%w: input %d of shape %v does not fit %v along axis %d", ErrInvalid, i+1, s, in[0].Shape, op.Axis)
		}
		if s[op.Axis] > math.MaxInt32-out[op.Axis] {
			return nil, fmt.Errorf("%w: more than %d elements along axis %d", ErrInvalid, math.MaxInt32, op.Axis)
		}
		out[op.Axis] += s[op.Axis]
	}
	return []tensor.Shape{out}, nil
}

func (op Concatenation) eval(e *Executor, n *Node) {
	y, at := e.values[n.Outputs[0]], 0
	whole := block(e.g.Tensor(n.Outputs[0]).Shape, op.Axis)
	for _, id := range n.Inputs {
		x, part := e.values[id], block(e.g.Tensor(id).Shape, op.Axis)
		for from, to := 0, at; from < len(x); from, to = from+part, to+whole {
			copy(y[to:], x[from:from+part])
		}
		at += part
	}
	op.Activation.apply(y)
}

// block is the number of elements that lie together for one index of the
// dimensions before axis.
func block(shape tensor.Shape, axis int) int {
	n, _ := shape[axis:].Elements()
	return n
}
