package graph

import (
	"fmt"
	"slices"

	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// integers are the value of a tensor that has to do with shapes.
type integers struct {
	shape tensor.Shape
	v     []int64
}

// folders compute operators on integers whose operands are known. Converters
// write them where a layer's shape depends on the batch: SHAPE → STRIDED_SLICE →
// PACK → RESHAPE.
var folders = map[tflite.Code]func(*reader, *tflite.Operator, []integers) (integers, error){
	tflite.Shape:         foldShape,
	tflite.Rank:          foldRank,
	tflite.Cast:          foldSame,
	tflite.Reshape:       foldReshape,
	tflite.Squeeze:       foldReshape,
	tflite.ExpandDims:    foldReshape,
	tflite.Slice:         foldSlice,
	tflite.StridedSlice:  foldSlice,
	tflite.Gather:        foldGather,
	tflite.Pack:          foldPack,
	tflite.Concatenation: foldConcatenation,
	tflite.Add:           foldBinary(func(a, b int64) int64 { return a + b }),
	tflite.Sub:           foldBinary(func(a, b int64) int64 { return a - b }),
	tflite.Mul:           foldBinary(func(a, b int64) int64 { return a * b }),
	tflite.Maximum:       foldBinary(func(a, b int64) int64 { return max(a, b) }),
	tflite.Minimum:       foldBinary(func(a, b int64) int64 { return min(a, b) }),
	tflite.FloorDiv:      foldBinary(floorDiv),
	tflite.ReduceProd:    foldProduct,
}

// maxFolded bounds what is computed here, far above any list of extents.
const maxFolded = 1 << 12

// fold computes an operator that gives integers from integers, or from the shape
// of a tensor alone. done is false for all others.
func (r *reader) fold(o *tflite.Operator) (done bool, err error) {
	f := folders[o.Code]
	if f == nil || len(o.Outputs) != 1 || len(o.Inputs) == 0 || slices.Contains(o.Inputs, tflite.NoTensor) {
		return false, nil
	}
	out := r.g.Tensor(TensorID(o.Outputs[0]))
	if out.Type != tensor.Int32 && out.Type != tensor.Int64 {
		return false, nil
	}
	operands, err := r.foldable(o)
	if err != nil {
		return false, err
	}
	if int(o.Code) < len(importers) && importers[o.Code].read != nil {
		if err := r.operands(o, importers[o.Code]); err != nil {
			return false, err
		}
	}
	result, err := f(r, o, operands)
	if err != nil {
		return false, err
	}
	return true, r.known(TensorID(o.Outputs[0]), result)
}

// foldable reads the operands, of SHAPE and RANK only their shapes.
func (r *reader) foldable(o *tflite.Operator) ([]integers, error) {
	operands, total := make([]integers, len(o.Inputs)), 0
	for i, id := range ids(o.Inputs) {
		t, x := r.g.Tensor(id), &operands[i]
		x.shape = t.Shape
		if o.Code == tflite.Shape || o.Code == tflite.Rank {
			if !r.ready[id] {
				return nil, fmt.Errorf("%w: %s is used before it is computed", ErrInvalid, r.g.label(id))
			}
			continue
		}
		if t.Int32 == nil && t.Int64 == nil {
			return nil, fmt.Errorf("%w: integers computed at run time from %s", ErrUnsupported, r.g.label(id))
		}
		if total += t.length(); total > maxFolded {
			return nil, fmt.Errorf("%w: arithmetic on %d integers with those of %s", ErrUnsupported, total, r.g.label(id))
		}
		for _, v := range t.Int32 {
			x.v = append(x.v, int64(v))
		}
		x.v = append(x.v, t.Int64...)
	}
	return operands, nil
}

// known makes an operator's output a constant.
func (r *reader) known(id TensorID, value integers) error {
	if n, ok := value.shape.Elements(); !ok || n != len(value.v) || n > maxFolded {
		return fmt.Errorf("%w: %d integers of shape %v", ErrUnsupported, len(value.v), value.shape)
	}
	c := Tensor{Name: r.g.Tensor(id).Name, Type: tensor.Int64, Shape: value.shape, Int64: append([]int64{}, value.v...)}
	return r.replace(id, c)
}

func foldShape(_ *reader, _ *tflite.Operator, in []integers) (integers, error) {
	v := make([]int64, len(in[0].shape))
	for i, d := range in[0].shape {
		v[i] = int64(d)
	}
	return integers{tensor.Shape{len(v)}, v}, nil
}

func foldRank(_ *reader, _ *tflite.Operator, in []integers) (integers, error) {
	return integers{nil, []int64{int64(len(in[0].shape))}}, nil
}

func foldSame(_ *reader, _ *tflite.Operator, in []integers) (integers, error) { return in[0], nil }

func foldReshape(r *reader, o *tflite.Operator, in []integers) (integers, error) {
	shape, err := r.newShape(o)
	return integers{shape, in[0].v}, err
}

func foldSlice(r *reader, o *tflite.Operator, in []integers) (integers, error) {
	op, shape, err := r.slice(o)
	if err != nil {
		return integers{}, err
	}
	if len(op.Begin) != 1 {
		return integers{}, fmt.Errorf("%w: a slice of integers of shape %v", ErrUnsupported, in[0].shape)
	}
	v := values(op.Count[0], func(i int) int64 { return in[0].v[op.Begin[0]+i*op.Stride[0]] })
	return integers{shape, v}, nil
}

func foldGather(_ *reader, o *tflite.Operator, in []integers) (integers, error) {
	if len(in) != 2 || len(in[0].shape) != 1 || o.Options.Int32(1, 0) != 0 {
		return integers{}, fmt.Errorf("%w: chosen from integers that are no list", ErrUnsupported)
	}
	out := integers{shape: in[1].shape}
	for _, i := range in[1].v {
		if i < 0 || i >= int64(len(in[0].v)) {
			return out, fmt.Errorf("%w: element %d of %d", ErrInvalid, i, len(in[0].v))
		}
		out.v = append(out.v, in[0].v[i])
	}
	return out, nil
}

// foldPack makes a list of single numbers.
func foldPack(_ *reader, _ *tflite.Operator, in []integers) (integers, error) {
	out := integers{shape: tensor.Shape{len(in)}}
	for _, x := range in {
		if len(x.shape) != 0 {
			return out, fmt.Errorf("%w: lists of integers packed", ErrUnsupported)
		}
		out.v = append(out.v, x.v...)
	}
	return out, nil
}

// foldConcatenation joins lists.
func foldConcatenation(_ *reader, _ *tflite.Operator, in []integers) (integers, error) {
	var out integers
	for _, x := range in {
		if len(x.shape) != 1 {
			return out, fmt.Errorf("%w: integers of shape %v joined", ErrUnsupported, x.shape)
		}
		out.v = append(out.v, x.v...)
	}
	out.shape = tensor.Shape{len(out.v)}
	return out, nil
}

// foldBinary computes f element by element; one number goes with all others.
func foldBinary(f func(a, b int64) int64) func(*reader, *tflite.Operator, []integers) (integers, error) {
	return func(_ *reader, _ *tflite.Operator, in []integers) (integers, error) {
		if len(in) != 2 {
			return integers{}, fmt.Errorf("%w: %d inputs, want 2", ErrInvalid, len(in))
		}
		a, b := in[0], in[1]
		if !a.shape.Equal(b.shape) && (len(a.v) == 0 || len(b.v) == 0 || len(a.v) != 1 && len(b.v) != 1) {
			return integers{}, fmt.Errorf("%w: integers of shapes %v and %v", ErrUnsupported, a.shape, b.shape)
		}
		out := integers{a.shape, make([]int64, max(len(a.v), len(b.v)))}
		if len(b.shape) > len(a.shape) || len(b.v) > len(a.v) {
			out.shape = b.shape
		}
		for i := range out.v {
			out.v[i] = f(a.v[i%len(a.v)], b.v[i%len(b.v)])
		}
		return out, nil
	}
}

// floorDiv rounds down, as TensorFlow does; by 0 it gives 0.
func floorDiv(a, b int64) int64 {
	if b == 0 {
		return 0
	}
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

// foldProduct multiplies a whole list.
func foldProduct(_ *reader, o *tflite.Operator, in []integers) (integers, error) {
	if len(in) != 2 || len(in[0].shape) > 1 {
		return integers{}, fmt.Errorf("%w: product along some axes", ErrUnsupported)
	}
	out := integers{v: []int64{1}}
	if o.Options.Bool(0, false) {
		out.shape = slices.Repeat(tensor.Shape{1}, len(in[0].shape))
	}
	for _, x := range in[0].v {
		out.v[0] *= x
	}
	return out, nil
}
