package onnx

import (
	"errors"
	"reflect"
	"testing"

	"kedge/quant/graph"
)

// FuzzImport: whatever the bytes, an import ends with an error or with a graph
// that passes Infer again and is the same the second time.
func FuzzImport(f *testing.F) {
	x := []testInput{{"x", []int{-1, 2, 4, 4}}}
	for _, m := range []testModel{
		{opset: 13, inputs: x, initializers: []testTensor{reals("w", 2, 1, 3, 3)}, outputs: []string{"y"}, nodes: []testNode{
			node("Conv", "x,w", "c", intAttribute("group", 2), intsAttribute("pads", 1, 1, 1, 1)), node("Relu", "c", "y")}},
		{opset: 11, inputs: x, initializers: []testTensor{integers("i", 0), integers("rest", -1)}, outputs: []string{"y"}, nodes: []testNode{
			node("Shape", "x", "s"), node("Gather", "s,i", "n"), node("Concat", "n,rest", "shape", intAttribute("axis", 0)), node("Reshape", "x,shape", "y")}},
		{opset: 17, inputs: x, initializers: []testTensor{integers("sizes", 1, 2, 7, 8)}, outputs: []string{"y"}, nodes: []testNode{
			node("Resize", "x,,,sizes", "r", textAttribute("mode", "linear")), node("Softmax", "r", "y", intAttribute("axis", 1))}},
		{opset: 13, inputs: x, initializers: []testTensor{integers("pads", 0, 0, 2, 1, 0, 0, 3, -1)}, outputs: []string{"y", "z"}, nodes: []testNode{
			node("Pad", "x,pads", "p", textAttribute("mode", "edge")), node("Split", "p", "y,z", intAttribute("axis", 1))}},
	} {
		f.Add([]byte(m.encode()))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		m, err := Import(file, Options{})
		if err != nil {
			if !errors.Is(err, ErrFormat) && !errors.Is(err, graph.ErrInvalid) && !errors.Is(err, graph.ErrUnsupported) {
				t.Errorf("error without a sentinel: %v", err)
			}
			return
		}
		if err := m.Graph.Infer(); err != nil {
			t.Errorf("the graph does not pass Infer again: %v", err)
		}
		for i, in := range m.Inputs {
			stored := in.Shape
			if in.Perm != nil {
				stored = permuted(in.Shape, in.Perm)
			}
			if got := m.Graph.Tensor(m.Graph.Inputs[i]).Shape; !got.Equal(stored) {
				t.Errorf("input %q: got shape %v, want %v", in.Name, got, stored)
			}
		}
		again, err := Import(file, Options{})
		if err != nil || !reflect.DeepEqual(m.Graph.Nodes, again.Graph.Nodes) {
			t.Errorf("the second import differs: %v", err)
		}
	})
}
