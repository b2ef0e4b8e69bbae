package runtime

import (
	"slices"
	"testing"

	"kedge/runtime/plan"
	"kedge/runtime/tflite"
)

// TestOverOneOfTwo shares memory for an operator that may write over its first
// input only, while the second is another tensor, the same one, or the same
// bytes under another shape.
func TestOverOneOfTwo(t *testing.T) {
	for _, c := range []struct {
		name   string
		second int
		want   []int
	}{
		{"another", 1, []int{-1, -1, 0, 2}},
		{"the same", 2, []int{-1, -1, 0, -1}},
		{"the same bytes", 0, []int{-1, -1, 0, -1}},
	} {
		p := program{
			graph: &tflite.Subgraph{
				Tensors: make([]tflite.Tensor, 4), Inputs: []int{0, 1}, Outputs: []int{3},
				Operators: []tflite.Operator{{Inputs: []int{0}, Outputs: []int{2}}, {Inputs: []int{2, c.second}, Outputs: []int{3}}},
			},
			steps: []step{{alias: true, init: -1}, {inPlace: []int{0}, init: -1}},
		}
		lives := []plan.Buffer{{Size: 64, First: 0, Last: 2}, {Size: 64, First: 0, Last: 2}, {Size: 64, First: 1, Last: 2}, {Size: 64, First: 2, Last: 3}}
		if got := p.share(lives, true); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}
