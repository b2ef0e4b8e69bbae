package graph

import (
	"errors"
	"slices"
	"testing"

	"kedge/runtime/tensor"
)

// TestBuffersAreNotClobbered: a graph whose operators read results of any age
// gives, tensor by tensor, what it gives when every tensor has its own buffer,
// as graph outputs do.
func TestBuffersAreNotClobbered(t *testing.T) {
	for seed := range uint64(100) {
		r := newGenerator(seed)
		g := &Graph{}
		square := tensor.Shape{4, 4}
		made := []TensorID{g.AddTensor(Tensor{Name: "x", Shape: square})}
		g.Inputs = made[:1:1]
		for range 3 + r.IntN(15) {
			y := g.AddTensor(Tensor{Name: "y"})
			a, b := made[r.IntN(len(made))], made[max(len(made)-1-r.IntN(3), 0)]
			if r.IntN(2) == 0 {
				g.AddNode(BatchMatMul{}, []TensorID{a, b}, []TensorID{y})
			} else {
				w := r.constant(4, 4)
				g.AddNode(FullyConnected{Activation: ReLUN1To1}, []TensorID{b, g.AddTensor(w)}, []TensorID{y})
			}
			made = append(made, y)
		}
		g.Outputs = []TensorID{made[len(made)-1], made[len(made)/2]}
		x := r.values(16)
		want, _ := observed(t, g, x, made[1:])
		got, outputs := observed(t, g, x, g.Outputs)
		if !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("seed %d: got %v, want %v", seed, got, want)
		}
		for i, id := range g.Outputs {
			if want := want[slices.Index(made, id)]; !slices.Equal(outputs[i], want) {
				t.Errorf("seed %d: output %d: got %v, want %v", seed, i, outputs[i], want)
			}
		}
	}
}

// observed runs g with these outputs and returns a copy of every activation in
// the order it was seen, and the outputs.
func observed(t *testing.T, g *Graph, x []float32, outputs []TensorID) (seen, out [][]float32) {
	t.Helper()
	g = g.Clone()
	g.Outputs = outputs
	if err := g.Infer(); err != nil {
		t.Fatal(err)
	}
	e, err := NewExecutor(g)
	if err != nil {
		t.Fatal(err)
	}
	out, err = e.Run([][]float32{x}, func(_ TensorID, v []float32) { seen = append(seen, slices.Clone(v)) })
	if err != nil {
		t.Fatal(err)
	}
	return seen, out
}

// TestBuffersServeAgain: a chain needs two at a time.
func TestBuffersServeAgain(t *testing.T) {
	r := newGenerator(1)
	g := single(FullyConnected{}, tensor.Shape{3, 5}, r.constant(5, 5))
	for range 8 {
		y := g.AddTensor(Tensor{Name: "y"})
		g.AddNode(FullyConnected{}, []TensorID{g.Outputs[0], 1}, []TensorID{y})
		g.Outputs = []TensorID{y}
	}
	if err := g.Infer(); err != nil {
		t.Fatal(err)
	}
	e, err := NewExecutor(g)
	if err != nil {
		t.Fatal(err)
	}
	buffers := map[*float32]bool{}
	for _, n := range g.Nodes {
		buffers[&e.values[n.Outputs[0]][0]] = true
	}
	if len(buffers) != 2 {
		t.Errorf("got %d buffers, want 2", len(buffers))
	}
}

func TestExecutorRefusesHugeActivations(t *testing.T) {
	g := single(TransposeConv{StrideH: 1, StrideW: 1, OutputH: 40000, OutputW: 40000}, tensor.Shape{1, 1, 1, 1}, zeros(1, 1, 1, 1))
	if err := g.Infer(); err != nil {
		t.Fatal(err)
	}
	if _, err := NewExecutor(g); !errors.Is(err, ErrUnsupported) {
		t.Errorf("got %v, want %v", err, ErrUnsupported)
	}
}
