package emit

import (
	"errors"
	"testing"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// borders is an input that is made an integer and real again.
func borders(to tensor.Type, channels int) *graph.Graph {
	q := tensor.Quant{Scales: make([]float32, channels), ZeroPoints: make([]int32, channels), Dim: 1}
	for i := range q.Scales {
		q.Scales[i] = 0.5
	}
	if channels == 1 {
		q.Dim = 0
	}
	g := &graph.Graph{Name: "main"}
	x := g.AddTensor(graph.Tensor{Name: "x", Shape: tensor.Shape{1, 3}})
	i := g.AddTensor(graph.Tensor{Name: "i", Shape: tensor.Shape{1, 3}, Type: to, Quant: q})
	y := g.AddTensor(graph.Tensor{Name: "y", Shape: tensor.Shape{1, 3}})
	g.AddNode(graph.Quantize{To: to, Quant: q}, []graph.TensorID{x}, []graph.TensorID{i})
	g.AddNode(graph.Dequantize{Quant: q}, []graph.TensorID{i}, []graph.TensorID{y})
	g.Inputs, g.Outputs = []graph.TensorID{x}, []graph.TensorID{y}
	return g
}

func TestQuantizeVersions(t *testing.T) {
	for _, c := range []struct {
		to                   tensor.Type
		channels             int
		quantize, dequantize int
	}{
		{tensor.Int8, 1, 1, 2},
		{tensor.Int8, 3, 3, 5},
		{tensor.Int16, 1, 2, 3},
		{tensor.Uint8, 1, 1, 1},
	} {
		file, err := Model(borders(c.to, c.channels))
		if err != nil {
			t.Fatal(err)
		}
		ops := decode(t, file).Operators
		if ops[0].Version != c.quantize || ops[1].Version != c.dequantize {
			t.Errorf("%v, %d channels: versions got %d and %d, want %d and %d", c.to, c.channels, ops[0].Version, ops[1].Version, c.quantize, c.dequantize)
		}
	}
}

// TestQuantizeToFloat: the float executor lets a QUANTIZE's result be float32.
// A file cannot.
func TestQuantizeToFloat(t *testing.T) {
	g := borders(tensor.Int8, 1)
	g.Tensors[1].Type = tensor.Float32
	if _, err := Model(g); !errors.Is(err, ErrUnsupported) {
		t.Errorf("got %v, want %v", err, ErrUnsupported)
	}
}
