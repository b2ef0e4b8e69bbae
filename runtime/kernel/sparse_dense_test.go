package kernel

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// compress leaves the blocks of weights out that are all 0.
func compress(d *Dense, block int) SparseDense {
	s := SparseDense{Batch: d.Batch, K: d.K, N: d.N, InZero: d.InZero, Bias: d.Bias, Output: d.Output, Block: block, Segments: []int32{0}}
	for n := range d.N {
		for c := range d.K / block {
			at := n*d.K + c*block
			if b := d.Weights[at : at+block]; slices.ContainsFunc(b, func(v int8) bool { return v != 0 }) {
				s.Columns, s.Weights = append(s.Columns, int32(c)), append(s.Weights, b...)
			}
		}
		s.Segments = append(s.Segments, int32(len(s.Columns)))
	}
	return s
}

// prune sets a fraction of the blocks to 0.
func (r values) prune(weights []int8, block int, fraction float64) {
	for at := 0; at < len(weights); at += block {
		if r.Float64() < fraction {
			clear(weights[at : at+block])
		}
	}
}

func TestSparseDense(t *testing.T) {
	each(t, 400, func(t *testing.T, s *Set, r values) {
		block := []int{1, 2, 4, 7, 8, 16, 32}[r.IntN(7)]
		d := Dense{Batch: 1 + r.IntN(3), K: block * (1 + r.IntN(9)), N: 1 + r.IntN(20), InZero: int32(r.IntN(256)) - 128}
		d.Weights, d.Bias, d.Output = r.int8s(d.N*d.K), r.bias(d.N), r.output(d.N)
		r.prune(d.Weights, block, r.Float64())
		in, got, want := r.int8s(d.Batch*d.K), make([]int8, d.Batch*d.N), make([]int8, d.Batch*d.N)
		sparse := compress(&d, block)
		sparse.Prepare()
		sparse.Run(in, got)
		s.PrepareDense(&d, granted)
		d.Run(in, want, scratch(d.Scratch), new(Work))
		if !slices.Equal(got, want) {
			t.Fatalf("%d×%d×%d in blocks of %d: got %v, want %v", d.Batch, d.K, d.N, block, got, want)
		}
	})
}

// BenchmarkSparseDense compares layers of which a part of the blocks is 0 with
// the dense layer of the same weights.
func BenchmarkSparseDense(b *testing.B) {
	generic := &Set{Name: "generic"}
	for _, block := range []int{16, 8, 4, 1} {
		for _, percent := range []int{25, 50, 75, 90} {
			r := values{rand.New(rand.NewPCG(11, 12))}
			d := Dense{Batch: 1, K: 1024, N: 256, InZero: 3}
			d.Weights, d.Output = r.int8s(d.N*d.K), r.output(d.N)
			r.prune(d.Weights, block, float64(percent)/100)
			in, out := r.int8s(d.K), make([]int8, d.N)
			sparse := compress(&d, block)
			sparse.Prepare()
			generic.PrepareDense(&d, granted)
			b.Run(fmt.Sprintf("block=%d/zero=%d/sparse", block, percent), func(b *testing.B) {
				for b.Loop() {
					sparse.Run(in, out)
				}
			})
			b.Run(fmt.Sprintf("block=%d/zero=%d/dense", block, percent), func(b *testing.B) {
				for b.Loop() {
					d.Run(in, out, nil, nil)
				}
			})
		}
	}
}
