package op

import (
	"cmp"
	"fmt"

	"kedge/runtime/tensor"
)

// reduction walks a tensor row by row (a row is the last dimension) and says
// which output each row goes to when some dimensions are summed up.
type reduction struct {
	outputs, cells int // elements of the output; inputs that go into each
	rows, inner    int
	innerReduced   bool
	tail           int          // see middle
	rank           int          // dimensions but the last
	extent, stride [maxRank]int // the output's stride, 0 where reduced
}

// reduce checks the operands of a reduction: an input and an output of one of the
// given types, and constant axes.
func (p *Prep) reduce(types ...tensor.Type) (in, out operand, r reduction, err error) {
	if err := p.arity(2, 2, 1); err != nil {
		return in, out, r, err
	}
	in, out = p.in(0), p.out(0)
	axes := p.in(1)
	if err := cmp.Or(
		p.types(in, types...), p.types(out, in.Type), p.types(axes, tensor.Int32), p.constant(axes),
	); err != nil {
		return in, out, r, err
	}
	r, err = p.reduction(in, axes, out)
	return in, out, r, err
}

// reduction checks the axes and the output's shape: the reduced dimensions are
// either kept as 1 or left out.
func (p *Prep) reduction(in, axes, out operand) (reduction, error) {
	rank := len(in.Shape)
	var reduced [maxRank]bool
	values, err := p.int32s(axes)
	if err != nil {
		return reduction{}, err
	}
	if rank == 0 {
		values = nil // a scalar has no axes, and those given play no part
	}
	for _, a := range values {
		if a < 0 {
			a += int32(rank)
		}
		if a < 0 || int(a) >= rank {
			return reduction{}, p.invalid(axes, fmt.Sprintf("axis %d", a), fmt.Sprintf("one of %d dimensions", rank))
		}
		reduced[a] = true
	}
	var kept tensor.Shape
	r := reduction{outputs: 1, cells: 1, inner: 1, rank: max(rank-1, 0)}
	for d := rank - 1; d >= 0; d-- {
		n := in.Shape[d]
		r.extent[d] = n
		if reduced[d] {
			r.cells *= n
			if p.Operator.Options.Bool(0, false) {
				kept = append(tensor.Shape{1}, kept...)
			}
			continue
		}
		r.stride[d] = r.outputs
		r.outputs *= n
		kept = append(tensor.Shape{n}, kept...)
	}
	if rank > 0 {
		r.inner, r.innerReduced = in.Shape[rank-1], reduced[rank-1]
	}
	if r.inner > 0 {
		r.rows = in.elements() / r.inner
	}
	r.tail = middle(in.Shape, reduced[:rank])
	return r, p.shape(out, kept)
}

// eachRow calls f with the position of each row in the input and of the output
// that its first element goes to.
func (r *reduction) eachRow(f func(at, to int)) {
	var index [maxRank]int
	to := 0
	for row := range r.rows {
		f(row*r.inner, to)
		for d := r.rank - 1; d >= 0; d-- {
			to += r.stride[d]
			if index[d]++; index[d] < r.extent[d] {
				break
			}
			to -= r.stride[d] * r.extent[d]
			index[d] = 0
		}
	}
}
