package graph

import (
	"errors"
	"math"
	"slices"
	"testing"

	"kedge/runtime/tensor"
)

// roundTrip is x → Quantize → q → Dequantize → y, with both q and y as outputs.
func roundTrip(to tensor.Type, q tensor.Quant, x array) *Graph {
	g := build(Quantize{To: to, Quant: q}, 1, x)
	mid := g.Outputs[0]
	g.Tensors[mid].Type, g.Tensors[mid].Quant = to, q
	y := g.AddTensor(Tensor{})
	g.AddNode(Dequantize{Quant: q}, []TensorID{mid}, []TensorID{y})
	g.Outputs = []TensorID{mid, y}
	return g
}

func TestQuantizeRows(t *testing.T) {
	per := func(scale float32, zero int32) tensor.Quant {
		return tensor.Quant{Scales: []float32{scale}, ZeroPoints: []int32{zero}}
	}
	for _, c := range []struct {
		to       tensor.Type
		quant    tensor.Quant
		x, q, dq array
	}{
		// 0.5, 1.5, −0.5 and −2.5 scales: halves to even, before the zero point.
		{tensor.Int8, per(2, 3), row(1, 3, -1, -5, 4), row(3, 5, 3, 1, 5), row(0, 4, 0, -4, 4)},
		{tensor.Int8, per(0.5, -128), row(-1, 0, 127.5, 1e30), row(-128, -128, 127, 127), row(0, 0, 127.5, 127.5)},
		{tensor.Uint8, per(1, 0), row(-1, 254.5, 300), row(0, 254, 255), row(0, 254, 255)},
		{tensor.Int16, tensor.Quant{Scales: []float32{0.25}}, row(-9000, 1, 9000), row(-32768, 4, 32767), row(-8192, 1, 8191.75)},
		// 0.7 and 0.1 as float32 numbers: the quotient rounds to 7 exactly.
		{tensor.Int8, per(0.1, 0), row(0.7, 0.05), row(7, 0), row(float32(7*float64(float32(0.1))), 0)},
	} {
		got := runGraph(t, roundTrip(c.to, c.quant, c.x), c.x)
		sameArray(t, c, got[0], c.q, 0)
		sameArray(t, c, got[1], c.dq, 0)
	}
}

func TestQuantizePerChannelAgainstDefinition(t *testing.T) {
	r := seeded()
	for range 200 {
		x := randomArray(r, randomShape(r, 1, 4)...)
		dim := r.IntN(len(x.shape))
		q := tensor.Quant{Dim: dim}
		for range x.shape[dim] {
			q.Scales, q.ZeroPoints = append(q.Scales, 0.01+r.Float32()/20), append(q.ZeroPoints, r.Int32N(100)-50)
		}
		integers := newArray(x.shape...).fill(func(index []int) float32 {
			c := index[dim]
			v := math.RoundToEven(float64(x.at(index)/q.Scales[c])) + float64(q.ZeroPoints[c])
			return float32(min(max(v, -128), 127))
		})
		reals := newArray(x.shape...).fill(func(index []int) float32 {
			c := index[dim]
			return float32(float64(q.Scales[c]) * float64(integers.at(index)-float32(q.ZeroPoints[c])))
		})
		got := runGraph(t, roundTrip(tensor.Int8, q, x), x)
		sameArray(t, q, got[0], integers, 0)
		sameArray(t, q, got[1], reals, 0)
	}
}

// Integers may be moved on their way to a Dequantize, and constants start there.
func TestIntegersBetween(t *testing.T) {
	q := tensor.Quant{Scales: []float32{0.5}, ZeroPoints: []int32{1}}
	x := newArray(2, 3)
	copy(x.v, []float32{0, 1, 2, 3, 4, 5})
	g := build(Quantize{To: tensor.Int8, Quant: q}, 1, x)
	mid := g.Outputs[0]
	g.Tensors[mid].Type, g.Tensors[mid].Quant = tensor.Int8, q
	turned := g.AddTensor(Tensor{Type: tensor.Int8, Quant: q})
	constant := g.AddTensor(Tensor{Type: tensor.Int8, Quant: q, Shape: tensor.Shape{3, 1}, Int8: []int8{-128, 0, 127}})
	joined := g.AddTensor(Tensor{Type: tensor.Int8, Quant: q})
	reals := g.AddTensor(Tensor{})
	g.AddNode(Transpose{Perm: []int{1, 0}}, []TensorID{mid}, []TensorID{turned})
	g.AddNode(Concatenation{Axis: 1}, []TensorID{turned, constant}, []TensorID{joined})
	g.AddNode(Dequantize{Quant: q}, []TensorID{joined}, []TensorID{reals})
	for _, c := range []Tensor{
		{Type: tensor.Int8, Int8: []int8{-3, 5}}, {Type: tensor.Int16, Int16: []int16{-3, 5}},
		{Type: tensor.Int32, Int32: []int32{-3, 5}}, {Type: tensor.Uint8, Int16: []int16{-3, 5}},
	} {
		c.Shape = tensor.Shape{2}
		from, to := g.AddTensor(c), g.AddTensor(Tensor{})
		g.AddNode(Dequantize{Quant: q}, []TensorID{from}, []TensorID{to})
		g.Outputs = append(g.Outputs, to)
	}
	g.Outputs[0] = reals
	got := runGraph(t, g, x)
	sameArray(t, "joined", got[0], array{shape: tensor.Shape{3, 3}, v: []float32{0, 3, -64.5, 1, 4, -0.5, 2, 5, 63}}, 0)
	for _, a := range got[1:] {
		sameArray(t, "constant", a, row(-2, 2), 0)
	}
}

func TestExecutorRefusesArithmeticOnIntegers(t *testing.T) {
	q := tensor.Quant{Scales: []float32{1}}
	x := newArray(1, 2)
	for _, c := range []struct {
		name   string
		change func(g *Graph)
	}{
		{"a function", func(g *Graph) { g.Nodes[1].Op = Unary{FuncAbs} }},
		{"a fused activation", func(g *Graph) { g.Nodes[1].Op = Concatenation{Activation: ReLU} }},
		{"a constant border", func(g *Graph) { g.Nodes[1].Op = Pad{Before: []int{0, 0}, After: []int{0, 0}} }},
		{"quantized again", func(g *Graph) { g.Nodes[1].Op = Quantize{To: tensor.Int8, Quant: q}; g.Tensors[2].Type = tensor.Int8 }},
		{"moved into another type", func(g *Graph) { g.Nodes[1].Op = Reshape{Shape: tensor.Shape{2}} }},
		{"joined with floats", func(g *Graph) {
			g.Nodes[1].Op, g.Nodes[1].Inputs, g.Tensors[2].Type = Concatenation{}, []TensorID{1, 0}, tensor.Int8
		}},
		{"integer graph input", func(g *Graph) { g.Tensors[0].Type = tensor.Int8 }},
		{"result declared integer", func(g *Graph) { g.Tensors[2].Type = tensor.Int8 }},
		{"an integer constant used as numbers", func(g *Graph) {
			g.Nodes[1] = Node{Op: Binary{}, Inputs: []TensorID{0, g.AddTensor(Tensor{Type: tensor.Int8, Int8: []int8{1}})}, Outputs: []TensorID{2}}
		}},
		{"integers that say float32", func(g *Graph) {
			g.Nodes[1] = Node{Op: Binary{}, Inputs: []TensorID{0, g.AddTensor(Tensor{Int8: []int8{1}})}, Outputs: []TensorID{2}}
		}},
		{"floats that say int8", func(g *Graph) {
			g.Nodes[1].Inputs = []TensorID{g.AddTensor(Tensor{Type: tensor.Int8, Float: []float32{1}})}
			g.Tensors[2].Shape = nil
		}},
	} {
		g := roundTrip(tensor.Int8, q, x)
		c.change(g)
		if err := g.Infer(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if _, err := NewExecutor(g); !errors.Is(err, ErrUnsupported) && !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v, want %v", c.name, err, ErrUnsupported)
		}
	}
}

func TestQuantizeRefuses(t *testing.T) {
	nan := float32(math.NaN())
	x := newArray(2, 3)
	for _, c := range []struct {
		name string
		to   tensor.Type
		q    tensor.Quant
	}{
		{"no scale", tensor.Int8, tensor.Quant{}},
		{"scale 0", tensor.Int8, tensor.Quant{Scales: []float32{0}}},
		{"scale NaN", tensor.Int8, tensor.Quant{Scales: []float32{nan}}},
		{"scale infinite", tensor.Int8, tensor.Quant{Scales: []float32{float32(math.Inf(1))}}},
		{"zero points", tensor.Int8, tensor.Quant{Scales: []float32{1}, ZeroPoints: []int32{1, 2}}},
		{"zero point too large", tensor.Int8, tensor.Quant{Scales: []float32{1}, ZeroPoints: []int32{128}}},
		{"zero point negative", tensor.Uint8, tensor.Quant{Scales: []float32{1}, ZeroPoints: []int32{-1}}},
		{"channels", tensor.Int8, tensor.Quant{Scales: []float32{1, 1, 1}}},
		{"dimension", tensor.Int8, tensor.Quant{Scales: []float32{1, 1, 1}, Dim: 2}},
		{"dimension negative", tensor.Int8, tensor.Quant{Scales: []float32{1, 1, 1}, Dim: -1}},
		{"to float", tensor.Float32, tensor.Quant{Scales: []float32{1}}},
		{"to int32", tensor.Int32, tensor.Quant{Scales: []float32{1}}},
	} {
		if err := roundTrip(c.to, c.q, x).Infer(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v, want %v", c.name, err, ErrInvalid)
		}
	}
	good := tensor.Quant{Scales: []float32{1, 1, 1}, Dim: 1}
	g := roundTrip(tensor.Int8, good, x)
	g.Nodes[1].Op = Dequantize{Quant: tensor.Quant{Scales: slices.Clone(good.Scales), Dim: 0}}
	if err := g.Infer(); !errors.Is(err, ErrInvalid) {
		t.Errorf("dequantize along another dimension: got %v, want %v", err, ErrInvalid)
	}
	if err := build(Dequantize{Quant: good}, 1, x).Infer(); !errors.Is(err, ErrInvalid) {
		t.Errorf("dequantize floats: got %v, want %v", err, ErrInvalid)
	}
	if err := build(Quantize{To: tensor.Int8, Quant: good}, 1, x).Infer(); !errors.Is(err, ErrInvalid) {
		t.Errorf("output that says float32: got %v, want %v", err, ErrInvalid)
	}
}
