package graph

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"

	"kedge/runtime/tensor"
)

// mlp is x(1,2) → ReLU(W·x+b) of 3 → linear 2 without bias → softmax.
func mlp() *Graph {
	g := &Graph{Name: "test"}
	x := g.AddTensor(Tensor{Name: "x", Shape: tensor.Shape{1, 2}})
	w := g.AddTensor(Tensor{Name: "w", Shape: tensor.Shape{3, 2}, Float: []float32{1, 0, 0, 1, -1, -1}})
	b := g.AddTensor(Tensor{Name: "b", Shape: tensor.Shape{3}, Float: []float32{0, 0.5, 1}})
	h := g.AddTensor(Tensor{Name: "h"})
	v := g.AddTensor(Tensor{Name: "v", Shape: tensor.Shape{2, 3}, Float: []float32{1, 2, 3, -1, 0, 1}})
	z := g.AddTensor(Tensor{Name: "z"})
	p := g.AddTensor(Tensor{Name: "p"})
	g.AddNode(FullyConnected{Activation: ReLU}, []TensorID{x, w, b}, []TensorID{h})
	g.AddNode(FullyConnected{}, []TensorID{h, v}, []TensorID{z})
	g.AddNode(Softmax{Beta: 1}, []TensorID{z}, []TensorID{p})
	g.Inputs, g.Outputs = []TensorID{x}, []TensorID{p}
	return g
}

func TestRun(t *testing.T) {
	g := mlp()
	if err := g.Infer(); err != nil {
		t.Fatal(err)
	}
	e, err := NewExecutor(g)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string][]float32{}
	var order []string
	var out [][]float32
	for _, x := range [][]float32{{-3, 1}, {1, 2}} {
		order = nil
		out, err = e.Run([][]float32{x}, func(id TensorID, v []float32) {
			order = append(order, g.Tensor(id).Name)
			seen[g.Tensor(id).Name] = append(seen[g.Tensor(id).Name], v...)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"x", "h", "z", "p"}; !reflect.DeepEqual(order, want) {
		t.Errorf("observed %v, want %v", order, want)
	}
	if got, want := seen["h"], []float32{0, 1.5, 3, 1, 2.5, 0}; !reflect.DeepEqual(got, want) {
		t.Errorf("hidden got %v, want %v", got, want)
	}
	if got, want := seen["z"], []float32{12, 3, 6, -1}; !reflect.DeepEqual(got, want) {
		t.Errorf("logits got %v, want %v", got, want)
	}
	for i, want := range []float64{1 / (1 + math.Exp(-7)), 1 / (1 + math.Exp(7))} {
		if got := float64(out[0][i]); math.Abs(got-want) > 1e-7 {
			t.Errorf("probability %d: got %v, want %v", i, got, want)
		}
	}
}

func TestSoftmaxOfHugeLogits(t *testing.T) {
	y := make([]float32, 3)
	softmaxRow(y, []float32{3e38, 3e38, -3e38}, 1)
	if want := []float32{0.5, 0.5, 0}; !reflect.DeepEqual(y, want) {
		t.Errorf("got %v, want %v", y, want)
	}
}

func TestRunChecksInputs(t *testing.T) {
	g := mlp()
	if err := g.Infer(); err != nil {
		t.Fatal(err)
	}
	e, err := NewExecutor(g)
	if err != nil {
		t.Fatal(err)
	}
	for name, inputs := range map[string][][]float32{"no input": nil, "two": {{1, 2}, {1, 2}}, "short": {{1}}, "long": {{1, 2, 3}}} {
		if _, err := e.Run(inputs, nil); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v, want %v", name, err, ErrInvalid)
		}
	}
}

func TestInferRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Graph)
		want   error
	}{
		{"no inputs", func(g *Graph) { g.Inputs = nil }, ErrInvalid},
		{"input out of range", func(g *Graph) { g.Inputs[0] = 99 }, ErrInvalid},
		{"input is a constant", func(g *Graph) { g.Inputs[0] = 1 }, ErrInvalid},
		{"input twice", func(g *Graph) { g.Inputs = []TensorID{0, 0} }, ErrInvalid},
		{"scalar input into a layer", func(g *Graph) { g.Tensors[0].Shape = nil }, ErrInvalid},
		{"empty input", func(g *Graph) { g.Tensors[0].Shape = tensor.Shape{1, 0} }, ErrInvalid},
		{"output never computed", func(g *Graph) { g.Outputs[0] = g.AddTensor(Tensor{Name: "lost"}) }, ErrInvalid},
		{"output out of range", func(g *Graph) { g.Outputs[0] = None }, ErrInvalid},
		{"used before computed", func(g *Graph) { slices.Reverse(g.Nodes) }, ErrInvalid},
		{"written twice", func(g *Graph) { g.Nodes[1].Outputs[0] = g.Nodes[0].Outputs[0] }, ErrInvalid},
		{"operand out of range", func(g *Graph) { g.Nodes[0].Inputs[1] = 99 }, ErrInvalid},
		{"operand negative", func(g *Graph) { g.Nodes[0].Inputs[1] = -2 }, ErrInvalid},
		{"no weights", func(g *Graph) { g.Nodes[0].Inputs[1] = None }, ErrInvalid},
		{"too few operands", func(g *Graph) { g.Nodes[0].Inputs = g.Nodes[0].Inputs[:1] }, ErrInvalid},
		{"two outputs", func(g *Graph) { g.Nodes[2].Outputs = append(g.Nodes[2].Outputs, g.AddTensor(Tensor{})) }, ErrInvalid},
		{"weights do not fit", func(g *Graph) { g.Tensors[1].Shape = tensor.Shape{2, 3} }, ErrInvalid},
		{"too few weights", func(g *Graph) { g.Tensors[1].Float = g.Tensors[1].Float[:5] }, ErrInvalid},
		{"bias does not fit", func(g *Graph) { g.Nodes[0].Inputs[2] = 4 }, ErrInvalid},
		{"NaN", func(g *Graph) { g.Tensors[2].Float[1] = float32(math.NaN()) }, ErrInvalid},
		{"infinite", func(g *Graph) { g.Tensors[1].Float[1] = float32(math.Inf(-1)) }, ErrInvalid},
		{"shape disagrees", func(g *Graph) { g.Tensors[3].Shape = tensor.Shape{1, 4} }, ErrInvalid},
		{"negative dimension", func(g *Graph) { g.Tensors[0].Shape = tensor.Shape{1, -2} }, ErrInvalid},
		{"beta", func(g *Graph) { g.Nodes[2].Op = Softmax{} }, ErrInvalid},
		{"beta NaN", func(g *Graph) { g.Nodes[2].Op = Softmax{Beta: float32(math.NaN())} }, ErrInvalid},
		{"activation", func(g *Graph) { g.Nodes[0].Op = FullyConnected{Activation: 4} }, ErrUnsupported},
		{"weights computed", func(g *Graph) { g.Nodes[1].Inputs[1] = 3; g.Tensors[0].Shape = tensor.Shape{3, 2} }, ErrUnsupported},
	} {
		g := mlp()
		c.change(g)
		if err := g.Infer(); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

func TestExecutorRefusesIntegers(t *testing.T) {
	g := mlp()
	g.Tensors[1].Type = tensor.Int8
	if _, err := NewExecutor(g); !errors.Is(err, ErrUnsupported) {
		t.Errorf("got %v, want %v", err, ErrUnsupported)
	}
}

func TestDequantize(t *testing.T) {
	g := &Graph{}
	x := g.AddTensor(Tensor{Name: "x", Shape: tensor.Shape{1, 2}, Type: tensor.Int8, Quant: tensor.Quant{Scales: []float32{0.5}, ZeroPoints: []int32{3}}})
	w := g.AddTensor(Tensor{Name: "w", Shape: tensor.Shape{2, 2}, Type: tensor.Int8, Int8: []int8{1, -2, 127, 4}, Quant: tensor.Quant{Scales: []float32{0.5, 2}, ZeroPoints: []int32{0, 0}}})
	b := g.AddTensor(Tensor{Name: "b", Shape: tensor.Shape{2}, Type: tensor.Int32, Int32: []int32{10, -1 << 31}, Quant: tensor.Quant{Scales: []float32{0.25, 1}}})
	y := g.AddTensor(Tensor{Name: "y", Type: tensor.Int8, Quant: tensor.Quant{Scales: []float32{1}}})
	g.AddNode(FullyConnected{}, []TensorID{x, w, b}, []TensorID{y})
	g.Inputs, g.Outputs = []TensorID{x}, []TensorID{y}
	f, err := g.Dequantize()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := f.Tensor(w).Float, []float32{0.5, -1, 254, 8}; !reflect.DeepEqual(got, want) {
		t.Errorf("weights got %v, want %v", got, want)
	}
	if got, want := f.Tensor(b).Float, []float32{2.5, -1 << 31}; !reflect.DeepEqual(got, want) {
		t.Errorf("bias got %v, want %v", got, want)
	}
	if _, err := NewExecutor(f); err != nil {
		t.Errorf("the result is not float throughout: %v", err)
	}
	if g.Tensor(w).Int8 == nil || g.Tensor(x).Type != tensor.Int8 {
		t.Error("the int8 graph was changed")
	}

	g.Tensors[w].Quant.Dim = 1
	g.Tensors[w].Quant.Scales = []float32{1, 2, 3}
	if _, err := g.Dequantize(); !errors.Is(err, ErrInvalid) {
		t.Errorf("scales that do not fit: got %v, want %v", err, ErrInvalid)
	}
	g.Tensors[w].Quant.Scales = nil
	if _, err := g.Dequantize(); !errors.Is(err, ErrUnsupported) {
		t.Errorf("no scales: got %v, want %v", err, ErrUnsupported)
	}
}
