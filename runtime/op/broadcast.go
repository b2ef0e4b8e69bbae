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
	same   bool         // no input is repeated
	n      int          // elements of the output
	rank   int          // at least 1; dimensions that continue each other are one
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
	b.merge()
	return b, p.shape(out, want)
}

// merge makes one of neighboring dimensions through which both inputs go on in
// steps of the inner one, and leaves out those of extent 1.
func (b *broadcast) merge() {
	if b.rank == 0 {
		b.rank, b.extent[0] = 1, 1
	}
	last := 0
	for d := 1; d < b.rank; d++ {
		n := b.extent[d]
		switch {
		case n == 1:
			continue
		case b.extent[last] == 1:
		case b.x[last] == b.x[d]*n && b.y[last] == b.y[d]*n:
			n *= b.extent[last]
		default:
			last++
		}
		b.extent[last], b.x[last], b.y[last] = n, b.x[d], b.y[d]
	}
	b.rank = last + 1
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
	b.rows(func(i, j, k, n int) {
		dx, dy := b.inner()
		for end := k + n; k < end; k++ {
			f(i, j, k)
			i, j = i+dx, j+dy
		}
	})
}

// inner are the strides within a row: 1, or 0 where one value is repeated.
func (b *broadcast) inner() (dx, dy int) { return b.x[b.rank-1], b.y[b.rank-1] }

// rows calls f for each run of the innermost dimension with the indices of its
// first elements and their number.
func (b *broadcast) rows(f func(i, j, k, n int)) {
	var index [maxRank]int
	i, j := 0, 0
	n := b.extent[b.rank-1]
	for k := 0; k < b.n; k += n {
		f(i, j, k, n)
		for d := b.rank - 2; d >= 0; d-- {
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
		e.row(x, y, out)
		return
	}
	dx, dy := e.inner()
	e.rows(func(i, j, k, n int) {
		switch out := out[k : k+n]; {
		case dx == 0:
			v := x[i]
			for i, w := range y[j : j+n] {
				out[i] = e.f(v, w)
			}
		case dy == 0:
			w := y[j]
			for i, v := range x[i : i+n] {
				out[i] = e.f(v, w)
			}
		default:
			e.row(x[i:], y[j:], out)
		}
	})
}

func (e *pairwise[X, Y, O]) row(x []X, y []Y, out []O) {
	x, y = x[:len(out)], y[:len(out)]
	for i := range out {
		out[i] = e.f(x[i], y[i])
	}
}
