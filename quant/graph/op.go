package graph

import (
	"fmt"

	"kedge/runtime/tensor"
)

// Op is an operator, one of the types of this package. Adding one means a type
// with these methods, a row in the reader's table (import.go) and one in the
// writer's (package emit).
type Op interface {
	// Name is the operator's TFLite name, e.g. "FULLY_CONNECTED".
	Name() string
	// infer returns the output shapes from the operands of node n, or says
	// what does not fit.
	infer(g *Graph, n *Node) ([]tensor.Shape, error)
	// eval computes the outputs for rows samples at once.
	eval(e *Executor, n *Node, rows int)
}

// Activation is a function fused into an operator's output.
type Activation uint8

// The fused activations, with TFLite's codes (ActivationFunctionType).
const (
	Linear Activation = 0 // output as computed
	ReLU   Activation = 1 // max(0, x)
)

// String returns the activation's usual name.
func (a Activation) String() string {
	switch a {
	case Linear:
		return "none"
	case ReLU:
		return "relu"
	}
	return fmt.Sprintf("activation(%d)", uint8(a))
}
