package graph

import (
	"fmt"
	"slices"

	"kedge/runtime/tflite"
)

// paddings reads the operand of elements before and after each dimension.
func (r *reader) paddings(o *tflite.Operator) (before, after []int, err error) {
	rank := len(r.g.Tensor(TensorID(o.Inputs[0])).Shape)
	v, err := r.exactly(TensorID(o.Inputs[1]), 2*rank)
	if err != nil {
		return nil, nil, err
	}
	for i := range rank {
		before, after = append(before, v[2*i]), append(after, v[2*i+1])
	}
	return before, after, nil
}

// importPad reads PAD, which pads with 0, and PADV2, whose last operand is the
// value.
func importPad(r *reader, o *tflite.Operator) error {
	before, after, err := r.paddings(o)
	if err != nil {
		return err
	}
	op := Pad{Before: before, After: after}
	if len(o.Inputs) == 3 {
		if op.Value, err = r.scalar(TensorID(o.Inputs[2])); err != nil {
			return err
		}
	}
	return r.add(op, ids(o.Inputs[:1]), ids(o.Outputs))
}

// scalar is a constant of one real value.
func (r *reader) scalar(id TensorID) (float32, error) {
	t := r.g.Tensor(id)
	if !t.IsConstant() {
		return 0, fmt.Errorf("%w: operand %s is computed at run time", ErrUnsupported, r.g.label(id))
	}
	if t.length() != 1 || t.Float == nil && len(t.Quant.Scales) != 1 {
		return 0, fmt.Errorf("%w: operand %s is no real number", ErrInvalid, r.g.label(id))
	}
	v, err := t.reals()
	if err != nil {
		return 0, err
	}
	return v[0], nil
}

func importMirrorPad(r *reader, o *tflite.Operator) error {
	before, after, err := r.paddings(o)
	if err != nil {
		return err
	}
	op := Pad{Before: before, After: after}
	switch mode := o.Options.Byte(0, 0); mode {
	case 0:
		op.Mode = PadReflect
	case 1:
		op.Mode = PadSymmetric
	default:
		return fmt.Errorf("%w: mirroring mode %d", ErrInvalid, mode)
	}
	return r.add(op, ids(o.Inputs[:1]), ids(o.Outputs))
}

// importResizeBilinear: the first two fields of the options are deprecated.
func importResizeBilinear(r *reader, o *tflite.Operator) error {
	return r.resize(o, Resize{Bilinear: true, AlignCorners: o.Options.Bool(2, false), HalfPixelCenters: o.Options.Bool(3, false)})
}

func importResizeNearestNeighbor(r *reader, o *tflite.Operator) error {
	return r.resize(o, Resize{AlignCorners: o.Options.Bool(0, false), HalfPixelCenters: o.Options.Bool(1, false)})
}

func (r *reader) resize(o *tflite.Operator, op Resize) error {
	size, err := r.exactly(TensorID(o.Inputs[1]), 2)
	if err != nil {
		return err
	}
	op.H, op.W = size[0], size[1]
	return r.add(op, ids(o.Inputs[:1]), ids(o.Outputs))
}

// importReduce: along no axis nothing is reduced.
func importReduce(kind Reduction) func(*reader, *tflite.Operator) error {
	return func(r *reader, o *tflite.Operator) error {
		x := r.g.Tensor(TensorID(o.Inputs[0])).Shape
		axes, err := r.integers(TensorID(o.Inputs[1]), maxList)
		if err != nil {
			return err
		}
		for i, a := range axes {
			if axes[i], err = axis(a, len(x)); err != nil {
				return err
			}
		}
		slices.Sort(axes)
		axes = slices.Compact(axes)
		if len(axes) == 0 {
			return r.add(Reshape{Shape: slices.Clone(x)}, ids(o.Inputs[:1]), ids(o.Outputs))
		}
		return r.add(Reduce{Kind: kind, Axes: axes, KeepDims: o.Options.Bool(0, false)}, ids(o.Inputs[:1]), ids(o.Outputs))
	}
}
