package graph

import (
	"fmt"

	"kedge/runtime/tensor"
)

// Op is an operator, one of the types of this package. They mean what TFLite's
// operators of the same names mean, on NHWC images, with two differences:
// what TFLite takes from constant operands (shapes, axes, paddings) are fields
// here, and padding is counted in elements, not named SAME or VALID.
//
// Adding one means a type with these methods, a row in the reader's table
// (import.go) and one in the writer's (package emit).
type Op interface {
	// Name is the operator's TFLite name, e.g. "FULLY_CONNECTED".
	Name() string
	// infer returns the output shapes from the operands of node n, or says
	// what does not fit.
	infer(g *Graph, n *Node) ([]tensor.Shape, error)
	// eval computes the outputs of one run. Inputs and constants are in
	// e.values by tensor; the outputs' slices there have their full length and
	// old contents.
	eval(e *Executor, n *Node)
}

// Activation is a function fused into an operator's output.
type Activation uint8

// The fused activations, with TFLite's codes (ActivationFunctionType).
const (
	Linear    Activation = 0 // output as computed
	ReLU      Activation = 1 // max(0, x)
	ReLUN1To1 Activation = 2 // min(max(−1, x), 1)
	ReLU6     Activation = 3 // min(max(0, x), 6)
)

// String returns the activation's usual name.
func (a Activation) String() string {
	switch a {
	case Linear:
		return "none"
	case ReLU:
		return "relu"
	case ReLUN1To1:
		return "relu_n1_to_1"
	case ReLU6:
		return "relu6"
	}
	return fmt.Sprintf("activation(%d)", uint8(a))
}

// check refuses a code that is none of the activations, such as TFLite's TANH.
func (a Activation) check() error {
	if a > ReLU6 {
		return fmt.Errorf("%w: fused %v", ErrUnsupported, a)
	}
	return nil
}

// apply computes the activation of every element in place.
func (a Activation) apply(v []float32) {
	switch a {
	case ReLU:
		for i, x := range v {
			v[i] = max(x, 0)
		}
	case ReLUN1To1:
		for i, x := range v {
			v[i] = min(max(x, -1), 1)
		}
	case ReLU6:
		for i, x := range v {
			v[i] = min(max(x, 0), 6)
		}
	}
}
