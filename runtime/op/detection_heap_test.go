package op

import (
	"slices"
	"testing"
)

// TestWorstFirst compares with what GNU's std::partial_sort makes of equal scores.
func TestWorstFirst(t *testing.T) {
	for _, c := range []struct {
		scores []float32
		want   []int32
	}{
		{[]float32{1, 2, 3, 4, 5}, []int32{4, 3, 2}},
		{[]float32{5, 4, 3, 2, 1}, []int32{0, 1, 2}},
		{[]float32{2, 7, 7}, []int32{1}},
		{[]float32{9, 9, 9}, []int32{0, 1}},
		{[]float32{5, 5, 5, 5, 5, 5, 5, 5}, []int32{3, 4, 1, 0, 2}},
		{[]float32{1, 3, 3, 2, 3, 1, 2, 3}, []int32{4, 1, 7, 2}},
		{[]float32{0, 0, 1, 0, 1, 1}, []int32{4, 2, 5, 0, 1, 3}},
	} {
		got := make([]int32, len(c.want))
		h := worstFirst{got, func(class int32) float32 { return c.scores[class] }}
		h.fill(len(c.scores))
		h.sort()
		if !slices.Equal(got, c.want) {
			t.Errorf("%v: got %v, want %v", c.scores, got, c.want)
		}
	}
}
