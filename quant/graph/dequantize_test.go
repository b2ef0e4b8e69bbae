package graph

import (
	"reflect"
	"slices"
	"testing"

	"kedge/runtime/tensor"
)

func scaled(kind tensor.Type, scale float32, zero int32) Tensor {
	return Tensor{Shape: tensor.Shape{1, 2}, Type: kind, Quant: tensor.Quant{Scales: []float32{scale}, ZeroPoints: []int32{zero}}}
}

// TestDequantizeDropsConversions: of a model with float inputs and outputs
// around int8 only the computing is left, under the names of its ends.
func TestDequantizeDropsConversions(t *testing.T) {
	g := &Graph{}
	add := func(name string, t Tensor) TensorID { t.Name = name; return g.AddTensor(t) }
	x := add("x", Tensor{Shape: tensor.Shape{1, 2}})
	xq, hq := add("xq", scaled(tensor.Int8, 0.5, 0)), add("hq", scaled(tensor.Int8, 0.25, 0))
	yq, yr := add("yq", scaled(tensor.Int8, 0.25, 0)), add("yr", scaled(tensor.Int8, 0.125, 3))
	y, z := add("y", Tensor{Shape: tensor.Shape{1, 2}}), add("z", Tensor{Shape: tensor.Shape{1, 2}})
	q := func(id TensorID) Quantize { return Quantize{To: tensor.Int8, Quant: g.Tensor(id).Quant} }
	one := func(id TensorID) []TensorID { return []TensorID{id} }
	g.AddNode(q(xq), one(x), one(xq))
	g.AddNode(Unary{Kind: FuncReLU}, one(xq), one(hq))
	g.AddNode(Unary{Kind: FuncAbs}, one(hq), one(yq))
	g.AddNode(q(yr), one(yq), one(yr))
	g.AddNode(Dequantize{Quant: g.Tensor(yr).Quant}, one(yr), one(y))
	g.AddNode(Dequantize{Quant: g.Tensor(xq).Quant}, one(xq), one(z))
	g.Inputs, g.Outputs = one(x), []TensorID{y, z}
	if err := g.Infer(); err != nil {
		t.Fatal(err)
	}
	f, err := g.Dequantize()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range f.Nodes {
		got = append(got, n.Op.Name()+" "+f.Tensor(n.Inputs[0]).Name+" → "+f.Tensor(n.Outputs[0]).Name)
	}
	want := []string{"RELU x → hq", "ABS hq → y", "RESHAPE x → z"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	e, err := NewExecutor(f)
	if err != nil {
		t.Fatal(err)
	}
	out, err := e.Run([][]float32{{-1.3, 2.7}}, nil)
	if want := [][]float32{{0, 2.7}, {-1.3, 2.7}}; err != nil || !reflect.DeepEqual(out, want) {
		t.Errorf("got %v, %v, want %v", out, err, want)
	}
}

// TestDequantizeImplied: an uint8 range from 0 on is a ReLU, one from 0 to 6 a
// ReLU6; int8 has no such meaning, nor has an operator with an activation.
func TestDequantizeImplied(t *testing.T) {
	for _, c := range []struct {
		out          Tensor
		before, want Activation
	}{
		{scaled(tensor.Uint8, 0.1, 0), Linear, ReLU},
		{scaled(tensor.Uint8, 0.023528, 0), Linear, ReLU6},
		{scaled(tensor.Uint8, 0.023528, 0), ReLU, ReLU},
		{scaled(tensor.Uint8, 0.1, 1), Linear, Linear},
		{scaled(tensor.Int8, 0.1, -128), Linear, Linear},
	} {
		g := &Graph{}
		x := g.AddTensor(scaled(c.out.Type, 1, 0))
		w := g.AddTensor(Tensor{Shape: tensor.Shape{2, 2}, Type: tensor.Int8, Int8: []int8{1, 2, 3, 4}, Quant: tensor.Quant{Scales: []float32{1}}})
		y := g.AddTensor(c.out)
		g.AddNode(FullyConnected{Activation: c.before}, []TensorID{x, w}, []TensorID{y})
		g.Inputs, g.Outputs = []TensorID{x}, []TensorID{y}
		f, err := g.Dequantize()
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Nodes[0].Op.(FullyConnected).Activation; got != c.want {
			t.Errorf("%v scale %v zero point %v after %v: got %v, want %v", c.out.Type, c.out.Quant.Scale(), c.out.Quant.ZeroPoint(), c.before, got, c.want)
		}
	}
}

// TestDequantizeBiases: int64 as beside int16, and without a scale of its own.
func TestDequantizeBiases(t *testing.T) {
	g := &Graph{}
	x := g.AddTensor(scaled(tensor.Int16, 0.5, 0))
	w := g.AddTensor(Tensor{Shape: tensor.Shape{2, 2}, Type: tensor.Int8, Int8: make([]int8, 4), Quant: tensor.Quant{Scales: []float32{0.5, 2}}})
	b := g.AddTensor(Tensor{Shape: tensor.Shape{2}, Type: tensor.Int64, Int64: []int64{8, -1 << 40}})
	y := g.AddTensor(scaled(tensor.Int16, 1, 0))
	g.AddNode(FullyConnected{}, []TensorID{x, w, b}, []TensorID{y})
	g.Inputs, g.Outputs = []TensorID{x}, []TensorID{y}
	f, err := g.Dequantize()
	if want := []float32{2, -1 << 40}; err != nil || !slices.Equal(f.Tensor(b).Float, want) {
		t.Errorf("got %+v, %v, want biases %v", f, err, want)
	}
	if g.Tensor(b).Quant.Scales != nil {
		t.Error("the quantized graph was changed")
	}
}
