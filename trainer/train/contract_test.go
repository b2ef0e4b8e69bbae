package train

import (
	"strings"
	"testing"

	"kedge/quant/graph"
)

// TestCheckResult: a program may leave a network of any form, but for one row at
// a time.
func TestCheckResult(t *testing.T) {
	for _, c := range []struct {
		in, out []int
		says    string
	}{
		{[]int{1, 6}, []int{1, 6}, ""},
		{[]int{1, 2, 3, 1}, []int{1, 6}, ""},
		{nil, []int{1, 6}, "input [], want one row of 6 features"},
		{[]int{6}, []int{1, 6}, "input [6], want one row of 6 features"},
		{[]int{2, 3}, []int{1, 6}, "input [2,3], want"},
		{[]int{1, 5}, []int{1, 5}, "input [1,5], want"},
		{[]int{1, 6}, []int{6}, "output [6], want one row of 6 classes"},
	} {
		g := &graph.Graph{}
		x := g.AddTensor(graph.Tensor{Name: "x", Shape: c.in})
		y := g.AddTensor(graph.Tensor{Name: "y"})
		var op graph.Op = graph.Reshape{Shape: c.out}
		if c.in == nil {
			op = graph.Unary{Kind: graph.FuncNeg}
		}
		g.AddNode(op, []graph.TensorID{x}, []graph.TensorID{y})
		g.Inputs, g.Outputs = []graph.TensorID{x}, []graph.TensorID{y}
		if err := g.Infer(); err != nil {
			t.Fatal(err)
		}
		err := checkResult(g, Params{Features: 6, Classes: 6})
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%v to %v: got %v, want %q", c.in, c.out, err, c.says)
		}
	}
}
