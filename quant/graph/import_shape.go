package graph

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// importReshape reads the operators that only change the shape.
func importReshape(r *reader, o *tflite.Operator) error {
	in, out := TensorID(o.Inputs[0]), TensorID(o.Outputs[0])
	shape, err := r.newShape(o)
	if err != nil {
		// Tools that cut channels from a finished file leave the operand behind.
		// TensorFlow Lite Micro, and package runtime, go by the output's own
		// shape, and so such files work.
		from, ok := r.g.Tensor(in).Shape.Elements()
		to, sound := r.g.Tensor(out).Shape.Elements()
		if o.Code != tflite.Reshape || !errors.Is(err, ErrInvalid) || !ok || !sound || from != to {
			return err
		}
		shape = slices.Clone(r.g.Tensor(out).Shape)
	}
	return r.reshape(in, out, shape, o)
}

// reshape adds a Reshape; of a constant it makes a constant.
func (r *reader) reshape(in, out TensorID, shape tensor.Shape, o *tflite.Operator) error {
	c := *r.g.Tensor(in)
	if len(o.Outputs) != 1 || !c.IsConstant() {
		return r.add(Reshape{Shape: shape}, []TensorID{in}, []TensorID{out})
	}
	if n, ok := shape.Elements(); !ok || n != c.length() || c.Quant.PerChannel() {
		return fmt.Errorf("%w: constant %v to %v", ErrInvalid, c.Shape, shape)
	}
	c.Name, c.Shape = r.g.Tensor(out).Name, shape
	return r.replace(out, c)
}

// newShape is the output shape of RESHAPE, SQUEEZE or EXPAND_DIMS.
func (r *reader) newShape(o *tflite.Operator) (tensor.Shape, error) {
	x := r.g.Tensor(TensorID(o.Inputs[0])).Shape
	switch o.Code {
	case tflite.Squeeze:
		dims, err := listOption(o.Options, 0)
		if err != nil {
			return nil, err
		}
		return squeezed(x, dims)
	case tflite.ExpandDims:
		at, err := r.axisOperand(TensorID(o.Inputs[1]), len(x)+1)
		if err != nil {
			return nil, err
		}
		return slices.Insert(slices.Clone(x), at, 1), nil
	}
	return r.reshaped(x, o)
}

// listOption is a field of the options that holds a list of integers.
func listOption(o tflite.Table, field int) ([]int, error) {
	raw, err := o.Int32s(field)
	if err != nil {
		return nil, err
	}
	if len(raw) > 4*maxList {
		return nil, fmt.Errorf("%w: %d values in option %d", ErrInvalid, len(raw)/4, field)
	}
	return values(len(raw)/4, func(i int) int { return int(int32(binary.LittleEndian.Uint32(raw[4*i:]))) }), nil
}

// squeezed drops the dimensions listed, or all of extent 1 where none is.
func squeezed(x tensor.Shape, dims []int) (tensor.Shape, error) {
	drop := make([]bool, len(x))
	for _, d := range dims {
		d, err := axis(d, len(x))
		if err != nil {
			return nil, err
		}
		if x[d] != 1 {
			return nil, fmt.Errorf("%w: dimension %d of %v is not 1", ErrInvalid, d, x)
		}
		drop[d] = true
	}
	out := tensor.Shape{}
	for i, d := range x {
		if !drop[i] && (len(dims) > 0 || d != 1) {
			out = append(out, d)
		}
	}
	return out, nil
}

// reshaped is RESHAPE's shape: from the second operand, or from the options where
// there is none. One extent may be −1.
func (r *reader) reshaped(x tensor.Shape, o *tflite.Operator) (tensor.Shape, error) {
	var shape []int
	var err error
	if len(o.Inputs) == 2 && o.Inputs[1] != tflite.NoTensor {
		shape, err = r.integers(TensorID(o.Inputs[1]), maxList)
	} else if shape, err = listOption(o.Options, 0); slices.Equal(shape, []int{0}) {
		shape = nil // how old converters write a scalar
	}
	if err != nil {
		return nil, err
	}
	n, _ := x.Elements()
	stated, open, known := shape, slices.Index(shape, -1), 1
	for i, d := range shape {
		if i == open {
			continue
		}
		if d < 0 || d > 0 && known > n/d {
			return nil, fmt.Errorf("%w: %v to shape %v", ErrInvalid, x, shape)
		}
		known *= d
	}
	if open >= 0 && known > 0 {
		shape = slices.Clone(shape)
		shape[open] = n / known
		known *= shape[open]
	}
	if known != n {
		return nil, fmt.Errorf("%w: %v to shape %v", ErrInvalid, x, stated)
	}
	return append(tensor.Shape{}, shape...), nil
}

func importTranspose(r *reader, o *tflite.Operator) error {
	perm, err := r.exactly(TensorID(o.Inputs[1]), len(r.g.Tensor(TensorID(o.Inputs[0])).Shape))
	if err != nil {
		return err
	}
	for i, d := range perm {
		if perm[i], err = axis(d, len(perm)); err != nil {
			return err
		}
	}
	op, in, out := Transpose{Perm: perm}, ids(o.Inputs[:1]), ids(o.Outputs)
	if r.g.Tensor(in[0]).Float != nil && len(out) == 1 {
		return r.transposed(op, in[0], out[0])
	}
	return r.add(op, in, out)
}

// transposed computes a Transpose of a constant, which may be a layer's weights.
func (r *reader) transposed(op Transpose, in, out TensorID) error {
	c := Tensor{Name: r.g.Tensor(out).Name}
	one := &Graph{Tensors: []Tensor{*r.g.Tensor(in), {}}, Outputs: []TensorID{1}}
	one.AddNode(op, []TensorID{0}, []TensorID{1})
	shapes, err := op.infer(one, &one.Nodes[0])
	if err != nil {
		return err
	}
	one.Tensors[1].Shape, c.Shape = shapes[0], shapes[0]
	e, err := NewExecutor(one)
	if err != nil {
		return err
	}
	values, err := e.Run(nil, nil)
	if err != nil {
		return err
	}
	c.Float = values[0]
	return r.replace(out, c)
}

func importConcatenation(r *reader, o *tflite.Operator) error {
	at, err := axis(int(o.Options.Int32(0, 0)), len(r.g.Tensor(TensorID(o.Inputs[0])).Shape))
	if err != nil {
		return err
	}
	return r.add(Concatenation{Axis: at, Activation: Activation(o.Options.Byte(1, 0))}, ids(o.Inputs), ids(o.Outputs))
}

// importPack: each input gets the new dimension, then they are joined along it.
func importPack(r *reader, o *tflite.Operator) error {
	x := r.g.Tensor(TensorID(o.Inputs[0])).Shape
	at, err := axis(int(o.Options.Int32(1, 0)), len(x)+1)
	if err != nil {
		return err
	}
	shape := slices.Insert(slices.Clone(x), at, 1)
	if len(o.Inputs) == 1 {
		return r.reshape(TensorID(o.Inputs[0]), TensorID(o.Outputs[0]), shape, o)
	}
	parts := ids(o.Inputs)
	for i, id := range parts {
		if parts[i], err = r.temporary(id, "/packed"+strconv.Itoa(i)); err != nil {
			return err
		}
		if err := r.reshape(id, parts[i], slices.Clone(shape), o); err != nil {
			return err
		}
	}
	return r.add(Concatenation{Axis: at}, parts, ids(o.Outputs))
}

// importUnpack: the input is split into parts of extent 1, which then lose that
// dimension.
func importUnpack(r *reader, o *tflite.Operator) error {
	x, outputs := TensorID(o.Inputs[0]), ids(o.Outputs)
	shape := r.g.Tensor(x).Shape
	at, err := axis(int(o.Options.Int32(1, 0)), len(shape))
	if err != nil {
		return err
	}
	parts := []TensorID{x}
	if len(outputs) > 1 {
		if parts, err = r.temporaries(x, "/unpacked", len(outputs)); err != nil {
			return err
		}
		if err := r.add(Split{Axis: at, Sizes: slices.Repeat([]int{1}, len(outputs))}, []TensorID{x}, parts); err != nil {
			return err
		}
	}
	rest := slices.Delete(slices.Clone(r.g.Tensor(x).Shape), at, at+1)
	for i, id := range outputs {
		if err := r.add(Reshape{Shape: slices.Clone(rest)}, parts[i:i+1], []TensorID{id}); err != nil {
			return err
		}
	}
	return nil
}

// importSplit: the axis is the first operand.
func importSplit(r *reader, o *tflite.Operator) error {
	x := TensorID(o.Inputs[1])
	shape := r.g.Tensor(x).Shape
	at, err := r.axisOperand(TensorID(o.Inputs[0]), len(shape))
	if err != nil {
		return err
	}
	n := len(o.Outputs)
	if shape[at]%n != 0 {
		return fmt.Errorf("%w: %d elements in %d parts", ErrInvalid, shape[at], n)
	}
	return r.add(Split{Axis: at, Sizes: slices.Repeat([]int{shape[at] / n}, n)}, []TensorID{x}, ids(o.Outputs))
}

// importSplitV: one of the sizes may be −1, the rest.
func importSplitV(r *reader, o *tflite.Operator) error {
	shape := r.g.Tensor(TensorID(o.Inputs[0])).Shape
	sizes, err := r.exactly(TensorID(o.Inputs[1]), len(o.Outputs))
	if err != nil {
		return err
	}
	at, err := r.axisOperand(TensorID(o.Inputs[2]), len(shape))
	if err != nil {
		return err
	}
	if open := slices.Index(sizes, -1); open >= 0 {
		rest := shape[at]
		for i, s := range sizes {
			if i != open {
				rest -= s
			}
		}
		sizes[open] = rest
	}
	return r.add(Split{Axis: at, Sizes: sizes}, ids(o.Inputs[:1]), ids(o.Outputs))
}
