package op

import "kedge/runtime/tensor"

// realSum is SUM and MEAN on float32: every output's cells are added one by one
// in the order in which they lie in the input, MEAN divides by their number.
type realSum struct {
	in, out int
	reduction
	mean bool
}

func (p *Prep) realSum(mean bool) (Evaluator, error) {
	in, out, r, err := p.reduce(tensor.Float32)
	return &realSum{in.id, out.id, r, mean}, err
}

func (r *realSum) Eval(m *Memory) {
	in, out := get[float32](m, r.in), get[float32](m, r.out)
	clear(out)
	r.eachRow(func(at, to int) {
		for i, v := range in[at : at+r.inner] {
			if r.innerReduced {
				out[to] += v
			} else {
				out[to+i] += v
			}
		}
	})
	if !r.mean || r.cells == 0 {
		return
	}
	for i := range out {
		out[i] /= float32(r.cells)
	}
}
