package op

import (
	"cmp"

	"kedge/runtime/kernel"
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
		if largest {
			return extremumBytes(p, kernel.LargestInt8, larger[int8])
		}
		return extremumBytes(p, kernel.SmallestInt8, smaller[int8])
	case tensor.Uint8:
		if largest {
			return extremumBytes(p, kernel.LargestUint8, larger[uint8])
		}
		return extremumBytes(p, kernel.SmallestUint8, smaller[uint8])
	case tensor.Int16:
		return pair(p, extremum[int16](largest))
	case tensor.Int32:
		return pair(p, extremum[int32](largest))
	case tensor.Int64:
		return pair(p, extremum[int64](largest))
	}
	return pair(p, extremum[float32](largest))
}

// extremum8 is MAXIMUM or MINIMUM of byte tensors of which neither has its
// innermost dimension repeated.
type extremum8 struct {
	x, y, out int
	broadcast
	kernels *kernel.Set
	order   kernel.Order
}

func extremumBytes[T int8 | uint8](p *Prep, order kernel.Order, f func(x, y T) T) (Evaluator, error) {
	x, y, out := p.in(0), p.in(1), p.out(0)
	b, err := p.broadcast(x, y, out)
	if err != nil {
		return nil, err
	}
	if dx, dy := b.inner(); dx == 0 || dy == 0 {
		return pair(p, f)
	}
	p.overwrites(0, 1)
	return &extremum8{x.id, y.id, out.id, b, p.Kernels, order}, nil
}

func (e *extremum8) Kernel() string { return e.kernels.ExtremeKernel() }

func (e *extremum8) Eval(m *Memory) {
	x, y, out := m.Tensors[e.x], m.Tensors[e.y], m.Tensors[e.out]
	e.rows(func(i, j, k, n int) {
		e.kernels.Extreme(e.order, kernel.Rows{Length: n, Count: 1}, out[k:], x[i:], y[j:])
	})
}
