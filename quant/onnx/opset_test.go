package onnx

import (
	"math"
	"slices"
	"testing"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// TestOpsets: what one node means depends on the version of the operator set
// (ONNX Changelog: Softmax-11, -13; Squeeze, Unsqueeze and ReduceSum-11, -13).
func TestOpsets(t *testing.T) {
	// 2 × 2 × 2 values whose exponentials are easy to add up.
	x := make([]float32, 8)
	for i := range x {
		x[i] = float32(math.Log(float64(i + 1)))
	}
	sums := func(of ...float64) []float32 { // i + 1 over each element's sum
		out := make([]float32, 8)
		for i := range out {
			out[i] = float32(float64(i+1) / of[i])
		}
		return out
	}
	for _, tt := range []struct {
		name  string
		opset int64
		node  testNode
		axes  []int64 // of a second input
		shape tensor.Shape
		want  []float32
	}{
		{"Softmax: all from dimension 1 on", 12, node("Softmax", "x", "y"), nil, tensor.Shape{2, 2, 2}, sums(10, 10, 10, 10, 26, 26, 26, 26)},
		{"Softmax: all from a given one on", 11, node("Softmax", "x", "y", intAttribute("axis", 0)), nil, tensor.Shape{2, 2, 2}, sums(36, 36, 36, 36, 36, 36, 36, 36)},
		{"Softmax: the last", 13, node("Softmax", "x", "y"), nil, tensor.Shape{2, 2, 2}, sums(3, 3, 7, 7, 11, 11, 15, 15)},
		{"Softmax: a given one alone", 13, node("Softmax", "x", "y", intAttribute("axis", 1)), nil, tensor.Shape{2, 2, 2}, sums(4, 6, 4, 6, 12, 14, 12, 14)},
		{"Unsqueeze: axes as attribute", 11, node("Unsqueeze", "x", "y", intsAttribute("axes", 1)), nil, tensor.Shape{2, 1, 2, 2}, x},
		{"Unsqueeze: axes as input", 13, node("Unsqueeze", "x, axes", "y"), []int64{-1}, tensor.Shape{2, 2, 2, 1}, x},
		{"ReduceSum: axes as attribute", 12, node("ReduceSum", "x", "y", intsAttribute("axes", 0), intAttribute("keepdims", 0)), nil, tensor.Shape{2, 2}, []float32{x[0] + x[4], x[1] + x[5], x[2] + x[6], x[3] + x[7]}},
		{"ReduceSum: axes as input", 13, node("ReduceSum", "x, axes", "y"), []int64{0}, tensor.Shape{1, 2, 2}, []float32{x[0] + x[4], x[1] + x[5], x[2] + x[6], x[3] + x[7]}},
	} {
		m := testModel{opset: tt.opset, inputs: []testInput{{"x", []int{2, 2, 2}}}, nodes: []testNode{tt.node}, outputs: []string{"y"}}
		if tt.axes != nil {
			m.initializers = []testTensor{integers("axes", tt.axes...)}
		}
		shape, got := compute(t, tt.name, m, x)
		if !slices.Equal(shape, tt.shape) {
			t.Errorf("%s: got shape %v, want %v", tt.name, shape, tt.shape)
		}
		for i, want := range tt.want {
			if i >= len(got) || math.Abs(float64(got[i]-want)) > 1e-6 {
				t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
				break
			}
		}
	}
}

// compute imports a model of one input and one output and computes it.
func compute(t *testing.T, name string, m testModel, x []float32) (tensor.Shape, []float32) {
	t.Helper()
	imported, err := Import(m.encode(), Options{})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	e, err := graph.NewExecutor(imported.Graph)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	out, err := e.Run([][]float32{x}, nil)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return imported.Graph.Tensor(imported.Graph.Outputs[0]).Shape, out[0]
}
