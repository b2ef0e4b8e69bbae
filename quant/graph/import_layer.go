package graph

import (
	"fmt"
	"slices"

	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// importFullyConnected: keeping the dimensions of an input that is rows of the
// weights' width already has no effect.
func importFullyConnected(r *reader, o *tflite.Operator) error {
	if f := o.Options.Byte(1, 0); f != 0 {
		return fmt.Errorf("%w: shuffled weights (format %d)", ErrUnsupported, f)
	}
	x := r.g.Tensor(TensorID(o.Inputs[0])).Shape
	op := FullyConnected{Activation: Activation(o.Options.Byte(0, 0)), KeepDims: o.Options.Bool(2, false) && len(x) != 2}
	return r.add(op, trimmed(o.Inputs), ids(o.Outputs))
}

func importBatchMatMul(r *reader, o *tflite.Operator) error {
	return r.add(BatchMatMul{AdjX: o.Options.Bool(0, false), AdjY: o.Options.Bool(1, false)}, ids(o.Inputs), ids(o.Outputs))
}

// importBinary reads an operator of two operands, whose options may begin with an
// activation.
func importBinary(kind Arithmetic, activated bool) func(*reader, *tflite.Operator) error {
	return func(r *reader, o *tflite.Operator) error {
		op := Binary{Kind: kind}
		if activated {
			op.Activation = Activation(o.Options.Byte(0, 0))
		}
		return r.add(op, ids(o.Inputs), ids(o.Outputs))
	}
}

func importUnary(kind Function) func(*reader, *tflite.Operator) error {
	return func(r *reader, o *tflite.Operator) error {
		return r.add(Unary{Kind: kind}, ids(o.Inputs), ids(o.Outputs))
	}
}

func importGELU(r *reader, o *tflite.Operator) error {
	if o.Options.Bool(0, false) {
		return fmt.Errorf("%w: approximated by tanh; convert the model with the exact form", ErrUnsupported)
	}
	return r.add(Unary{Kind: FuncGELU}, ids(o.Inputs), ids(o.Outputs))
}

func importLeakyReLU(r *reader, o *tflite.Operator) error {
	return r.add(LeakyReLU{Alpha: o.Options.Float32(0, 0)}, ids(o.Inputs), ids(o.Outputs))
}

func importPReLU(r *reader, o *tflite.Operator) error {
	return r.add(PReLU{}, ids(o.Inputs), ids(o.Outputs))
}

func importSoftmax(r *reader, o *tflite.Operator) error {
	return r.add(Softmax{Beta: o.Options.Float32(0, 0)}, ids(o.Inputs), ids(o.Outputs))
}

func importLogSoftmax(r *reader, o *tflite.Operator) error {
	return r.add(LogSoftmax{}, ids(o.Inputs), ids(o.Outputs))
}

// importL2Normalization: the options name an activation, which TFLite refuses.
func importL2Normalization(r *reader, o *tflite.Operator) error {
	if a := Activation(o.Options.Byte(0, 0)); a != Linear {
		return fmt.Errorf("%w: fused %v", ErrUnsupported, a)
	}
	return r.add(L2Normalization{}, ids(o.Inputs), ids(o.Outputs))
}

// importQuantize: the type and scale are the output's.
func importQuantize(r *reader, o *tflite.Operator) error {
	t := r.g.Tensor(TensorID(o.Outputs[0]))
	return r.add(Quantize{To: t.Type, Quant: t.Quant}, ids(o.Inputs), ids(o.Outputs))
}

// importDequantize: of a constant it is computed here.
func importDequantize(r *reader, o *tflite.Operator) error {
	from, to := r.g.Tensor(TensorID(o.Inputs[0])), r.g.Tensor(TensorID(o.Outputs[0]))
	if !from.IsConstant() {
		return r.add(Dequantize{Quant: from.Quant}, ids(o.Inputs), ids(o.Outputs))
	}
	if to.Type != tensor.Float32 || from.Type != tensor.Float32 && len(from.Quant.Scales) == 0 {
		return fmt.Errorf("%w: from %v to %v", ErrUnsupported, from.Type, to.Type)
	}
	c := Tensor{Name: to.Name, Shape: slices.Clone(from.Shape), Float: from.Float} // float32 was float16 in the file
	if from.Float == nil {
		var err error
		if c.Float, err = from.reals(); err != nil {
			return err
		}
	}
	return r.replace(TensorID(o.Outputs[0]), c)
}

// importDensify: the reader has put the zeros in place already.
func importDensify(r *reader, o *tflite.Operator) error {
	c := *r.g.Tensor(TensorID(o.Inputs[0]))
	if !c.IsConstant() {
		return fmt.Errorf("%w: of %s, which is no constant", ErrUnsupported, r.g.label(TensorID(o.Inputs[0])))
	}
	c.Name, c.Shape = r.g.Tensor(TensorID(o.Outputs[0])).Name, slices.Clone(c.Shape)
	return r.replace(TensorID(o.Outputs[0]), c)
}

// realSize is what a constant's value takes in the float graph. Constants that
// share their values here may not share them there.
const realSize = 4

// replace makes what an operator computes a constant.
func (r *reader) replace(id TensorID, c Tensor) error {
	if r.ready[id] {
		return fmt.Errorf("%w: %s has two sources", ErrInvalid, r.g.label(id))
	}
	if err := r.budget.Spend(c.length(), realSize); err != nil {
		return err
	}
	r.g.Tensors[id], r.ready[id] = c, true
	return nil
}
