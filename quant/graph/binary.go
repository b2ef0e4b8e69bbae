package graph

import (
	"fmt"

	"kedge/runtime/tensor"
)

// Arithmetic is what a Binary computes.
type Arithmetic uint8

// The operators of two operands.
const (
	Add Arithmetic = iota
	Sub
	Mul
	Div
	Maximum
	Minimum
	SquaredDifference
)

// Binary combines two inputs element by element; shapes broadcast as in NumPy.
// Either input may be a constant. Maximum, Minimum and SquaredDifference have
// no fused activation.
type Binary struct {
	Kind       Arithmetic
	Activation Activation
}

var binaryNames = [...]string{Add: "ADD", Sub: "SUB", Mul: "MUL", Div: "DIV", Maximum: "MAXIMUM", Minimum: "MINIMUM", SquaredDifference: "SQUARED_DIFFERENCE"}

// binaryRows are the operators on rows of equal length.
var binaryRows = [...]func(dst, a, b []float32){
	Add: func(dst, a, b []float32) {
		for i := range dst {
			dst[i] = a[i] + b[i]
		}
	},
	Sub: func(dst, a, b []float32) {
		for i := range dst {
			dst[i] = a[i] - b[i]
		}
	},
	Mul: func(dst, a, b []float32) {
		for i := range dst {
			dst[i] = a[i] * b[i]
		}
	},
	Div: func(dst, a, b []float32) {
		for i := range dst {
			dst[i] = a[i] / b[i]
		}
	},
	Maximum: func(dst, a, b []float32) {
		for i := range dst {
			dst[i] = max(a[i], b[i])
		}
	},
	Minimum: func(dst, a, b []float32) {
		for i := range dst {
			dst[i] = min(a[i], b[i])
		}
	},
	SquaredDifference: func(dst, a, b []float32) {
		for i := range dst {
			d := a[i] - b[i]
			dst[i] = d * d
		}
	},
}

// Name implements Op.
func (op Binary) Name() string { return kindName(binaryNames[:], "BINARY", int(op.Kind)) }

func (op Binary) infer(g *Graph, n *Node) ([]tensor.Shape, error) {
	if int(op.Kind) >= len(binaryRows) {
		return nil, fmt.Errorf("%w: arithmetic of kind %d, want less than %d", ErrInvalid, op.Kind, len(binaryRows))
	}
	if err := op.Activation.check(); err != nil {
		return nil, err
	}
	if op.Kind >= Maximum && op.Activation != Linear {
		return nil, fmt.Errorf("%w: fused %v, which this operator cannot have", ErrInvalid, op.Activation)
	}
	in, err := operands(g, n, 2)
	if err != nil {
		return nil, err
	}
	shape, err := broadcast(in[0].Shape, in[1].Shape)
	if err != nil {
		return nil, err
	}
	return []tensor.Shape{shape}, nil
}

func (op Binary) eval(e *Executor, n *Node) {
	elementwise(e, n, binaryRows[op.Kind])
	op.Activation.apply(e.values[n.Outputs[0]])
}
