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
