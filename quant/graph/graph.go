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
// int32 data and quantization parameters, so one writer serves both. Only float graphs,
// with integers at most between Quantize and Dequantize, can be executed here:
// what an int8 network computes is decided by package runtime alone.
//
// A Graph is plain data. Reading it concurrently is safe; each Executor serves
// one goroutine.
package graph

import (
	"errors"
	"fmt"
	"slices"

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
	// Quant are the parameters of an integer tensor. On a float32 activation
	// they are a range that the model itself brings (from quantization-aware
	// training) and that quantization keeps.
	Quant tensor.Quant

	Float []float32
	Int8  []int8
	Uint8 []uint8
	Int16 []int16
	Int32 []int32
	Int64 []int64
}

// Node is one operator with its operands.
type Node struct {
	Op      Op
	Inputs  []TensorID
	Outputs []TensorID
}

// IsConstant reports whether t carries its own data.
func (t *Tensor) IsConstant() bool {
	return t.Float != nil || t.Int8 != nil || t.Uint8 != nil || t.Int16 != nil || t.Int32 != nil || t.Int64 != nil
}

// length is the number of values that t carries.
func (t *Tensor) length() int {
	return len(t.Float) + len(t.Int8) + len(t.Uint8) + len(t.Int16) + len(t.Int32) + len(t.Int64)
}

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

// Clone returns a graph that shares no slice with g but the data of constants,
// which passes replace and never write into.
func (g *Graph) Clone() *Graph {
	out := *g
	out.Tensors, out.Nodes = slices.Clone(g.Tensors), slices.Clone(g.Nodes)
	out.Inputs, out.Outputs = slices.Clone(g.Inputs), slices.Clone(g.Outputs)
	for i := range out.Tensors {
		out.Tensors[i].Shape = slices.Clone(out.Tensors[i].Shape)
	}
	for i := range out.Nodes {
		out.Nodes[i].Inputs, out.Nodes[i].Outputs = slices.Clone(out.Nodes[i].Inputs), slices.Clone(out.Nodes[i].Outputs)
	}
	return &out
}

// Users lists, for every tensor, the nodes that read it, in order, each once.
func (g *Graph) Users() [][]int {
	users := make([][]int, len(g.Tensors))
	for i := range g.Nodes {
		for _, id := range g.Nodes[i].Inputs {
			if id != None && (len(users[id]) == 0 || users[id][len(users[id])-1] != i) {
				users[id] = append(users[id], i)
			}
		}
	}
	return users
}

// Producers gives, for every tensor, the node that computes it, −1 for
// constants and graph inputs.
func (g *Graph) Producers() []int {
	producers := make([]int, len(g.Tensors))
	for i := range producers {
		producers[i] = -1
	}
	for i := range g.Nodes {
		for _, id := range g.Nodes[i].Outputs {
			producers[id] = i
		}
	}
	return producers
}

// Compact removes nodes whose results nobody uses and tensors that no node
// mentions. Graph inputs stay. Tensor ids change; the order stays.
func (g *Graph) Compact() {
	needed := make([]bool, len(g.Tensors))
	for _, id := range slices.Concat(g.Inputs, g.Outputs) {
		needed[id] = true
	}
	nodes := g.Nodes[:0:0]
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		n := g.Nodes[i]
		if !slices.ContainsFunc(n.Outputs, func(id TensorID) bool { return needed[id] }) {
			continue
		}
		for _, id := range slices.Concat(n.Inputs, n.Outputs) {
			if id != None {
				needed[id] = true
			}
		}
		nodes = append(nodes, n)
	}
	slices.Reverse(nodes)
	g.Nodes = nodes
	ids := make([]TensorID, len(g.Tensors))
	kept := g.Tensors[:0:0]
	for i, t := range g.Tensors {
		ids[i] = None
		if needed[i] {
			ids[i] = TensorID(len(kept))
			kept = append(kept, t)
		}
	}
	g.Tensors = kept
	renumber := func(list []TensorID) []TensorID {
		out := slices.Clone(list)
		for i, id := range out {
			if id != None {
				out[i] = ids[id]
			}
		}
		return out
	}
	g.Inputs, g.Outputs = renumber(g.Inputs), renumber(g.Outputs)
	for i := range g.Nodes {
		g.Nodes[i].Inputs, g.Nodes[i].Outputs = renumber(g.Nodes[i].Inputs), renumber(g.Nodes[i].Outputs)
	}
}

// label names a tensor in an error, by the front of a very long name: those of a
// hostile file may be as long as the file, in the errors of many nodes.
func (g *Graph) label(id TensorID) string {
	return fmt.Sprintf("tensor %d %.120q", id, g.Tensors[id].Name)
}
