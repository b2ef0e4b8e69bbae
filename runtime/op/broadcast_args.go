package op

import (
	"cmp"

	"kedge/runtime/tensor"
)

// broadcastArgs is BROADCAST_ARGS: the shape that two shapes, lists of extents,
// broadcast to. Where extents differ and neither is 1, at which the reference
// stops the program, the first counts.
type broadcastArgs[T int32 | int64] struct{ x, y, out int }

func prepareBroadcastArgs(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	x, y, out := p.in(0), p.in(1), p.out(0)
	if err := cmp.Or(
		p.types(x, tensor.Int32, tensor.Int64), p.types(y, x.Type), p.types(out, x.Type),
		p.rank(x, 1), p.rank(y, 1), p.shape(out, tensor.Shape{max(x.elements(), y.elements())}),
	); err != nil {
		return nil, err
	}
	if x.Type == tensor.Int64 {
		return &broadcastArgs[int64]{x.id, y.id, out.id}, nil
	}
	return &broadcastArgs[int32]{x.id, y.id, out.id}, nil
}

func (b *broadcastArgs[T]) Eval(m *Memory) {
	x, y, out := get[T](m, b.x), get[T](m, b.y), get[T](m, b.out)
	for i := range out {
		n, other := extentFromEnd(x, len(out)-i), extentFromEnd(y, len(out)-i)
		if n == 1 {
			n = other
		}
		out[i] = n
	}
}

// extentFromEnd is the i-th extent counted from the end, 1 where there is none.
func extentFromEnd[T int32 | int64](shape []T, i int) T {
	if i > len(shape) {
		return 1
	}
	return shape[len(shape)-i]
}
