package emit

import (
	"bytes"
	"math"
	"testing"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// TestTensorNumbersStay checks that constants of the file come behind the graph's
// tensors, once for equal contents, and not at all where the graph brings them.
func TestTensorNumbersStay(t *testing.T) {
	g := &graph.Graph{Name: "main"}
	x := g.AddTensor(graph.Tensor{Name: "x", Shape: tensor.Shape{1, 4, 6}})
	g.Inputs = []graph.TensorID{x}
	for _, perm := range [][]int{{0, 2, 1}, {0, 2, 1}, {0, 1, 2}} {
		y := g.AddTensor(graph.Tensor{Name: "y"})
		g.AddNode(graph.Transpose{Perm: perm}, []graph.TensorID{x}, []graph.TensorID{y})
		x = y
	}
	g.Outputs = []graph.TensorID{x}
	own := g.AddTensor(graph.Tensor{Name: "own", Shape: tensor.Shape{3}, Type: tensor.Int32, Int32: []int32{0, 1, 2}})
	if err := g.Infer(); err != nil {
		t.Fatal(err)
	}
	file, err := Model(g)
	if err != nil {
		t.Fatal(err)
	}
	s := decode(t, file)
	if got, want := len(s.Tensors), len(g.Tensors)+1; got != want {
		t.Errorf("%d tensors, want %d", got, want)
	}
	for i := range g.Tensors {
		if s.Tensors[i].Name != g.Tensors[i].Name {
			t.Errorf("tensor %d is %q, want %q", i, s.Tensors[i].Name, g.Tensors[i].Name)
		}
	}
	for i, want := range []int{len(g.Tensors), len(g.Tensors), int(own)} {
		if got := s.Operators[i].Inputs[1]; got != want {
			t.Errorf("operator %d reads its permutation from tensor %d, want %d", i, got, want)
		}
	}
	if again, _ := Model(g); !bytes.Equal(file, again) {
		t.Error("written twice, the files differ")
	}
}

func TestPadValue(t *testing.T) {
	q := tensor.Quant{Scales: []float32{0.5}, ZeroPoints: []int32{3}}
	for _, c := range []struct {
		kind  tensor.Type
		value float32
		want  int
	}{
		{tensor.Int8, 1, 5},
		{tensor.Int8, -math.MaxFloat32, -128},
		{tensor.Int8, 1e6, 127},
		{tensor.Int16, -math.MaxFloat32, -32768},
		{tensor.Int16, -2, -1},
	} {
		got := padValue(c.value, &graph.Tensor{Type: c.kind, Quant: q}, 0)
		v := 0
		for _, x := range got.Int8 {
			v = int(x)
		}
		for _, x := range got.Int16 {
			v = int(x)
		}
		if v != c.want || got.Type != c.kind || len(got.Int8)+len(got.Int16) != 1 {
			t.Errorf("%v %v: got %+v, want %d", c.kind, c.value, got, c.want)
		}
	}
}
