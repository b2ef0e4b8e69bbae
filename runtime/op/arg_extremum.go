package op

import (
	"cmp"
	"fmt"
	"slices"

	"kedge/runtime/tensor"
)

// argExtremum is ARG_MAX or ARG_MIN: the index along one dimension of the first
// raw value that none surpasses. What compares as false, as NaN does, does not
// surpass.
type argExtremum[T int8 | uint8 | float32, O int32 | int64] struct {
	in, out            int
	outer, size, inner int
	largest            bool
}

// prepareArgExtremum prepares ARG_MAX and ARG_MIN.
func prepareArgExtremum(p *Prep, largest bool) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	in, axis, out := p.in(0), p.in(1), p.out(0)
	if err := cmp.Or(
		p.types(in, tensor.Int8, tensor.Uint8, tensor.Float32), p.types(axis, tensor.Int32), p.types(out, tensor.Int32, tensor.Int64),
		p.constant(axis),
	); err != nil {
		return nil, err
	}
	if axis.elements() != 1 {
		return nil, p.invalid(axis, fmt.Sprintf("%d values", axis.elements()), "one axis")
	}
	values, err := p.int32s(axis)
	if err != nil {
		return nil, err
	}
	d := int(values[0])
	if d < 0 {
		d += len(in.Shape)
	}
	if d < 0 || d >= len(in.Shape) {
		return nil, p.invalid(axis, fmt.Sprintf("axis %d", values[0]), fmt.Sprintf("one of %d dimensions", len(in.Shape)))
	}
	if err := p.shape(out, slices.Delete(slices.Clone(in.Shape), d, d+1)); err != nil {
		return nil, err
	}
	size := in.Shape[d]
	if size == 0 && out.elements() > 0 {
		return nil, p.invalid(in, fmt.Sprintf("shape %v", in.Shape), "elements to compare")
	}
	outer, _ := in.Shape[:d].Elements()
	inner, _ := in.Shape[d+1:].Elements()
	if out.Type == tensor.Int64 {
		return bindArgExtremum[int64](in, out, outer, size, inner, largest), nil
	}
	return bindArgExtremum[int32](in, out, outer, size, inner, largest), nil
}

// bindArgExtremum picks the type of input.
func bindArgExtremum[O int32 | int64](in, out operand, outer, size, inner int, largest bool) Evaluator {
	switch in.Type {
	case tensor.Uint8:
		return &argExtremum[uint8, O]{in.id, out.id, outer, size, inner, largest}
	case tensor.Float32:
		return &argExtremum[float32, O]{in.id, out.id, outer, size, inner, largest}
	}
	return &argExtremum[int8, O]{in.id, out.id, outer, size, inner, largest}
}

func (a *argExtremum[T, O]) Eval(m *Memory) {
	in, out := get[T](m, a.in), get[O](m, a.out)
	clear(out)
	if len(out) == 0 {
		return
	}
	for range a.outer {
		best := out[:a.inner]
		for i := 1; i < a.size; i++ {
			for j, v := range in[i*a.inner : (i+1)*a.inner] {
				held := in[int(best[j])*a.inner+j]
				if a.largest && v > held || !a.largest && v < held {
					best[j] = O(i)
				}
			}
		}
		in, out = in[a.size*a.inner:], out[a.inner:]
	}
}
