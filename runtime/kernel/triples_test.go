package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"kedge/runtime/fixed"
)

// TestTriples: vectors of every length times every number of filters, also where
// all sums are as large as they get, in triples where there are any and one by
// one.
func TestTriples(t *testing.T) {
	r := values{rand.New(rand.NewPCG(5, 6))}
	same := func(v int8) func(n int) []int8 { return func(n int) []int8 { return slices.Repeat([]int8{v}, n) } }
	for _, c := range []struct {
		name string
		x, w func(n int) []int8
	}{
		{"greatest", same(-128), same(-128)},
		{"least", same(-128), same(127)},
		{"least of other signs", same(127), same(-128)},
		{"any", r.int8s, r.int8s},
	} {
		t.Run(c.name, func(t *testing.T) {
			for k := 1; k <= 200; k++ {
				n, zero := 1+k*7%40, int32(k%2*3)
				x, w := c.x(k), c.w(k*n)
				o := Output{Multipliers: slices.Repeat([]fixed.Multiplier{{M: math.MaxInt32}}, n), Min: -128, Max: 127}
				var folded []int32
				var want []int8
				for i := range n {
					// With this bias the result is small, and the factor is one.
					bias := int32(i)
					for j := range x {
						bias -= int32(x[j]) * (int32(w[i*k+j]) - zero)
					}
					folded, want = append(folded, bias), append(want, int8(i))
				}
				packed := newTriples(w, n, granted)
				if (packed != nil) != (word64 && n >= laneFilters) {
					t.Errorf("%d filters: packed %t on this processor", n, packed != nil)
				}
				for _, p := range []*triples{packed, nil} {
					y := make([]int8, n)
					if rows(x, p, w, folded, zero, &o, 0, y); !slices.Equal(y, want) {
						t.Fatalf("%d weights, %d filters, packed %t: got %v, want %v", k, n, p != nil, y, want)
					}
				}
			}
		})
	}
	if newTriples(make([]int8, 100), 10, func(int) bool { return false }) != nil {
		t.Error("got triples without the memory for them")
	}
}
