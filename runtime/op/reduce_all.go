package op

import "kedge/runtime/tensor"

// reduceAll is REDUCE_ALL on bool: 1 where all cells are true, as they are where
// there is none.
type reduceAll struct {
	in, out int
	reduction
}

func prepareReduceAll(p *Prep) (Evaluator, error) {
	in, out, r, err := p.reduce(tensor.Bool)
	return &reduceAll{in.id, out.id, r}, err
}

func (r *reduceAll) Eval(m *Memory) {
	in, out := m.Tensors[r.in], m.Tensors[r.out]
	fill(out, 1)
	r.eachRow(func(at, to int) {
		for i, v := range in[at : at+r.inner] {
			switch {
			case v != 0:
			case r.innerReduced:
				out[to] = 0
			default:
				out[to+i] = 0
			}
		}
	})
}
