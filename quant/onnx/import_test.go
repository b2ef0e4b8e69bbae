package onnx

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

func node(operator, inputs, outputs string, attributes ...message) testNode {
	split := func(s string) []string {
		var list []string
		for part := range strings.SplitSeq(s, ",") {
			list = append(list, strings.TrimSpace(part))
		}
		return list
	}
	return testNode{operator: operator, inputs: split(inputs), outputs: split(outputs), attributes: attributes}
}

// TestInputLayout: only what operators on channels-first images read gets its
// channels last.
func TestInputLayout(t *testing.T) {
	w := reals("w", 2, 3, 1, 1)
	tests := []struct {
		name  string
		dims  []int
		nodes []testNode
		shape tensor.Shape // of the graph's input
		perm  []int
	}{
		{"convolution", []int{-1, 3, 4, 5}, []testNode{node("Conv", "x,w", "y")}, tensor.Shape{1, 4, 5, 3}, []int{0, 2, 3, 1}},
		{"behind elements", []int{-2, 3, 4, 5}, []testNode{node("Relu", "x", "r"), node("Conv", "r,w", "y")}, tensor.Shape{1, 4, 5, 3}, []int{0, 2, 3, 1}},
		{"pool of a row", []int{2, 3, 8}, []testNode{node("MaxPool", "x", "y", intsAttribute("kernel_shape", 2))}, tensor.Shape{2, 8, 3}, []int{0, 2, 1}},
		{"channels last already", []int{1, 4, 5, 3}, []testNode{node("Transpose", "x", "r", intsAttribute("perm", 0, 3, 1, 2)), node("Conv", "r,w", "y")}, tensor.Shape{1, 4, 5, 3}, nil},
		{"no image", []int{1, 3, 4, 5}, []testNode{node("Relu", "x", "y")}, tensor.Shape{1, 3, 4, 5}, nil},
	}
	for _, tt := range tests {
		m, err := Import(testModel{opset: 17, inputs: []testInput{{"x", tt.dims}}, initializers: []testTensor{w}, nodes: tt.nodes, outputs: []string{"y"}}.encode(), Options{})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := m.Graph.Tensor(m.Graph.Inputs[0]).Shape; !slices.Equal(got, tt.shape) || !slices.Equal(m.Inputs[0].Perm, tt.perm) {
			t.Errorf("%s: got shape %v and permutation %v, want %v and %v", tt.name, got, m.Inputs[0].Perm, tt.shape, tt.perm)
		}
		if m.Outputs[0].Name != "y" || m.Graph.Tensor(m.Graph.Outputs[0]).Name != "y" {
			t.Errorf("%s: output: got names %q and %q, want y", tt.name, m.Outputs[0].Name, m.Graph.Tensor(m.Graph.Outputs[0]).Name)
		}
	}
}

// TestUnsupportedListsAll: every node that cannot be imported is named, those
// that only depend on one are not.
func TestUnsupportedListsAll(t *testing.T) {
	m := testModel{opset: 13, inputs: []testInput{{"x", []int{1, 4}}}, outputs: []string{"y"}, nodes: []testNode{
		node("Erf", "x", "a"), node("Relu", "a", "b"), node("LSTM", "b", "c"),
		node("Relu", "x", "d", intAttribute("wide", 1)), node("Dropout", "x", "e,mask"), node("Relu", "mask", "f"), node("Add", "c,d", "y"),
	}}
	_, err := Import(m.encode(), Options{})
	var list *UnsupportedError
	if !errors.As(err, &list) || !errors.Is(err, graph.ErrUnsupported) {
		t.Fatalf("got error %v, want an UnsupportedError", err)
	}
	want := []UnsupportedNode{
		{"Erf", "a", "no such operator here"}, {"LSTM", "c", "no such operator here"},
		{"Relu", "d", `attribute "wide"`}, {"Relu", "f", `it reads output 1 of Dropout of "e"`},
	}
	if !slices.Equal(list.Nodes, want) {
		t.Errorf("got %q, want %q", list.Nodes, want)
	}
}

// TestRefuses: what is wrong with a model is said, with the name of the part.
func TestRefuses(t *testing.T) {
	relu := []testNode{node("Relu", "x", "y")}
	x := []testInput{{"x", []int{1, 4}}}
	var external, elsewhere message
	external.number(1, 4)
	external.number(2, 1)
	external.text(8, "w")
	external.number(14, 1)
	elsewhere.embed(5, external)
	tests := []struct {
		name string
		file []byte
		is   error
		says string
	}{
		{"empty", nil, ErrFormat, "no graph"},
		{"cut", testModel{opset: 13, inputs: x, nodes: relu, outputs: []string{"y"}}.encode()[:40], ErrFormat, ""},
		{"open dimension", testModel{opset: 13, inputs: []testInput{{"x", []int{1, -1}}}, nodes: relu, outputs: []string{"y"}}.encode(), graph.ErrUnsupported, `"x": dimension 1 ("N") is open`},
		{"no dimension", testModel{opset: 13, inputs: []testInput{{"x", []int{1, 0}}}, nodes: relu, outputs: []string{"y"}}.encode(), graph.ErrInvalid, "dimension 1 is 0"},
		{"future opset", testModel{opset: 99, inputs: x, nodes: relu, outputs: []string{"y"}}.encode(), graph.ErrUnsupported, "opset 99"},
		{"undefined value", testModel{opset: 13, inputs: x, nodes: []testNode{node("Relu", "z", "y")}, outputs: []string{"y"}}.encode(), ErrFormat, `reads "z"`},
		{"two sources", testModel{opset: 13, inputs: x, nodes: append(relu, relu...), outputs: []string{"y"}}.encode(), ErrFormat, `"y" has two sources`},
		{"no output", testModel{opset: 13, inputs: x, nodes: relu, outputs: []string{"q"}}.encode(), ErrFormat, `"q" is never computed`},
		{"constant output", testModel{opset: 13, inputs: x, nodes: []testNode{node("Shape", "x", "y")}, outputs: []string{"y"}}.encode(), graph.ErrUnsupported, "does not depend on any input"},
		{"shapes", testModel{opset: 13, inputs: x, initializers: []testTensor{reals("w", 3)}, nodes: []testNode{node("Add", "x,w", "y")}, outputs: []string{"y"}}.encode(), graph.ErrInvalid, "node Add"},
		{"huge constant", testModel{opset: 13, inputs: x, initializers: []testTensor{integers("n", 1<<15, 1<<15)}, nodes: []testNode{node("ConstantOfShape", "n", "y")}, outputs: []string{"y"}}.encode(), graph.ErrInvalid, "file of this length"},
		{"old axis", testModel{opset: 6, inputs: x, nodes: []testNode{node("Add", "x,x", "y")}, outputs: []string{"y"}}.encode(), graph.ErrUnsupported, "before opset 7"},
	}
	for _, tt := range tests {
		_, err := Import(tt.file, Options{})
		if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: got error %v, want %v with %q", tt.name, err, tt.is, tt.says)
		}
	}
	var p message
	p.embed(7, elsewhere)
	p.embed(8, message{16, 13})
	if _, err := Import(p, Options{}); !errors.Is(err, graph.ErrUnsupported) || !strings.Contains(err.Error(), `"w" keeps its values in another file`) {
		t.Errorf("external data: got error %v", err)
	}
}

// TestConstantsOption turns inputs into weights.
func TestConstantsOption(t *testing.T) {
	w := reals("w", 4, 3)
	file := testModel{opset: 13, inputs: []testInput{{"x", []int{1, 4}}, {"w", []int{4, 3}}}, nodes: []testNode{node("MatMul", "x,w", "y")}, outputs: []string{"y"}}.encode()
	m, err := Import(file, Options{Constants: map[string]Tensor{"w": w.Tensor}})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Inputs) != 1 || m.Graph.Nodes[0].Op.Name() != "FULLY_CONNECTED" {
		t.Errorf("got %d inputs and %s, want 1 and FULLY_CONNECTED", len(m.Inputs), m.Graph.Nodes[0].Op.Name())
	}
	for name, constants := range map[string]map[string]Tensor{"unknown": {"q": w.Tensor}, "short": {"w": {Shape: tensor.Shape{4, 3}}}} {
		if _, err := Import(file, Options{Constants: constants}); !errors.Is(err, graph.ErrInvalid) {
			t.Errorf("%s: got error %v, want ErrInvalid", name, err)
		}
	}
}

// TestDeterministic: the same file gives the same graph.
func TestDeterministic(t *testing.T) {
	file := shared(t, "cnn_mnist_bn_opset13.onnx")
	names := func() (list []string) {
		m, err := Import(file, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range m.Graph.Nodes {
			list = append(list, n.Op.Name(), m.Graph.Tensor(n.Outputs[0]).Name)
		}
		return list
	}
	if first, second := names(), names(); !slices.Equal(first, second) {
		t.Errorf("got %q, then %q", first, second)
	}
}
