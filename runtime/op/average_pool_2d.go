package op

import "kedge/runtime/tensor"

// averagePool2D is AVERAGE_POOL_2D: the mean of the valid cells' raw values,
// rounded half away from zero. Quantization plays no part, since input and output
// have the same.
type averagePool2D[T int8 | uint8 | int16] struct{ pool2D }

func prepareAveragePool2D(p *Prep) (Evaluator, error) {
	if p.isReal() {
		return p.realPool2D(realAverage)
	}
	q, t, err := p.pool2D()
	if err != nil {
		return nil, err
	}
	if t == tensor.Int8 {
		if d := p.Kernels.PrepareAverage(q.window, q.depth, q.lo, q.hi, p.Budget.Grant); d != nil {
			p.Scratch = d.Scratch
			return &depthwiseConv2D{q.in, q.out, *d}, nil
		}
	}
	p.Scratch = 4 * q.depth
	switch t {
	case tensor.Uint8:
		return &averagePool2D[uint8]{q}, nil
	case tensor.Int16:
		return &averagePool2D[int16]{q}, nil
	}
	return &averagePool2D[int8]{q}, nil
}

func (q *averagePool2D[T]) Eval(m *Memory) {
	in, out := get[T](m, q.in), get[T](m, q.out)
	acc := view[int32](m.Scratch)[:q.depth]
	q.eachPixel(func(at, image, y0, y1, x0, x1 int) {
		clear(acc)
		for y := y0; y < y1; y++ {
			for cells := row(&q.pool2D, in, image, y, x0, x1); len(cells) > 0; cells = cells[len(acc):] {
				for c, v := range cells[:len(acc)] {
					acc[c] += int32(v)
				}
			}
		}
		n := int32((y1 - y0) * (x1 - x0))
		for c, sum := range acc {
			half := n / 2
			if sum <= 0 {
				half = -half
			}
			out[at+c] = T(min(max((sum+half)/n, q.lo), q.hi))
		}
	})
}
