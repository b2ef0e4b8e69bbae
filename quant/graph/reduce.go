package graph

import (
	"fmt"
	"math"
	"slices"

	"kedge/runtime/tensor"
)

// Reduction is what a Reduce computes.
type Reduction uint8

// The reductions.
const (
	ReduceMean Reduction = iota
	ReduceSum
	ReduceMax
	ReduceMin
)

var reduceNames = [...]string{ReduceMean: "MEAN", ReduceSum: "SUM", ReduceMax: "REDUCE_MAX", ReduceMin: "REDUCE_MIN"}

// Reduce combines all elements along Axes (ascending, not negative, at least
// one), which have extent 1 afterwards or, without KeepDims, are gone. Sums are
// taken in float64.
type Reduce struct {
	Kind     Reduction
	Axes     []int
	KeepDims bool
}

// Name implements Op.
func (op Reduce) Name() string { return kindName(reduceNames[:], "REDUCE", int(op.Kind)) }

func (op Reduce) infer(g *Graph, n *Node) ([]tensor.Shape, error) {
	if int(op.Kind) >= len(reduceNames) {
		return nil, fmt.Errorf("%w: reduction of kind %d, want less than %d", ErrInvalid, op.Kind, len(reduceNames))
	}
	in, err := operands(g, n, 1)
	if err != nil {
		return nil, err
	}
	x := in[0].Shape
	if len(op.Axes) == 0 {
		return nil, fmt.Errorf("%w: no axes, want at least 1", ErrInvalid)
	}
	for i, axis := range op.Axes {
		if err := checkAxis(axis, x); err != nil {
			return nil, err
		}
		if i > 0 && axis <= op.Axes[i-1] {
			return nil, fmt.Errorf("%w: axes %v, want them ascending", ErrInvalid, op.Axes)
		}
	}
	kept := op.keep(x)
	if op.KeepDims {
		return []tensor.Shape{kept}, nil
	}
	out := tensor.Shape{}
	for d, size := range kept {
		if !slices.Contains(op.Axes, d) {
			out = append(out, size)
		}
	}
	return []tensor.Shape{out}, nil
}

// keep is x with the axes at extent 1.
func (op Reduce) keep(x tensor.Shape) tensor.Shape {
	out := slices.Clone(x)
	for _, axis := range op.Axes {
		out[axis] = 1
	}
	return out
}

func (op Reduce) eval(e *Executor, n *Node) {
	x, y := e.values[n.Inputs[0]], e.values[n.Outputs[0]]
	shape := e.g.Tensor(n.Inputs[0]).Shape
	sums := make([]float64, len(y))
	for i := range sums {
		sums[i] = op.neutral()
	}
	// The result is what would broadcast to the input, so the same steps serve.
	steps := broadcastSteps(op.keep(shape), shape)
	w := newWalk(shape, steps, steps)
	size, step, _ := w.row()
	w.rows(func(at, to, _ int) { op.accumulate(sums[to:], step, x[at:at+size]) })
	count := 1.0
	if op.Kind == ReduceMean {
		count = float64(len(x) / len(y))
	}
	for i, s := range sums {
		y[i] = float32(s / count)
	}
}

// neutral is the result for no elements.
func (op Reduce) neutral() float64 {
	switch op.Kind {
	case ReduceMax:
		return math.Inf(-1)
	case ReduceMin:
		return math.Inf(1)
	}
	return 0
}

// accumulate adds a row, to one sum (step 0) or to one for each element (step 1).
func (op Reduce) accumulate(sums []float64, step int, row []float32) {
	switch op.Kind {
	case ReduceMax:
		for i, v := range row {
			sums[i*step] = max(sums[i*step], float64(v))
		}
	case ReduceMin:
		for i, v := range row {
			sums[i*step] = min(sums[i*step], float64(v))
		}
	default:
		for i, v := range row {
			sums[i*step] += float64(v)
		}
	}
}
