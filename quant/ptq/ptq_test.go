package ptq

import (
	"errors"
	"math"
	"reflect"
	"testing"

	"kedge/quant/calib"
	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

func TestAsymmetric(t *testing.T) {
	for _, c := range []struct {
		r     calib.Range
		scale float32
		zero  int32
	}{
		{calib.Range{Min: 0, Max: 255}, 1, -128},
		{calib.Range{Min: -255, Max: 0}, 1, 127},
		{calib.Range{Min: -128, Max: 127}, 1, 0},
		{calib.Range{Min: 10, Max: 51}, 0.2, -128},    // widened to zero
		{calib.Range{Min: -1, Max: 1}, 2.0 / 255, -1}, // halfway, away from zero
		{calib.Range{}, 1, 0},
	} {
		got, err := Asymmetric(c.r)
		if err != nil {
			t.Fatal(err)
		}
		want := tensor.Quant{Scales: []float32{c.scale}, ZeroPoints: []int32{c.zero}}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%v: got %v, want %v", c.r, got, want)
		}
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, r := range []calib.Range{{Min: nan}, {Max: nan}, {Max: inf}, {Min: -inf}, {Max: 1e-45}} {
		if q, err := Asymmetric(r); !errors.Is(err, ErrRange) {
			t.Errorf("%v: got %v, %v, want %v", r, q, err, ErrRange)
		}
	}
}

// TestZeroIsExact is the reason for the zero point's form.
func TestZeroIsExact(t *testing.T) {
	for i := range 500 {
		r := calib.Range{Min: -float32(i%37) * 0.173, Max: float32(i%23)*0.719 + 0.01}
		q, err := Asymmetric(r)
		if err != nil {
			t.Fatal(err)
		}
		if z := q.ZeroPoint(); z < -128 || z > 127 {
			t.Fatalf("%v: zero point %d", r, z)
		}
		lo, hi := q.Scale()*float32(-128-q.ZeroPoint()), q.Scale()*float32(127-q.ZeroPoint())
		if slack := q.Scale() * 0.51; lo > r.Min+slack || hi < r.Max-slack {
			t.Errorf("%v: covers only %v to %v", r, lo, hi)
		}
	}
}

func TestChannelScales(t *testing.T) {
	w := []float32{
		1, -0.5, 0.25, // ordinary
		0, 0, 0, // dead
		1e-9, 0, 0, // tiny weights, real bias
		0, 0, 0, // no weights, real bias
	}
	bias := []float32{0.5, 0, 1, -2}
	const in = 0.1
	l := layout{0, 4, 3}
	limits, err := channelLimits(w, bias, l, in, false)
	if err != nil {
		t.Fatal(err)
	}
	q, scales := quantizeWeights(w, limits, l)
	if want := []int8{127, -64, 32}; !reflect.DeepEqual(q[:3], want) {
		t.Errorf("channel 0 got %v, want %v", q[:3], want)
	}
	if scales[0] != 1.0/127 || scales[1] != scales[0] {
		t.Errorf("scales got %v, want 1/127 for the ordinary and the dead channel", scales)
	}
	qb := quantizeBias(bias, biasScales(scales, in))
	for c, b := range bias {
		got := float64(qb[c]) * in * float64(scales[c])
		if math.Abs(got-float64(b)) > 1e-3 {
			t.Errorf("channel %d: bias %v came back as %v", c, b, got)
		}
		if v := math.Abs(float64(qb[c])); v > 1.01*(1<<30) {
			t.Errorf("channel %d: bias is %v, beyond half of int32", c, v)
		}
	}
	limits, err = channelLimits(w, bias, l, in, true)
	if err != nil {
		t.Fatal(err)
	}
	_, one := quantizeWeights(w, limits, l)
	if want := []float32{1.0 / 127}; !reflect.DeepEqual(one, want) {
		t.Errorf("per tensor: scales got %v, want %v", one, want)
	}
}

func TestDeadLayerGetsAUsableScale(t *testing.T) {
	l := layout{0, 2, 3}
	limits, err := channelLimits(make([]float32, 6), nil, l, 0.1, false)
	if err != nil {
		t.Fatal(err)
	}
	q, scales := quantizeWeights(make([]float32, 6), limits, l)
	if want := []float32{1, 1}; !reflect.DeepEqual(scales, want) || !reflect.DeepEqual(q, make([]int8, 6)) {
		t.Errorf("got %v, %v, want zeros with scale 1", q, scales)
	}
	if _, err := channelLimits([]float32{1e-45, 0}, nil, layout{0, 1, 2}, 1, false); !errors.Is(err, ErrRange) {
		t.Errorf("subnormal weights: got %v, want %v", err, ErrRange)
	}
}

func network() *graph.Graph {
	g := &graph.Graph{}
	x := g.AddTensor(graph.Tensor{Name: "x", Shape: tensor.Shape{1, 2}})
	w := g.AddTensor(graph.Tensor{Name: "w", Shape: tensor.Shape{2, 2}, Float: []float32{1, 2, 3, 4}})
	b := g.AddTensor(graph.Tensor{Name: "b", Shape: tensor.Shape{2}, Float: []float32{1, -1}})
	h := g.AddTensor(graph.Tensor{Name: "h"})
	z := g.AddTensor(graph.Tensor{Name: "z"})
	p := g.AddTensor(graph.Tensor{Name: "p"})
	g.AddNode(graph.FullyConnected{Activation: graph.ReLU}, []graph.TensorID{x, w, b}, []graph.TensorID{h})
	g.AddNode(graph.FullyConnected{}, []graph.TensorID{h, w, b}, []graph.TensorID{z}) // shares its constants
	g.AddNode(graph.Softmax{Beta: 1}, []graph.TensorID{z}, []graph.TensorID{p})
	g.Inputs, g.Outputs = []graph.TensorID{x}, []graph.TensorID{p}
	return g
}

func TestQuantize(t *testing.T) {
	g := network()
	if err := g.Infer(); err != nil {
		t.Fatal(err)
	}
	ranges := calib.Ranges{0: {Min: -1, Max: 1}, 3: {Max: 12}, 4: {Min: -5, Max: 5}, 5: {Max: 1}}
	q, err := Quantize(g, ranges, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := q.Tensor(5).Quant, (tensor.Quant{Scales: []float32{1.0 / 256}, ZeroPoints: []int32{-128}}); !reflect.DeepEqual(got, want) {
		t.Errorf("softmax output got %v, want %v", got, want)
	}
	if got, want := q.Tensor(1).Int8, []int8{64, 127, 95, 127}; !reflect.DeepEqual(got, want) {
		t.Errorf("weights got %v, want %v", got, want)
	}
	first, second := q.Nodes[0].Inputs, q.Nodes[1].Inputs
	if first[2] == second[2] || q.Tensor(first[2]).Int32[0] == q.Tensor(second[2]).Int32[0] {
		t.Error("two nodes with different input scales share one int32 bias")
	}
	for i, n := range q.Nodes[:2] {
		in, w, b := q.Tensor(n.Inputs[0]), q.Tensor(n.Inputs[1]), q.Tensor(n.Inputs[2])
		for c := range 2 {
			if got, want := b.Quant.Scales[c], in.Quant.Scale()*w.Quant.Scales[c]; got != want {
				t.Errorf("node %d: bias scale %d got %v, want %v", i, c, got, want)
			}
		}
	}
	if g.Tensor(1).Type != tensor.Float32 || g.Nodes[1].Inputs[1] != 1 {
		t.Error("the float graph was changed")
	}

	delete(ranges, 3)
	if _, err := Quantize(g, ranges, Options{}); !errors.Is(err, ErrRange) {
		t.Errorf("range missing: got %v, want %v", err, ErrRange)
	}
}

// TestWiden: from half of int32 on, a bias widens its channel's weights to where
// it takes half.
func TestWiden(t *testing.T) {
	const limit, in = 1e-6, 0.5
	half := 0.5 * in * limit / 127 * maxBias
	for _, c := range []struct{ bias, want float64 }{
		{0, limit},
		{0.99 * half, limit},
		{1.5 * half, 1.5 * limit},
		{-4 * half, 4 * limit},
	} {
		got := float64(widen(limit, []float32{0, float32(c.bias)}, 1, in))
		if math.Abs(got/c.want-1) > 1e-6 {
			t.Errorf("bias %v: got %v, want %v", c.bias, got, c.want)
		}
	}
	if got := widen(limit, nil, 0, in); got != limit {
		t.Errorf("no bias: got %v, want %v", got, limit)
	}
}
