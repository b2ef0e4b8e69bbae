package graph

import (
	"fmt"

	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// Numbers of the options' fields below are positions in the tables of the TFLite
// schema. Those of convolutions and pools begin alike.
const (
	fieldPadding = 0
	fieldStrideW = 1
	fieldStrideH = 2
)

// The schema's Padding.
const (
	paddingSame  = 0
	paddingValid = 1
)

// window reads how a filter of fh × fw taps moves over x. Dilation stands in the
// fields dilation (columns) and dilation+1 (rows); 0 for operators without it.
func (r *reader) window(o tflite.Table, dilation int, x tensor.Shape, fh, fw int) (Window, error) {
	w := Window{StrideW: int(o.Int32(fieldStrideW, 0)), StrideH: int(o.Int32(fieldStrideH, 0)), DilationH: 1, DilationW: 1}
	if dilation > 0 {
		w.DilationW, w.DilationH = int(o.Int32(dilation, 1)), int(o.Int32(dilation+1, 1))
	}
	if err := w.check(fh, fw); err != nil {
		return w, err
	}
	switch p := o.Byte(fieldPadding, 0); p {
	case paddingSame:
		return w.Same(x[1], x[2], fh, fw), nil
	case paddingValid:
		return w, nil
	default:
		return w, fmt.Errorf("%w: padding %d", ErrInvalid, p)
	}
}

// images checks that tensors have four dimensions.
func (r *reader) images(list ...TensorID) error {
	for _, id := range list {
		if s := r.g.Tensor(id).Shape; len(s) != 4 {
			return fmt.Errorf("%w: %s has shape %v, want four dimensions", ErrInvalid, r.g.label(id), s)
		}
	}
	return nil
}

func importConv2D(r *reader, o *tflite.Operator) error {
	in := trimmed(o.Inputs)
	if err := r.images(in[0], in[1]); err != nil {
		return err
	}
	x, w := r.g.Tensor(in[0]).Shape, r.g.Tensor(in[1]).Shape
	window, err := r.window(o.Options, 4, x, w[1], w[2])
	if err != nil {
		return err
	}
	op := Conv2D{Window: window, Activation: Activation(o.Options.Byte(3, 0))}
	if w[3] > 0 && x[3] > w[3] && x[3]%w[3] == 0 {
		return r.grouped(op, in, ids(o.Outputs), x[3]/w[3])
	}
	return r.add(op, in, ids(o.Outputs))
}

func importDepthwiseConv2D(r *reader, o *tflite.Operator) error {
	in := trimmed(o.Inputs)
	if err := r.images(in[0], in[1]); err != nil {
		return err
	}
	x, w := r.g.Tensor(in[0]).Shape, r.g.Tensor(in[1]).Shape
	window, err := r.window(o.Options, 5, x, w[1], w[2])
	if err != nil {
		return err
	}
	if x[3] < 1 || w[3]%x[3] != 0 {
		return fmt.Errorf("%w: filter %v does not fit input %v", ErrInvalid, w, x)
	}
	// The options have the multiplier too; TFLite goes by the shapes.
	return r.add(DepthwiseConv2D{Window: window, Multiplier: w[3] / x[3], Activation: Activation(o.Options.Byte(4, 0))}, in, ids(o.Outputs))
}

// importTransposeConv: the padding is the one that a convolution from the output
// to the input would have.
func importTransposeConv(r *reader, o *tflite.Operator) error {
	in := trimmed(o.Inputs)
	shape, err := r.exactly(in[0], 4)
	if err != nil {
		return err
	}
	if err := r.images(in[1], in[2]); err != nil {
		return err
	}
	for _, d := range shape {
		if d < 1 {
			return fmt.Errorf("%w: output shape %v", ErrInvalid, shape)
		}
	}
	w := r.g.Tensor(in[1]).Shape
	window, err := r.window(o.Options, 0, shape, w[1], w[2])
	if err != nil {
		return err
	}
	op := TransposeConv{
		StrideH: window.StrideH, StrideW: window.StrideW, PadTop: window.Pad.Top, PadLeft: window.Pad.Left,
		OutputH: shape[1], OutputW: shape[2], Activation: Activation(o.Options.Byte(3, 0)),
	}
	inputs := append([]TensorID{in[2], in[1]}, in[3:]...)
	return r.add(op, inputs, ids(o.Outputs))
}

// pool reads what both pools have.
func (r *reader) pool(o *tflite.Operator) (w Window, fh, fw int, err error) {
	x := TensorID(o.Inputs[0])
	if err := r.images(x); err != nil {
		return w, 0, 0, err
	}
	fw, fh = int(o.Options.Int32(3, 0)), int(o.Options.Int32(4, 0))
	w, err = r.window(o.Options, 0, r.g.Tensor(x).Shape, fh, fw)
	return w, fh, fw, err
}

func importAveragePool2D(r *reader, o *tflite.Operator) error {
	w, fh, fw, err := r.pool(o)
	if err != nil {
		return err
	}
	return r.add(AveragePool2D{Window: w, FilterH: fh, FilterW: fw, Activation: Activation(o.Options.Byte(5, 0))}, ids(o.Inputs), ids(o.Outputs))
}

func importMaxPool2D(r *reader, o *tflite.Operator) error {
	w, fh, fw, err := r.pool(o)
	if err != nil {
		return err
	}
	return r.add(MaxPool2D{Window: w, FilterH: fh, FilterW: fw, Activation: Activation(o.Options.Byte(5, 0))}, ids(o.Inputs), ids(o.Outputs))
}
