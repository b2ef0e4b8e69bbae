package graph

import (
	"fmt"
	"math"

	"kedge/runtime/tensor"
)

// PadMode is what a Pad fills the border with.
type PadMode uint8

// The ways to pad.
const (
	PadConstant  PadMode = iota // Value
	PadReflect                  // mirrored at the edge element, which is not repeated
	PadSymmetric                // mirrored behind the edge element, which is repeated
)

// Pad adds Before[i] and After[i] elements (not negative) to dimension i. A
// mirrored border has at most the elements that there are to mirror.
type Pad struct {
	Before, After []int
	Mode          PadMode
	Value         float32 // of PadConstant; not NaN
}

// Name implements Op.
func (op Pad) Name() string {
	switch {
	case op.Mode != PadConstant:
		return "MIRROR_PAD"
	case op.Value != 0:
		return "PADV2"
	}
	return "PAD"
}

func (op Pad) infer(g *Graph, n *Node) ([]tensor.Shape, error) {
	if op.Mode > PadSymmetric {
		return nil, fmt.Errorf("%w: padding of mode %d, want at most %d", ErrInvalid, op.Mode, PadSymmetric)
	}
	if math.IsNaN(float64(op.Value)) {
		return nil, fmt.Errorf("%w: padding with NaN", ErrInvalid)
	}
	in, err := operands(g, n, 1)
	if err != nil {
		return nil, err
	}
	x := in[0].Shape
	if err := checkList("before", op.Before, x); err != nil {
		return nil, err
	}
	if err := checkList("after", op.After, x); err != nil {
		return nil, err
	}
	out := make(tensor.Shape, len(x))
	for d, size := range x {
		most := op.most(size)
		if op.Before[d] < 0 || op.After[d] < 0 || op.Before[d] > most || op.After[d] > most {
			return nil, fmt.Errorf("%w: %d before and %d behind the %d elements of dimension %d, want 0 to %d", ErrInvalid, op.Before[d], op.After[d], size, d, most)
		}
		total := int64(op.Before[d]) + int64(size) + int64(op.After[d])
		if total > math.MaxInt32 {
			return nil, fmt.Errorf("%w: %d elements in dimension %d", ErrInvalid, total, d)
		}
		out[d] = int(total)
	}
	return []tensor.Shape{out}, nil
}

// most is the widest border that a dimension can have.
func (op Pad) most(size int) int {
	switch op.Mode {
	case PadReflect:
		return size - 1
	case PadSymmetric:
		return size
	}
	return math.MaxInt32
}

func (op Pad) eval(e *Executor, n *Node) {
	shape := e.g.Tensor(n.Inputs[0]).Shape
	// What lies behind the last padded dimension moves as one block.
	rank := len(shape)
	for rank > 0 && op.Before[rank-1] == 0 && op.After[rank-1] == 0 {
		rank--
	}
	p := padding{value: op.Value, sources: make([][]int, rank), in: strides(shape), out: strides(e.g.Tensor(n.Outputs[0]).Shape)}
	for d := range p.sources {
		p.sources[d] = op.sources(d, shape[d])
	}
	p.fill(e.values[n.Outputs[0]], e.values[n.Inputs[0]], 0)
}

// sources gives the input index for every output index of dimension d, −1 where
// the constant belongs.
func (op Pad) sources(d, size int) []int {
	out := make([]int, op.Before[d]+size+op.After[d])
	for i := range out {
		at := i - op.Before[d]
		switch {
		case at >= 0 && at < size:
		case op.Mode == PadConstant:
			at = -1
		case op.Mode == PadReflect && at < 0:
			at = -at
		case op.Mode == PadReflect:
			at = 2*(size-1) - at
		case at < 0:
			at = -1 - at
		default:
			at = 2*size - 1 - at
		}
		out[i] = at
	}
	return out
}

// padding is one run of a Pad: sources for each dimension, strides of both arrays.
type padding struct {
	value   float32
	sources [][]int
	in, out []int
}

// fill computes the part y of the output from the part x of the input, which
// the dimensions from d on span.
func (p *padding) fill(y, x []float32, d int) {
	if d == len(p.sources) {
		copy(y, x)
		return
	}
	for i, from := range p.sources[d] {
		part := y[i*p.out[d] : (i+1)*p.out[d]]
		if from >= 0 {
			p.fill(part, x[from*p.in[d]:(from+1)*p.in[d]], d+1)
			continue
		}
		for j := range part {
			part[j] = p.value
		}
	}
}
