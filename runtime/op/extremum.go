package op

import (
	"cmp"

	"kedge/runtime/tensor"
)

// larger and smaller give y where the values do not compare, as NaN does not.
func larger[T element](x, y T) T {
	if x > y {
		return x
	}
	return y
}

func smaller[T element](x, y T) T {
	if x < y {
		return x
	}
	return y
}

// extremum is larger or smaller.
func extremum[T element](largest bool) func(x, y T) T {
	if largest {
		return larger[T]
	}
	return smaller[T]
}

// prepareExtremum prepares MAXIMUM and MINIMUM.
func prepareExtremum(p *Prep, largest bool) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	out := p.out(0)
	if err := cmp.Or(
		p.types(out, tensor.Int8, tensor.Uint8, tensor.Int16, tensor.Int32, tensor.Int64, tensor.Float32),
		p.types(p.in(0), out.Type), p.types(p.in(1), out.Type),
	); err != nil {
		return nil, err
	}
	switch out.Type {
	case tensor.Int8:
		if p.in(0).Shape.Equal(p.in(1).Shape) && p.in(0).Shape.Equal(out.Shape) {
			p.overwrites(0, 1)
			return &extremum8{p.in(0).id, p.in(1).id, out.id, largest}, nil
		}
		return pair(p, extremum[int8](largest))
	case tensor.Uint8:
		return pair(p, extremum[uint8](largest))
	case tensor.Int16:
		return pair(p, extremum[int16](largest))
	case tensor.Int32:
		return pair(p, extremum[int32](largest))
	case tensor.Int64:
		return pair(p, extremum[int64](largest))
	}
	return pair(p, extremum[float32](largest))
}

// extremum8 is MAXIMUM or MINIMUM of int8 tensors of one shape, without a call for
// every element.
type extremum8 struct {
	x, y, out int
	largest   bool
}

func (e *extremum8) Eval(m *Memory) {
	x, y, out := get[int8](m, e.x), get[int8](m, e.y), get[int8](m, e.out)
	x, y = x[:len(out)], y[:len(out)]
	if e.largest {
		for i, v := range x {
			out[i] = max(v, y[i])
		}
		return
	}
	for i, v := range x {
		out[i] = min(v, y[i])
	}
}
