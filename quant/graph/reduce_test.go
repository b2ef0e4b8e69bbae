package graph

import (
	"math"
	"slices"
	"testing"

	"kedge/runtime/tensor"
)

func TestReduceAgainstDefinition(t *testing.T) {
	r := seeded()
	for i := range 400 {
		x := randomArray(r, randomShape(r, 1, 5)...)
		op := Reduce{Kind: Reduction(i % 4), KeepDims: r.IntN(2) == 0}
		op.Axes = r.Perm(len(x.shape))[:1+r.IntN(len(x.shape))]
		slices.Sort(op.Axes)
		kept := slices.Clone(x.shape)
		for _, a := range op.Axes {
			kept[a] = 1
		}
		want := newArray(kept...).fill(func(index []int) float32 { return reduceOne(op, x, index) })
		if !op.KeepDims {
			want.shape = tensor.Shape{}
			for d, size := range kept {
				if !slices.Contains(op.Axes, d) {
					want.shape = append(want.shape, size)
				}
			}
		}
		sameArray(t, op, run(t, op, 1, x)[0], want, 1e-6)
	}
}

// reduceOne looks through all of x for the elements that belong to index.
func reduceOne(op Reduce, x array, index []int) float32 {
	sum, count, least, most := 0.0, 0, math.Inf(1), math.Inf(-1)
	newArray(x.shape...).fill(func(at []int) float32 {
		for d := range at {
			if !slices.Contains(op.Axes, d) && at[d] != index[d] {
				return 0
			}
		}
		v := float64(x.at(at))
		sum, count, least, most = sum+v, count+1, min(least, v), max(most, v)
		return 0
	})
	return float32([]float64{ReduceMean: sum / float64(count), ReduceSum: sum, ReduceMax: most, ReduceMin: least}[op.Kind])
}

// In float32 a million ones added to 2²⁴ would all be lost.
func TestReduceSumsInFloat64(t *testing.T) {
	x := newArray(1<<20 + 1)
	for i := range x.v {
		x.v[i] = 1
	}
	x.v[0] = 1 << 24
	got := run(t, Reduce{Kind: ReduceSum, Axes: []int{0}}, 1, x)[0]
	if want := float32(1<<24 + 1<<20); got.v[0] != want {
		t.Errorf("got %v, want %v", got.v[0], want)
	}
}
