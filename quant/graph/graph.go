// Package graph is the float picture of a network that the compression tools
// work on: tensors, operators in execution order, shapes, and a reference
// executor.
//
// Build a Graph by hand with AddTensor and AddNode or read one with FromTFLite;
// then call Infer once, which computes every activation's shape and checks the
// whole graph. A graph that passed Infer can be run (NewExecutor), calibrated,
// quantized and written.
//
// Quantization produces a Graph of the same form whose tensors carry int8 or
// int32 data and quantization parameters, so one writer serves both. Only float graphs
// can be executed here: what an int8 network computes is decided by package
// runtime alone.
//
// A Graph is plain data. Reading it concurrently is safe; each Executor serves
// one goroutine.
package graph

import (
	"errors"
	"fmt"

	"kedge/runtime/tensor"
)

var (
	// ErrInvalid: the graph contradicts itself (shapes, references, values).
	ErrInvalid = errors.New("graph: invalid")
	// ErrUnsupported: the model uses something that no operator here covers.
	ErrUnsupported = errors.New("graph: unsupported")
)

// TensorID is an index into Graph.Tensors.
type TensorID int

// None stands for an optional input that is absent.
const None TensorID = -1

// Graph is a network. Node order is execution order.
type Graph struct {
	Name        string
	Description string
	Tensors     []Tensor
	Nodes       []Node
	Inputs      []TensorID
	Outputs     []TensorID
}

// Tensor is a constant (exactly one data slice set) or an activation (none).
type Tensor struct {
	Name  string
	Shape tensor.Shape // dimension 0 of an activation is the batch
	Type  tensor.Type
	Quant tensor.Quant // of integer tensors that stand for real numbers

	Float []float32
	Int8  []int8
	Int32 []int32
}

// Node is one operator with its operands.
type Node struct {
	Op      Op
	Inputs  []TensorID
	Outputs []TensorID
}

// IsConstant reports whether t carries its own data.
func (t *Tensor) IsConstant() bool { return t.Float != nil || t.Int8 != nil || t.Int32 != nil }

// AddTensor appends t and returns its id.
func (g *Graph) AddTensor(t Tensor) TensorID {
	g.Tensors = append(g.Tensors, t)
	return TensorID(len(g.Tensors) - 1)
}

// AddNode appends an operator.
func (g *Graph) AddNode(op Op, inputs, outputs []TensorID) {
	g.Nodes = append(g.Nodes, Node{Op: op, Inputs: inputs, Outputs: outputs})
}

// Tensor returns the tensor with that id, which must exist (Infer checks all).
func (g *Graph) Tensor(id TensorID) *Tensor { return &g.Tensors[id] }

// label names a tensor in an error.
func (g *Graph) label(id TensorID) string {
	return fmt.Sprintf("tensor %d %q", id, g.Tensors[id].Name)
}
