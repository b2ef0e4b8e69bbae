package op

import "kedge/runtime/tensor"

// maxPool2D is MAX_POOL_2D: the largest raw value of the valid cells.
type maxPool2D[T int8 | uint8 | int16] struct{ pool2D }

func prepareMaxPool2D(p *Prep) (Evaluator, error) {
	if p.isReal() {
		return p.realPool2D(realMax)
	}
	q, t, err := p.pool2D()
	if err != nil {
		return nil, err
	}
	switch t {
	case tensor.Uint8:
		return &maxPool2D[uint8]{q}, nil
	case tensor.Int16:
		return &maxPool2D[int16]{q}, nil
	}
	return &maxPool2D[int8]{q}, nil
}

func (q *maxPool2D[T]) Eval(m *Memory) {
	in, out := get[T](m, q.in), get[T](m, q.out)
	q.eachPixel(func(at, image, y0, y1, x0, x1 int) {
		best := out[at : at+q.depth]
		// Starting from the activation's lower bound clamps for free.
		for c := range best {
			best[c] = T(q.lo)
		}
		for y := y0; y < y1; y++ {
			for cells := row(&q.pool2D, in, image, y, x0, x1); len(cells) > 0; cells = cells[len(best):] {
				for c, v := range cells[:len(best)] {
					best[c] = max(best[c], v)
				}
			}
		}
		for c, v := range best {
			best[c] = min(v, T(q.hi))
		}
	})
}
