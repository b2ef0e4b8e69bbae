package graph

import (
	"math"
	"testing"
)

// Rows worked out by hand from TFLite's definition, one image line each.
func TestResizeRows(t *testing.T) {
	for _, c := range []struct {
		op      Resize
		x, want array
	}{
		{Resize{W: 6}, row(1, 2, 3), row(1, 1, 2, 2, 3, 3)},
		{Resize{W: 2}, row(1, 2, 3, 4, 5), row(1, 3)},
		{Resize{W: 2, HalfPixelCenters: true}, row(1, 2, 3, 4, 5), row(2, 4)},
		// Positions 0, 0.5, 1: halves go away from zero.
		{Resize{W: 3, AlignCorners: true}, row(1, 2), row(1, 2, 2)},
		{Resize{W: 1, AlignCorners: true}, row(1, 2, 3), row(1)},
		{Resize{W: 4, Bilinear: true}, row(0, 4), row(0, 2, 4, 4)},
		{Resize{W: 3, Bilinear: true, AlignCorners: true}, row(0, 4), row(0, 2, 4)},
		{Resize{W: 4, Bilinear: true, HalfPixelCenters: true}, row(0, 4), row(0, 1, 3, 4)},
		{Resize{W: 1, Bilinear: true, HalfPixelCenters: true}, row(0, 1, 2, 7), row(1.5)},
		{Resize{W: 1, Bilinear: true, AlignCorners: true}, row(5, 1, 2), row(5)},
	} {
		wide, tall := c.op, c.op
		wide.H, tall.H, tall.W = 1, c.op.W, 1
		x, want := c.x, c.want
		x.shape, want.shape = []int{1, 1, len(x.v), 1}, []int{1, 1, len(want.v), 1}
		sameArray(t, wide, run(t, wide, 1, x)[0], want, 0)
		x.shape, want.shape = []int{1, len(x.v), 1, 1}, []int{1, len(want.v), 1, 1}
		sameArray(t, tall, run(t, tall, 1, x)[0], want, 0)
	}
}

func TestResizeAgainstDefinition(t *testing.T) {
	r := seeded()
	for i := range 600 {
		x := randomArray(r, 1+r.IntN(2), 1+r.IntN(7), 1+r.IntN(7), 1+r.IntN(3))
		op := Resize{H: 1 + r.IntN(9), W: 1 + r.IntN(9), Bilinear: i%2 == 0, AlignCorners: i%3 == 0, HalfPixelCenters: i%3 == 1}
		want := newArray(x.shape[0], op.H, op.W, x.shape[3]).fill(func(index []int) float32 {
			sum := 0.0
			for _, y := range sources(op, index[1], x.shape[1], op.H) {
				for _, w := range sources(op, index[2], x.shape[2], op.W) {
					sum += y.weight * w.weight * float64(x.at([]int{index[0], y.at, w.at, index[3]}))
				}
			}
			return float32(sum)
		})
		// Positions are float32 in the operator: some 1e-6 of neighbors' difference.
		sameArray(t, op, run(t, op, 1, x)[0], want, 2e-5)
	}
}

type source struct {
	at     int
	weight float64
}

// sources are the elements of one dimension that make up element i, from the
// definition: the position, clamped into the image, then the nearest element or
// the two neighbors by distance. Positions of nearest are rational numbers, so
// that a tie is recognized whatever the rounding.
func sources(op Resize, i, in, out int) []source {
	num, den := i*in, out
	switch {
	case op.HalfPixelCenters:
		num, den = (2*i+1)*in, 2*out
	case op.AlignCorners && out > 1:
		num, den = i*(in-1), out-1
	}
	if !op.Bilinear {
		if op.AlignCorners {
			return []source{{min((2*num+den)/(2*den), in-1), 1}}
		}
		return []source{{min(num/den, in-1), 1}}
	}
	position := float64(num) / float64(den)
	if op.HalfPixelCenters {
		position -= 0.5
	}
	position = min(max(position, 0), float64(in-1))
	lo := math.Floor(position)
	return []source{{int(lo), 1 - (position - lo)}, {min(int(lo)+1, in-1), position - lo}}
}
