package graph

import (
	"fmt"
	"slices"

	"kedge/runtime/tensor"
)

// grouped adds a convolution whose filters see only their group of the input's
// channels: the input split, a convolution for each part, and the results joined.
func (r *reader) grouped(op Conv2D, in, out []TensorID, groups int) error {
	x, w := r.g.Tensor(in[0]), r.g.Tensor(in[1])
	if len(out) != 1 || w.Shape[0]%groups != 0 {
		return fmt.Errorf("%w: %d filters in %d groups, %d outputs", ErrInvalid, w.Shape[0], groups, len(out))
	}
	if !w.IsConstant() {
		return fmt.Errorf("%w: weights computed at run time", ErrUnsupported)
	}
	if err := r.budget.Spend(w.length(), realSize); err != nil {
		return err
	}
	sizes := slices.Repeat([]int{x.Shape[3] / groups}, groups)
	parts, err := r.temporaries(in[0], "/group", groups)
	if err != nil {
		return err
	}
	results, err := r.temporaries(out[0], "/group", groups)
	if err != nil {
		return err
	}
	if err := r.add(Split{Axis: 3, Sizes: sizes}, in[:1], parts); err != nil {
		return err
	}
	for i := range groups {
		inputs := []TensorID{parts[i]}
		for _, id := range in[1:] {
			part, err := r.g.Tensor(id).part(i, groups)
			if err != nil {
				return fmt.Errorf("%s: %w", r.g.label(id), err)
			}
			inputs = append(inputs, r.append(part))
		}
		if err := r.add(op, inputs, results[i:i+1]); err != nil {
			return err
		}
	}
	return r.add(Concatenation{Axis: 3}, results, out)
}

// part is the i-th of n equal parts of a constant along dimension 0.
func (t *Tensor) part(i, n int) (Tensor, error) {
	if len(t.Shape) == 0 || t.Shape[0]%n != 0 || !t.IsConstant() {
		return Tensor{}, fmt.Errorf("%w: %v in %d groups", ErrInvalid, t.Shape, n)
	}
	out := Tensor{Name: fmt.Sprintf("%s/group%d", t.Name, i), Shape: slices.Clone(t.Shape), Type: t.Type, Quant: t.Quant}
	out.Shape[0] /= n
	out.Float, out.Int8, out.Uint8, out.Int16 = cut(t.Float, i, n), cut(t.Int8, i, n), cut(t.Uint8, i, n), cut(t.Int16, i, n)
	out.Int32, out.Int64 = cut(t.Int32, i, n), cut(t.Int64, i, n)
	if t.Quant.PerChannel() && t.Quant.Dim == 0 {
		if len(t.Quant.Scales) != t.Shape[0] {
			return out, fmt.Errorf("%w: %d scales for %d filters", ErrInvalid, len(t.Quant.Scales), t.Shape[0])
		}
		out.Quant = tensor.Quant{Scales: cut(t.Quant.Scales, i, n), ZeroPoints: cut(t.Quant.ZeroPoints, i, n)}
	}
	return out, nil
}

// cut is the i-th of n equal parts of a slice, nil of nil.
func cut[T any](s []T, i, n int) []T {
	if s == nil {
		return nil
	}
	size := len(s) / n
	return s[i*size : (i+1)*size : (i+1)*size]
}
