package op

import (
	"fmt"

	"kedge/runtime/tensor"
)

// maxRank is the most dimensions that a tensor has here.
const maxRank = 8

// broadcast walks the elements of two inputs and an output whose shapes agree by
// numpy's rule: aligned at the last dimension, an extent of 1 is repeated.
type broadcast struct {
	same   bool // no input is repeated
	n      int  // elements of the output
	rank   int
	extent [maxRank]int // of the output
	x, y   [maxRank]int // element strides, 0 where repeated
}

// broadcast checks the shapes and lays out the walk.
func (p *Prep) broadcast(x, y, out operand) (broadcast, error) {
	rank := max(len(x.Shape), len(y.Shape))
	b := broadcast{same: x.Shape.Equal(y.Shape), n: out.elements(), rank: rank}
	want := make(tensor.Shape, rank)
	strideX, strideY := 1, 1
	for d := rank - 1; d >= 0; d-- {
		dx, dy := dim(x.Shape, rank, d), dim(y.Shape, rank, d)
		if dx != dy && dx != 1 && dy != 1 {
			return b, p.invalid(y, fmt.Sprintf("shape %v", y.Shape), fmt.Sprintf("one that broadcasts with %v", x.Shape))
		}
		want[d] = dx
		if dx == 1 {
			want[d] = dy
		}
		b.extent[d] = want[d]
		if dx > 1 {
			b.x[d] = strideX
		}
		if dy > 1 {
			b.y[d] = strideY
		}
		strideX, strideY = strideX*dx, strideY*dy
	}
	return b, p.shape(out, want)
}

// dim is dimension d of s counted in a shape of the given rank, 1 where s has
// fewer dimensions.
func dim(s tensor.Shape, rank, d int) int {
	if d -= rank - len(s); d >= 0 {
		return s[d]
	}
	return 1
}

// each calls f with the element indices in x, y and the output.
func (b *broadcast) each(f func(i, j, k int)) {
	var index [maxRank]int
	i, j := 0, 0
	for k := range b.n {
		f(i, j, k)
		for d := b.rank - 1; d >= 0; d-- {
			i += b.x[d]
			j += b.y[d]
			if index[d]++; index[d] < b.extent[d] {
				break
			}
			i -= b.x[d] * b.extent[d]
			j -= b.y[d] * b.extent[d]
			index[d] = 0
		}
	}
}

// element are the types that tensors are computed on.
type element interface {
	int8 | uint8 | int16 | int32 | int64 | float32
}

// pairwise applies a function of two values to the elements of two inputs.
type pairwise[X, Y, O element] struct {
	x, y, out int
	broadcast
	f func(x X, y Y) O
}

// pair binds f to the operator's two inputs and its output, whose types have
// been checked.
func pair[X, Y, O element](p *Prep, f func(x X, y Y) O) (Evaluator, error) {
	x, y, out := p.in(0), p.in(1), p.out(0)
	b, err := p.broadcast(x, y, out)
	if err != nil {
		return nil, err
	}
	p.overwrites(0, 1)
	return &pairwise[X, Y, O]{x.id, y.id, out.id, b, f}, nil
}

func (e *pairwise[X, Y, O]) Eval(m *Memory) {
	x, y, out := get[X](m, e.x), get[Y](m, e.y), get[O](m, e.out)
	if e.same {
		x, y = x[:len(out)], y[:len(out)]
		for i := range out {
			out[i] = e.f(x[i], y[i])
		}
		return
	}
	e.each(func(i, j, k int) { out[k] = e.f(x[i], y[j]) })
}
