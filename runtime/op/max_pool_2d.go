package op

import (
	"kedge/runtime/kernel"
	"kedge/runtime/tensor"
)

// prepareMaxPool2D prepares MAX_POOL_2D: the largest raw value of the valid cells.
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
		return &maxPool8{q, p.Kernels, kernel.LargestUint8}, nil
	case tensor.Int16:
		return &maxPool16{q}, nil
	}
	return &maxPool8{q, p.Kernels, kernel.LargestInt8}, nil
}

// maxPool8 is MAX_POOL_2D of bytes: each cell of the window in turn is compared
// with the best so far of all pixels of an output row.
type maxPool8 struct {
	pool2D
	kernels *kernel.Set
	order   kernel.Order
}

func (q *maxPool8) Kernel() string { return q.kernels.ExtremeKernel() }

func (q *maxPool8) Eval(m *Memory) {
	w := &q.window
	in, out := m.Tensors[q.in], m.Tensors[q.out]
	if len(out) == 0 {
		return
	}
	image, row, outRow := w.InH*w.InW*q.depth, w.InW*q.depth, w.OutW*q.depth
	for b := range w.Batch {
		for y := range w.OutH {
			best := out[:outRow]
			out = out[outRow:]
			// Starting from the activation's lower bound clamps for free.
			fill(best, byte(q.lo))
			top := y*w.StrideH - w.PadTop
			for at := max(top, 0); at < min(top+w.KernelH, w.InH); at++ {
				q.cells(best, in[b*image+at*row:][:row])
			}
			q.clamp(best)
		}
	}
}

// cells compares the best of every window with its cells in one input row.
func (q *maxPool8) cells(best, in []byte) {
	w := &q.window
	r := kernel.Rows{Length: q.depth, Out: q.depth, X: q.depth, Y: w.StrideW * q.depth}
	for k := range w.KernelW {
		first, end := w.Columns(k)
		if r.Count = end - first; r.Count > 0 {
			pixels := best[first*q.depth:]
			q.kernels.Extreme(q.order, r, pixels, pixels, in[(first*w.StrideW+k-w.PadLeft)*q.depth:])
		}
	}
}

// clamp applies the activation's upper bound.
func (q *maxPool8) clamp(best []byte) {
	order := byte(q.order)
	if byte(q.hi)^order == 0xFF {
		return // it is the type's
	}
	for i, v := range best {
		best[i] = byte(min(uint32(v^order), uint32(byte(q.hi)^order))) ^ order
	}
}

// maxPool16 is MAX_POOL_2D of int16.
type maxPool16 struct{ pool2D }

func (q *maxPool16) Eval(m *Memory) {
	in, out := get[int16](m, q.in), get[int16](m, q.out)
	q.eachPixel(func(at, image, y0, y1, x0, x1 int) {
		best := out[at : at+q.depth]
		for c := range best {
			best[c] = int16(q.lo)
		}
		for y := y0; y < y1; y++ {
			for cells := row(&q.pool2D, in, image, y, x0, x1); len(cells) > 0; cells = cells[len(best):] {
				for c, v := range cells[:len(best)] {
					best[c] = max(best[c], v)
				}
			}
		}
		for c, v := range best {
			best[c] = min(v, int16(q.hi))
		}
	})
}
