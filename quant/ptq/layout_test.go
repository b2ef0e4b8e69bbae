package ptq_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"kedge/quant/calib"
	"kedge/quant/graph"
	"kedge/quant/ptq"
	"kedge/runtime/tensor"
)

// names are the operators of a graph in order.
func names(g *graph.Graph) []string {
	var out []string
	for i := range g.Nodes {
		out = append(out, g.Nodes[i].Op.Name())
	}
	return out
}

func quant(scale float32, zero int32) tensor.Quant {
	return tensor.Quant{Scales: []float32{scale}, ZeroPoints: []int32{zero}}
}

// must quantizes with ranges given by tensor name.
func must(t *testing.T, g *graph.Graph, ranges map[string]calib.Range, o ptq.Options) *graph.Graph {
	t.Helper()
	byID := make(calib.Ranges)
	for i := range g.Tensors {
		if r, ok := ranges[g.Tensors[i].Name]; ok {
			byID[graph.TensorID(i)] = r
		}
	}
	q, err := ptq.Quantize(g, byID, o)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func name(g *graph.Graph, id graph.TensorID, name string) graph.TensorID {
	g.Tensor(id).Name = name
	return id
}

func TestMovedValuesKeepTheirParameters(t *testing.T) {
	n := newNet(t, 1)
	x := n.input(1, 4, 4, 2)
	y := name(n.g, n.op(graph.Unary{Kind: graph.FuncELU}, x), "elu")
	pool := name(n.g, n.op(graph.AveragePool2D{Window: stride2, FilterH: 2, FilterW: 2}, y), "pool")
	flat := name(n.g, n.op(graph.Reshape{Shape: tensor.Shape{1, 8}}, pool), "flat")
	p := name(n.g, n.op(graph.Softmax{Beta: 1}, flat), "p")
	last := name(n.g, n.op(graph.Reshape{Shape: tensor.Shape{8}}, p), "last")
	g := n.outputs(last)
	q := must(t, g, map[string]calib.Range{
		"input": {Min: -1, Max: 1}, "elu": {Min: -1, Max: 254}, "pool": {Min: 0, Max: 100}, "flat": {Min: 0, Max: 100},
		"p": {Max: 0.5}, "last": {Max: 0.5},
	}, ptq.Options{})
	for id, want := range map[graph.TensorID]tensor.Quant{
		y: quant(1, -127), pool: quant(1, -127), flat: quant(1, -127), p: quant(1.0/256, -128), last: quant(1.0/256, -128),
	} {
		if got := q.Tensor(id).Quant; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", g.Tensor(id).Name, got, want)
		}
	}
}

// TestClippedValuesNeedNoRange: what a RELU6 or MINIMUM throws away needs no
// resolution, unless somebody else reads it.
func TestClippedValuesNeedNoRange(t *testing.T) {
	ranges := map[string]calib.Range{"input": {Min: -1, Max: 1}, "sum": {Min: -100, Max: 100}, "cut": {Max: 5.1}, "other": {Min: -100, Max: 100}}
	for _, shared := range []bool{false, true} {
		n := newNet(t, 1)
		x := n.input(1, 10)
		sum := name(n.g, n.op(graph.Binary{Kind: graph.Add}, x, x), "sum")
		cut := name(n.g, n.op(graph.Unary{Kind: graph.FuncReLU6}, sum), "cut")
		outputs := []graph.TensorID{cut}
		if shared {
			outputs = append(outputs, name(n.g, n.op(graph.Unary{Kind: graph.FuncAbs}, sum), "other"))
		}
		g := n.outputs(outputs...)
		q := must(t, g, ranges, ptq.Options{})
		want := quant(5.1/255, -128)
		if shared {
			want = quant(200.0/255, -1)
		}
		for _, id := range []graph.TensorID{sum, cut} {
			if got := q.Tensor(id).Quant; !reflect.DeepEqual(got, want) {
				t.Errorf("shared %v: %s: got %v, want %v", shared, g.Tensor(id).Name, got, want)
			}
		}
	}
}

// TestConcatenation: inputs that nobody else reads take the output's parameters,
// the others a QUANTIZE.
func TestConcatenation(t *testing.T) {
	ranges := map[string]calib.Range{"input": {Max: 255}, "alone": {Min: -10, Max: 10}, "read": {Max: 51}, "joined": {Min: -255, Max: 255}, "abs": {Max: 51}}
	n := newNet(t, 1)
	x := n.input(1, 4)
	alone := name(n.g, n.op(graph.Unary{Kind: graph.FuncELU}, x), "alone")
	read := name(n.g, n.op(graph.Unary{Kind: graph.FuncELU}, x), "read")
	p := name(n.g, n.op(graph.Softmax{Beta: 1}, x), "p")
	joined := name(n.g, n.op(graph.Concatenation{Axis: 1}, x, alone, read, p, n.values([]float32{-255, 7}, 1, 2)), "joined")
	abs := name(n.g, n.op(graph.Unary{Kind: graph.FuncAbs}, read), "abs")
	g := n.outputs(joined, abs)
	q := must(t, g, ranges, ptq.Options{})
	want := []string{"ELU", "ELU", "SOFTMAX", "QUANTIZE", "QUANTIZE", "QUANTIZE", "CONCATENATION", "ABS"}
	if got := names(q); !reflect.DeepEqual(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for id, want := range map[graph.TensorID]tensor.Quant{
		x: quant(1, -128), alone: quant(2, -1), read: quant(0.2, -128), p: quant(1.0/256, -128), joined: quant(2, -1),
	} {
		if got := q.Tensor(id).Quant; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", g.Tensor(id).Name, got, want)
		}
	}
	join := q.Nodes[6]
	for i, id := range join.Inputs {
		if got := q.Tensor(id).Quant; !reflect.DeepEqual(got, quant(2, -1)) {
			t.Errorf("input %d: got %v, want the output's", i, got)
		}
	}
	if got, want := q.Tensor(join.Inputs[4]).Int8, []int8{-128, 3}; !reflect.DeepEqual(got, want) {
		t.Errorf("constant: got %v, want %v", got, want)
	}
}

// TestEqualFixedInputsNeedNoQuantize: two probabilities side by side stay as they are.
func TestEqualFixedInputsNeedNoQuantize(t *testing.T) {
	n := newNet(t, 1)
	x := n.input(1, 4)
	a, b := n.op(graph.Softmax{Beta: 1}, x), n.op(graph.Unary{Kind: graph.FuncLogistic}, x)
	g := n.outputs(name(n.g, n.op(graph.Concatenation{Axis: 1}, a, b), "joined"))
	q := must(t, g, map[string]calib.Range{"input": {Max: 1}, "joined": {Max: 1}}, ptq.Options{})
	if got, want := names(q), []string{"SOFTMAX", "LOGISTIC", "CONCATENATION"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := q.Tensor(g.Outputs[0]).Quant, quant(1.0/256, -128); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestBordersAndTypes(t *testing.T) {
	for _, c := range []struct {
		name string
		o    ptq.Options
		want []string
		in   tensor.Type
		out  tensor.Type
	}{
		{"int8", ptq.Options{}, []string{"FULLY_CONNECTED", "DEQUANTIZE", "EXP", "QUANTIZE", "SOFTMAX"}, tensor.Int8, tensor.Int8},
		{"float borders", ptq.Options{FloatInput: true, FloatOutput: true},
			[]string{"QUANTIZE", "FULLY_CONNECTED", "DEQUANTIZE", "EXP", "QUANTIZE", "SOFTMAX", "DEQUANTIZE"}, tensor.Float32, tensor.Float32},
		{"int16", ptq.Options{Activations: tensor.Int16}, []string{"FULLY_CONNECTED", "DEQUANTIZE", "EXP", "QUANTIZE", "SOFTMAX"}, tensor.Int16, tensor.Int16},
		{"a layer in float", ptq.Options{Types: map[int]tensor.Type{0: tensor.Float32}},
			[]string{"DEQUANTIZE", "FULLY_CONNECTED", "EXP", "QUANTIZE", "SOFTMAX"}, tensor.Int8, tensor.Int8},
		{"a layer in int16", ptq.Options{Types: map[int]tensor.Type{0: tensor.Int16}},
			[]string{"QUANTIZE", "FULLY_CONNECTED", "DEQUANTIZE", "EXP", "QUANTIZE", "SOFTMAX"}, tensor.Int8, tensor.Int8},
	} {
		n := newNet(t, 1)
		h := n.op(graph.FullyConnected{}, n.input(1, 10), n.random(0.2, 4, 10), n.random(0.1, 4))
		g := n.outputs(n.op(graph.Softmax{Beta: 1}, n.op(graph.Unary{Kind: graph.FuncExp}, h)))
		m := quantize(t, g, samples(g, 40, 1), c.o)
		if got := names(m.q); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
		if in, out := m.q.Tensor(m.q.Inputs[0]).Type, m.q.Tensor(m.q.Outputs[0]).Type; in != c.in || out != c.out {
			t.Errorf("%s: borders %v and %v, want %v and %v", c.name, in, out, c.in, c.out)
		}
		if m.q.Tensor(m.q.Inputs[0]).Name != "input" || m.q.Inputs[0] != g.Inputs[0] {
			t.Errorf("%s: the input is tensor %d %q, want %d", c.name, m.q.Inputs[0], m.q.Tensor(m.q.Inputs[0]).Name, g.Inputs[0])
		}
		if !(m.sqnr[0] > 28) {
			t.Errorf("%s: %.1f dB, want more than 28", c.name, m.sqnr[0])
		}
	}
}

func TestRefusesAllAtOnce(t *testing.T) {
	n := newNet(t, 1)
	x := n.op(graph.Unary{Kind: graph.FuncGELU}, n.input(1, 10))
	g := n.outputs(n.op(graph.Concatenation{Axis: 1, Activation: graph.ReLU}, x, x))
	_, err := ptq.Quantize(g, nil, ptq.Options{})
	if !errors.Is(err, ptq.ErrUnsupported) || !strings.Contains(err.Error(), "node 0 GELU") || !strings.Contains(err.Error(), "node 1 CONCATENATION") {
		t.Errorf("got %v, want %v with both nodes", err, ptq.ErrUnsupported)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	n := newNet(t, 1)
	g := n.outputs(n.op(graph.Unary{Kind: graph.FuncReLU}, n.input(1, 10)))
	for name, o := range map[string]ptq.Options{
		"uint8":        {Activations: tensor.Uint8},
		"node type":    {Types: map[int]tensor.Type{0: tensor.Int32}},
		"unknown node": {Types: map[int]tensor.Type{1: tensor.Int16}},
	} {
		if _, err := ptq.Quantize(g, nil, o); !errors.Is(err, ptq.ErrOptions) {
			t.Errorf("%s: got %v, want %v", name, err, ptq.ErrOptions)
		}
	}
	for name, q := range map[string]tensor.Quant{
		"no scale": quant(0, 0), "zero point": quant(1, 200), "two scales": {Scales: []float32{1, 2}, ZeroPoints: []int32{0, 0}},
	} {
		o := ptq.Options{Given: map[graph.TensorID]tensor.Quant{0: q, 1: quant(1, 0)}}
		if _, err := ptq.Quantize(g, nil, o); !errors.Is(err, ptq.ErrRange) {
			t.Errorf("given %s: got %v, want %v", name, err, ptq.ErrRange)
		}
	}
}

// TestScaleThatArithmeticReaches: outputs much finer than the inputs get a scale
// that the runtime accepts.
func TestScaleThatArithmeticReaches(t *testing.T) {
	n := newNet(t, 1)
	x := name(n.g, n.input(1, 4), "x")
	g := n.outputs(name(n.g, n.op(graph.Unary{Kind: graph.FuncHardSwish}, x), "y"))
	open(t, must(t, g, map[string]calib.Range{"x": {Min: -1000, Max: 0.1}, "y": {Min: -0.375, Max: 0.05}}, ptq.Options{}))

	for _, kind := range []tensor.Type{tensor.Int8, tensor.Int16} {
		n = newNet(t, 1)
		x = name(n.g, n.input(1, 4), "x")
		g = n.outputs(name(n.g, n.op(graph.Binary{Kind: graph.Sub}, x, x), "y"))
		open(t, must(t, g, map[string]calib.Range{"x": {Min: -1000, Max: 1000}, "y": {Max: 1e-6}}, ptq.Options{Activations: kind}))
	}
}
