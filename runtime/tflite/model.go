package tflite

import (
	"strconv"
	"unicode/utf8"

	"kedge/runtime/tensor"
)

// Model is one decoded file.
type Model struct {
	Description string
	Subgraphs   []Subgraph // at least one; the first is the model's entry
}

// Subgraph is one function of the model: tensors, and operators in execution
// order.
type Subgraph struct {
	Name      string
	Tensors   []Tensor
	Inputs    []int // indices into Tensors, in range
	Outputs   []int // indices into Tensors, in range
	Operators []Operator
}

// Tensor describes one tensor.
type Tensor struct {
	Name     string
	Type     tensor.Type
	Shape    tensor.Shape // may hold -1 where the file does; not yet checked otherwise
	Quant    tensor.Quant
	Variable bool   // keeps its content from one inference to the next
	Data     []byte // of a constant, aliasing the file; nil when computed
	// Sparsity describes the compressed form that the file holds a constant in,
	// nil for every other tensor. With Compressed set, Data is in that form.
	Sparsity   *Sparsity
	Compressed bool
}

// Label names tensor i in messages: by its name, shortened, or as #i where it has
// none.
func (t *Tensor) Label(i int) string {
	if t.Name == "" {
		return "#" + strconv.Itoa(i)
	}
	return shorten(t.Name)
}

// maxLabel limits the names in messages: those of a hostile file may be as long
// as the file, and every operator may have something to say about each.
const maxLabel = 120

// shorten cuts a name to maxLabel bytes, at a character.
func shorten(name string) string {
	if len(name) <= maxLabel {
		return name
	}
	end := maxLabel
	for end > 0 && !utf8.RuneStart(name[end]) {
		end--
	}
	return name[:end] + "…"
}

// NoTensor stands in Operator.Inputs for an optional input that is not given.
const NoTensor = -1

// Operator is one step.
type Operator struct {
	Code    Code
	Custom  string // the custom operator's name when Code is Custom
	Version int
	Inputs  []int // indices into Tensors, or NoTensor
	Outputs []int // indices into Tensors
	Options Table // the operator's builtin options; the zero Table when absent

	// CustomOptions are the options of a custom operator, by convention what
	// OpenFlexMap reads; they alias the file.
	CustomOptions []byte
}

// Name is the operator's name for messages: CONV_2D, or a custom operator's own,
// shortened.
func (o *Operator) Name() string {
	if o.Code == Custom {
		return "CUSTOM(" + shorten(o.Custom) + ")"
	}
	return o.Code.String()
}
