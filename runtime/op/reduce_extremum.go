package op

import (
	"fmt"
	"math"

	"kedge/runtime/tensor"
)

// reduceExtremum is REDUCE_MAX or REDUCE_MIN: raw values compared, starting from
// the type's lowest or highest, which is also what an input without elements
// gives.
type reduceExtremum[T int8 | uint8 | float32] struct {
	in, out int
	reduction
	start T
	f     func(candidate, best T) T
}

// prepareReduceExtremum prepares REDUCE_MAX and REDUCE_MIN. Input and output have
// one quantization.
func prepareReduceExtremum(p *Prep, largest bool) (Evaluator, error) {
	in, out, r, err := p.reduce(tensor.Int8, tensor.Uint8, tensor.Float32)
	if err != nil {
		return nil, err
	}
	if in.Type == tensor.Float32 {
		start := float32(math.MaxFloat32)
		if largest {
			start = -start
		}
		return &reduceExtremum[float32]{in.id, out.id, r, start, extremum[float32](largest)}, nil
	}
	if in.Quant.Scale() != out.Quant.Scale() || in.Quant.ZeroPoint() != out.Quant.ZeroPoint() {
		return nil, p.unsupported(out, fmt.Sprintf("scale %g, zero point %d", out.Quant.Scale(), out.Quant.ZeroPoint()),
			fmt.Sprintf("the input's %g, %d", in.Quant.Scale(), in.Quant.ZeroPoint()))
	}
	lo, start, _ := in.Type.Range()
	if largest {
		start = lo
	}
	if in.Type == tensor.Uint8 {
		return &reduceExtremum[uint8]{in.id, out.id, r, uint8(start), extremum[uint8](largest)}, nil
	}
	return &reduceExtremum[int8]{in.id, out.id, r, int8(start), extremum[int8](largest)}, nil
}

func (r *reduceExtremum[T]) Eval(m *Memory) {
	in, out := get[T](m, r.in), get[T](m, r.out)
	for i := range out {
		out[i] = r.start
	}
	r.eachRow(func(at, to int) {
		row := in[at : at+r.inner]
		if r.innerReduced {
			best := out[to]
			for _, v := range row {
				best = r.f(v, best)
			}
			out[to] = best
			return
		}
		dst := out[to : to+r.inner]
		for i, v := range row {
			dst[i] = r.f(v, dst[i])
		}
	})
}
