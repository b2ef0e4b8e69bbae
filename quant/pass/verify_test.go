package pass

import (
	"errors"
	"math"
	"testing"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// scaled is y = factor·x on two values.
func scaled(factor float32, shape ...int) *graph.Graph {
	g := &graph.Graph{}
	x := g.AddTensor(graph.Tensor{Name: "x", Shape: tensor.Shape(shape)})
	w := g.AddTensor(graph.Tensor{Name: "factor", Shape: tensor.Shape{1}, Float: []float32{factor}})
	y := g.AddTensor(graph.Tensor{Name: "y"})
	g.AddNode(graph.Binary{Kind: graph.Mul}, []graph.TensorID{x, w}, []graph.TensorID{y})
	g.Inputs, g.Outputs = []graph.TensorID{x}, []graph.TensorID{y}
	return g
}

func TestVerify(t *testing.T) {
	inferred := func(g *graph.Graph) *graph.Graph {
		if err := g.Infer(); err != nil {
			t.Fatal(err)
		}
		return g
	}
	for _, c := range []struct {
		before, after float32
		want          float64
	}{{1000, 1000, 0}, {1000, 1010, 0.01}, {-1000, -990, 0.01}} {
		d, err := Verify(inferred(scaled(c.before, 1, 2)), inferred(scaled(c.after, 1, 2)), 3)
		if err != nil || math.Abs(d-c.want) > 1e-5 {
			t.Errorf("%v and %v: got %v, %v, want %v", c.before, c.after, d, err, c.want)
		}
	}
	if _, err := Verify(inferred(scaled(1, 1, 2)), inferred(scaled(1, 1, 3)), 1); !errors.Is(err, ErrInvalid) {
		t.Errorf("other shapes: got %v, want %v", err, ErrInvalid)
	}
}
