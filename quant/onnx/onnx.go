// Package onnx reads ONNX models into the float graph that the compression
// tools work on.
//
// Call Import with the file's bytes. The result's graph computes what the ONNX
// model computes, with TFLite's operators on channels-last images: operators on
// channels-first images become Transpose, operator, Transpose, and package pass
// removes the pairs. Operators on constants and arithmetic on shapes are
// computed while importing.
//
// The standard operators of convolutional networks and multilayer perceptrons
// are read: opset 11 to 24, and older models as far as their operators still mean the
// same. A model is imported whole or not at all: everything
// that cannot be imported is listed in one UnsupportedError.
//
// Files are untrusted input: a malformed one is an error, and what an import
// allocates is bounded by a multiple of the file's length. Equal files give
// equal graphs. Nothing is shared between calls, so any number may run at once.
package onnx

import (
	"errors"
	"fmt"
	"strings"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// ErrFormat: the file is no ONNX model or contradicts itself.
var ErrFormat = errors.New("onnx: malformed model")

// Options change how a model is read. The zero value reads it as it is.
type Options struct {
	// Constants gives graph inputs a fixed value, by name: weights that an export
	// left as inputs. These are no inputs of the result. The names must be graph
	// inputs of the model; shapes and types are taken from here.
	Constants map[string]Tensor
}

// Model is an imported model.
type Model struct {
	Graph *graph.Graph
	// Inputs and Outputs are the graph's, in the same order, with the names and
	// shapes that the ONNX model gives them.
	Inputs   []Input
	Outputs  []Output
	Producer string // the program that wrote the file, if it says
}

// Input says how a graph input differs from the ONNX model's.
//
// An input of rank 4 or 3 that an operator on images reads, directly or behind
// operators that work element by element, is an image with its channels in
// dimension 1. In the graph it has them last, as boards deliver images, and
// Perm says how to rearrange a sample of the ONNX model: dimension i of the
// graph's input is dimension Perm[i] of the ONNX input. All other inputs, such as
// the channels-last images of models converted from TensorFlow, keep their
// layout, and Perm is nil.
type Input struct {
	Name  string
	Shape tensor.Shape // in the ONNX model, with a batch that was left open as 1
	Perm  []int
}

// Output is a graph output. It has the layout of the ONNX model.
type Output struct {
	Name  string
	Shape tensor.Shape
}

// UnsupportedError lists every node that cannot be imported. It matches
// graph.ErrUnsupported.
type UnsupportedError struct {
	Nodes []UnsupportedNode
}

// UnsupportedNode is a node that cannot be imported.
type UnsupportedNode struct {
	Operator string // with its domain if that is not the standard one
	Node     string // its name or, without one, the name of its first output
	Reason   string
}

// Error implements error.
func (e *UnsupportedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v: nodes", graph.ErrUnsupported)
	for i, n := range e.Nodes {
		if i > 0 {
			b.WriteByte(';')
		}
		fmt.Fprintf(&b, " %s %s: %s", n.Operator, n.Node, n.Reason)
	}
	return b.String()
}

// Unwrap returns graph.ErrUnsupported.
func (e *UnsupportedError) Unwrap() error { return graph.ErrUnsupported }

// Import reads an ONNX model (the bytes of an .onnx file). The graph passed
// Infer and does not refer to file.
//
// A dimension 0 without a fixed extent is the batch and becomes 1; any other
// open dimension of an input is an error, as are inputs of integers.
// Errors match ErrFormat, graph.ErrInvalid or graph.ErrUnsupported and name
// the node, input or tensor.
func Import(file []byte, options Options) (*Model, error) {
	im, err := load(file, options)
	if err != nil {
		return nil, err
	}
	return im.finish()
}
