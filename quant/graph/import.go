package graph

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// FromTFLite reads a .tflite file, float or int8, into a Graph that passed
// Infer. Constants are copied; the graph does not refer to file.
//
// Errors match ErrUnsupported (all operators that are not covered are named at
// once), ErrInvalid, or package tflite's.
func FromTFLite(file []byte) (*Graph, error) {
	budget := tflite.NewBudget(len(file))
	m, err := tflite.Decode(file, budget)
	if err != nil {
		return nil, err
	}
	s := &m.Subgraphs[0]
	g := &Graph{Name: s.Name, Description: m.Description, Inputs: ids(s.Inputs), Outputs: ids(s.Outputs)}
	for i := range s.Tensors {
		t, err := importTensor(&s.Tensors[i], budget)
		if err != nil {
			return nil, fmt.Errorf("tensor %d %q: %w", i, s.Tensors[i].Name, err)
		}
		g.AddTensor(t)
	}
	var missing []string
	for i := range s.Operators {
		o := &s.Operators[i]
		op, err := importOp(o)
		if err != nil {
			return nil, fmt.Errorf("node %d: %w", i, err)
		}
		if op == nil && !slices.Contains(missing, o.Name()) {
			missing = append(missing, o.Name())
		}
		g.AddNode(op, ids(o.Inputs), ids(o.Outputs))
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%w: operators %s", ErrUnsupported, strings.Join(missing, ", "))
	}
	if err := g.Infer(); err != nil {
		return nil, err
	}
	return g, nil
}

// importOp returns nil for an operator that this package does not have.
func importOp(o *tflite.Operator) (Op, error) {
	switch o.Code {
	case tflite.FullyConnected:
		// Fields of FullyConnectedOptions in the schema: 0 activation,
		// 1 weights_format, 2 keep_num_dims.
		if f := o.Options.Byte(1, 0); f != 0 {
			return nil, fmt.Errorf("%w: %s with shuffled weights (format %d)", ErrUnsupported, o.Name(), f)
		}
		return FullyConnected{Activation: Activation(o.Options.Byte(0, 0)), KeepDims: o.Options.Byte(2, 0) != 0}, nil
	case tflite.Softmax:
		return Softmax{Beta: o.Options.Float32(0, 0)}, nil
	}
	return nil, nil
}

func importTensor(t *tflite.Tensor, budget *tflite.Budget) (Tensor, error) {
	out := Tensor{Name: t.Name, Shape: slices.Clone(t.Shape), Type: t.Type, Quant: t.Quant}
	data := t.Data
	if data == nil {
		return out, nil
	}
	if t.Compressed {
		var err error
		if data, err = t.Expand(budget); err != nil {
			return out, err
		}
	}
	n, ok := t.Shape.Bytes(t.Type)
	if !ok || n != len(data) {
		return out, fmt.Errorf("%w: %d bytes of data for %v %v", ErrInvalid, len(data), t.Type, t.Shape)
	}
	switch t.Type {
	case tensor.Float32:
		out.Float = make([]float32, n/4)
		for i := range out.Float {
			out.Float[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
	case tensor.Int32:
		out.Int32 = make([]int32, n/4)
		for i := range out.Int32 {
			out.Int32[i] = int32(binary.LittleEndian.Uint32(data[4*i:]))
		}
	case tensor.Int8:
		out.Int8 = make([]int8, n)
		for i, b := range data {
			out.Int8[i] = int8(b)
		}
	default:
		return out, fmt.Errorf("%w: constant of type %v", ErrUnsupported, t.Type)
	}
	return out, nil
}

func ids(indices []int) []TensorID {
	out := make([]TensorID, len(indices))
	for i, x := range indices {
		out[i] = TensorID(x) // tflite.NoTensor and None are both -1
	}
	return out
}
