package op

import (
	"cmp"
	"fmt"
	"math"

	"kedge/runtime/tensor"
)

// realPool2D is a pooling operator on float32: from start, every valid cell in
// turn, row by row, is taken in, and what that gives is finished with their
// number and clamped to the fused activation.
type realPool2D struct {
	pool2D
	bounds
	start  float32
	take   func(held, v float32) float32
	finish func(held float32, cells int) float32
}

// realAverage sums the cells and divides by their number.
var realAverage = realPool2D{
	take:   func(held, v float32) float32 { return held + v },
	finish: func(held float32, cells int) float32 { return held / float32(cells) },
}

// realMax keeps the largest value; NaN is left out.
var realMax = realPool2D{
	start:  -math.MaxFloat32,
	take:   func(held, v float32) float32 { return larger(v, held) },
	finish: func(held float32, cells int) float32 { return held },
}

// realRootMeanSquare is the root of the squares' average.
var realRootMeanSquare = realPool2D{
	take:   func(held, v float32) float32 { return held + float32(v*v) },
	finish: func(held float32, cells int) float32 { return sqrtf(float32(held / float32(cells))) },
}

// realPool2D prepares a float32 pooling that is defined by q.
func (p *Prep) realPool2D(q realPool2D) (Evaluator, error) {
	if err := p.arity(1, 1, 1); err != nil {
		return nil, err
	}
	in, out, o := p.in(0), p.out(0), p.Operator.Options
	if err := cmp.Or(
		p.types(in, tensor.Float32), p.types(out, tensor.Float32), p.rank(in, 4), p.rank(out, 4),
	); err != nil {
		return nil, err
	}
	win, err := p.window2D(in, out, int(o.Int32(4, 0)), int(o.Int32(3, 0)), 1, 1)
	if err != nil {
		return nil, err
	}
	q.pool2D = pool2D{in: in.id, out: out.id, window: win, depth: in.Shape[3]}
	if out.Shape[3] != q.depth {
		return nil, p.invalid(out, fmt.Sprintf("%d channels", out.Shape[3]), fmt.Sprint(q.depth))
	}
	if q.bounds, err = p.bounds(activation(o.Byte(5, 0))); err != nil {
		return nil, err
	}
	return &q, nil
}

func (q *realPool2D) Eval(m *Memory) {
	in, out := get[float32](m, q.in), get[float32](m, q.out)
	q.eachPixel(func(at, image, y0, y1, x0, x1 int) {
		for c := range q.depth {
			held := q.start
			for y := y0; y < y1; y++ {
				for x := x0; x < x1; x++ {
					held = q.take(held, in[image+(y*q.window.InW+x)*q.depth+c])
				}
			}
			out[at+c] = q.clamp(q.finish(held, (y1-y0)*(x1-x0)))
		}
	})
}
