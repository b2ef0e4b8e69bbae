package op

import (
	"fmt"

	"kedge/runtime/tensor"
)

// prepareSlice prepares SLICE: a box of the input, given by where it begins and
// how large it is; size -1 reaches to the end.
func prepareSlice(p *Prep) (Evaluator, error) {
	if err := p.arity(3, 3, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	if err := p.movable(in, out); err != nil {
		return nil, err
	}
	rank := len(in.Shape)
	begins, err := p.constants(p.in(1), rank, tensor.Int32, tensor.Int64)
	if err != nil {
		return nil, err
	}
	sizes, err := p.constants(p.in(2), rank, tensor.Int32, tensor.Int64)
	if err != nil {
		return nil, err
	}
	strides := elementStrides(in.Shape)
	want, loops, start := make(tensor.Shape, rank), make([]loop, rank), 0
	for d, n := range in.Shape {
		begin, size := begins[d], sizes[d]
		if begin < 0 || begin > int64(n) || size < -1 || size > int64(n)-begin {
			return nil, p.invalid(p.in(1), fmt.Sprintf("%d elements from %d", size, begin), fmt.Sprintf("a part of dimension %d, %d elements", d, n))
		}
		if size == -1 {
			size = int64(n) - begin
		}
		want[d] = int(size)
		loops[d] = loop{int(size), strides[d]}
		start += int(begin) * strides[d]
	}
	if err := p.shape(out, want); err != nil {
		return nil, err
	}
	if out.elements() == 0 {
		start = 0
	}
	return layStrided(in, out, start, loops), nil
}
