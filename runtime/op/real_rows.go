package op

import (
	"cmp"
	"math"

	"kedge/runtime/tensor"
)

// realRows applies a function to the rows of a float32 tensor: all elements along
// its last dimension.
type realRows struct {
	in, out, depth int
	f              func(in, out []float32)
}

// realRows binds f to the operator's float32 input and output, which may be one.
func (p *Prep) realRows(f func(in, out []float32)) (Evaluator, error) {
	if err := p.arity(1, 1, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	if err := cmp.Or(p.types(out, tensor.Float32), p.shape(out, in.Shape)); err != nil {
		return nil, err
	}
	if len(in.Shape) == 0 {
		return nil, p.invalid(in, "a scalar", "at least one dimension")
	}
	p.overwrites(0) // functions read on only behind what they have written
	return &realRows{in.id, out.id, in.Shape[len(in.Shape)-1], f}, nil
}

func (r *realRows) Eval(m *Memory) {
	in, out := get[float32](m, r.in), get[float32](m, r.out)
	for r.depth > 0 && len(in) >= r.depth {
		r.f(in[:r.depth], out[:r.depth])
		in, out = in[r.depth:], out[r.depth:]
	}
}

// highest is the largest value of a row, NaN left out.
func highest(row []float32) float32 {
	top := float32(-math.MaxFloat32)
	for _, v := range row {
		top = larger(v, top)
	}
	return top
}

// softmaxf is e^(beta·(x − max)) over the sum of all these.
func softmaxf(beta float32) func(in, out []float32) {
	return func(in, out []float32) {
		top, sum := highest(in), float32(0)
		for i, v := range in {
			out[i] = expf(float32(float32(v-top) * beta))
			sum += out[i]
		}
		for i := range out {
			out[i] /= sum
		}
	}
}

// logSoftmaxf is x − max − ln Σe^(x − max).
func logSoftmaxf(in, out []float32) {
	top, sum := highest(in), float32(0)
	for _, v := range in {
		sum += expf(float32(v - top))
	}
	log := logf(sum)
	for i, v := range in {
		out[i] = float32(v-top) - log
	}
}

// l2Normalizationf is x over the root of the sum of squares, which is taken to be
// at least 1e-6.
func l2Normalizationf(in, out []float32) {
	squares := float32(0)
	for _, v := range in {
		squares += float32(v * v)
	}
	norm := sqrtf(squares)
	if norm < 1e-6 {
		norm = 1e-6
	}
	for i, v := range in {
		out[i] = v / norm
	}
}
