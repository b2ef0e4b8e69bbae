package graph

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// FromTFLite reads a .tflite file into a Graph that passed Infer: float,
// quantized, or hybrid, that is float activations with quantized weights.
// Dequantize gives the float graph of the last two. Of several subgraphs it reads
// the first, the model's entry. Constants are copied; the graph does not refer to
// file.
//
// Operators are read as those of this package, some as two or three of them.
// Arithmetic on shapes, weights stored in float16 or without their zeros, and
// other constants are computed here. An unknown batch becomes 1. Tensors keep
// their names, see NameTensors, but not their numbers.
//
// Errors match ErrUnsupported (an *UnsupportedError, naming all operators that
// are not covered at once), ErrInvalid, or package tflite's.
func FromTFLite(file []byte) (*Graph, error) {
	// Above what a board may spend on loading: here models are unpacked that
	// hold one weight in twenty, and the four bits of a weight become a byte.
	budget := tflite.NewBudget(4*len(file) + 2<<20)
	m, err := tflite.Decode(file, budget)
	if err != nil {
		return nil, err
	}
	s := &m.Subgraphs[0]
	r := &reader{
		g:      &Graph{Name: s.Name, Description: m.Description, Inputs: ids(s.Inputs), Outputs: ids(s.Outputs)},
		budget: budget,
	}
	if err := r.tensors(s.Tensors); err != nil {
		return nil, err
	}
	if err := r.operators(s.Operators); err != nil {
		return nil, err
	}
	r.g.Compact() // operands that became fields
	r.g.NameTensors()
	if err := r.g.Infer(); err != nil {
		return nil, err
	}
	return r.g, nil
}

// reader is a model being read, operator by operator. Shapes are computed on the
// way: what an operator's constants mean depends on them, and files hold 1 for
// an extent that their writer did not know.
type reader struct {
	g      *Graph
	budget *tflite.Budget
	ready  []bool // by tensor: has a source so far
	// refused says by tensor why no operator can read it; empty for the others.
	refused []string
}

// operators reads them all. Those that are not covered are collected; what
// follows one is read with the shapes that the file states.
func (r *reader) operators(operators []tflite.Operator) error {
	var missing UnsupportedError
	for i := range operators {
		o := &operators[i]
		err := r.operator(o)
		switch {
		case err == nil:
			continue
		case errors.Is(err, ErrUnsupported):
			missing.Add(o.Name(), i, strings.TrimPrefix(err.Error(), ErrUnsupported.Error()+": "))
		case len(missing.Operators) == 0:
			return fmt.Errorf("node %d %s: %w", i, o.Name(), err)
		}
		for _, id := range o.Outputs {
			r.ready[id] = true
		}
	}
	return missing.Err()
}

// operator reads one operator: computes it, when it is about constants, or adds
// its nodes.
func (r *reader) operator(o *tflite.Operator) error {
	if done, err := r.fold(o); done || err != nil {
		return err
	}
	row := importer{}
	if o.Code >= 0 && int(o.Code) < len(importers) {
		row = importers[o.Code]
	}
	if row.read == nil {
		return fmt.Errorf("%w: no operator of the graph computes this", ErrUnsupported)
	}
	if err := r.operands(o, row); err != nil {
		return err
	}
	return row.read(r, o)
}

// operands checks their number, and that those of row.least are there.
func (r *reader) operands(o *tflite.Operator, row importer) error {
	if len(o.Inputs) < row.least || row.most > 0 && len(o.Inputs) > row.most {
		return fmt.Errorf("%w: %d inputs, want %d to %d", ErrInvalid, len(o.Inputs), row.least, row.most)
	}
	if len(o.Outputs) == 0 {
		return fmt.Errorf("%w: no output", ErrInvalid)
	}
	for i, id := range ids(o.Inputs) {
		switch {
		case id == None && (i < row.least || row.most == 0):
			return fmt.Errorf("%w: input %d is missing", ErrInvalid, i)
		case id != None && r.refused[id] != "":
			return fmt.Errorf("%w: %s %s", ErrUnsupported, r.g.label(id), r.refused[id])
		}
	}
	return nil
}

// activationTypes are the types of what operators compute.
var activationTypes = []tensor.Type{tensor.Float32, tensor.Int8, tensor.Uint8, tensor.Int16}

// add appends a node and computes the shapes of its outputs.
func (r *reader) add(op Op, inputs, outputs []TensorID) error {
	stated := make([]tensor.Shape, len(outputs))
	for i, id := range outputs {
		t := r.g.Tensor(id)
		if !slices.Contains(activationTypes, t.Type) {
			return fmt.Errorf("%w: its output %s is %v", ErrUnsupported, r.g.label(id), t.Type)
		}
		stated[i], t.Shape = t.Shape, nil
	}
	n := Node{Op: op, Inputs: inputs, Outputs: outputs}
	err := r.g.inferNode(&n, r.ready)
	for i, id := range outputs {
		t := r.g.Tensor(id)
		if err == nil && !states(stated[i], t.Shape) {
			err = fmt.Errorf("%w: %s has shape %v, computed %v", ErrInvalid, r.g.label(id), stated[i], t.Shape)
		}
		if err != nil {
			t.Shape = stated[i]
		}
	}
	if err == nil {
		r.g.Nodes = append(r.g.Nodes, n)
	}
	return err
}

// states reports whether a file that states one shape may mean the other:
// converters write no shape, or extents of 1 or −1, for what only a run decides.
func states(stated, computed tensor.Shape) bool {
	if len(stated) == 0 {
		return true
	}
	return slices.EqualFunc(stated, computed, func(s, c int) bool { return s == c || s == 1 || s == -1 })
}

// temporarySize is about what a tensor takes, with the node that computes it. One
// operator of the file may be read as many.
const temporarySize = 512

// temporary makes a tensor between the nodes that one operator is read as, of
// the type and scale of like.
func (r *reader) temporary(like TensorID, suffix string) (TensorID, error) {
	t := r.g.Tensor(like)
	if err := r.budget.Spend(len(t.Name)+temporarySize, 1); err != nil {
		return None, err
	}
	return r.append(Tensor{Name: t.Name + suffix, Type: t.Type, Quant: t.Quant}), nil
}

// temporaries makes n of them, numbered.
func (r *reader) temporaries(like TensorID, suffix string, n int) ([]TensorID, error) {
	var out []TensorID
	for i := range n {
		id, err := r.temporary(like, suffix+strconv.Itoa(i))
		if err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, nil
}

// append adds a tensor; a constant is ready at once.
func (r *reader) append(t Tensor) TensorID {
	r.ready, r.refused = append(r.ready, t.IsConstant()), append(r.refused, "")
	return r.g.AddTensor(t)
}

func ids(indices []int) []TensorID {
	out := make([]TensorID, len(indices))
	for i, x := range indices {
		out[i] = TensorID(x) // tflite.NoTensor and None are both -1
	}
	return out
}

// trimmed is ids without the optional operands that are missing at the end.
func trimmed(indices []int) []TensorID {
	out := ids(indices)
	for len(out) > 0 && out[len(out)-1] == None {
		out = out[:len(out)-1]
	}
	return out
}
