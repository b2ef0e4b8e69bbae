package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"kedge/quant/calib"
	"kedge/quant/emit"
	"kedge/quant/eval"
	"kedge/quant/graph"
	"kedge/quant/ptq"
	"kedge/runtime/tensor"
)

// hostile is the name of a tensor that a page must not take for its own.
const hostile = `<script>alert("x")</script> & 'co'`

// network is a convolution whose second channel is a thousandth of the first,
// then a dense layer and SOFTMAX.
func network(t *testing.T) *graph.Graph {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, 4))
	normal := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		return v
	}
	filter := normal(2 * 9)
	for i := 9; i < 18; i++ {
		filter[i] /= 1000
	}
	g := &graph.Graph{Name: "main"}
	x := g.AddTensor(graph.Tensor{Name: "image", Shape: tensor.Shape{1, 5, 5, 1}})
	f := g.AddTensor(graph.Tensor{Name: "filter", Shape: tensor.Shape{2, 3, 3, 1}, Float: filter})
	c := g.AddTensor(graph.Tensor{Name: hostile})
	flat := g.AddTensor(graph.Tensor{Name: "flat"})
	d := g.AddTensor(graph.Tensor{Name: "dense", Shape: tensor.Shape{3, 18}, Float: normal(54)})
	z := g.AddTensor(graph.Tensor{Name: "logits"})
	p := g.AddTensor(graph.Tensor{Name: "probabilities"})
	g.AddNode(graph.Conv2D{Window: graph.Dense(), Activation: graph.ReLU}, []graph.TensorID{x, f, graph.None}, []graph.TensorID{c})
	g.AddNode(graph.Reshape{Shape: tensor.Shape{1, 18}}, []graph.TensorID{c}, []graph.TensorID{flat})
	g.AddNode(graph.FullyConnected{}, []graph.TensorID{flat, d, graph.None}, []graph.TensorID{z})
	g.AddNode(graph.Softmax{Beta: 1}, []graph.TensorID{z}, []graph.TensorID{p})
	g.Inputs, g.Outputs = []graph.TensorID{x}, []graph.TensorID{p}
	if err := g.Infer(); err != nil {
		t.Fatal(err)
	}
	return g
}

// source quantizes the network with ranges of one part of what was seen.
func source(t *testing.T, part float32, o ptq.Options) Source {
	t.Helper()
	g := network(t)
	rng := rand.New(rand.NewPCG(5, 6))
	rows := make([]float32, 40*25)
	for i := range rows {
		rows[i] = float32(rng.NormFloat64())
	}
	m, err := eval.Float(g)
	if err != nil {
		t.Fatal(err)
	}
	s := Source{FloatName: "a.tflite", IntegerName: "b.tflite", DataName: "d.npz", Float: g}
	if s.Set, err = eval.FromRows(m, rows); err != nil {
		t.Fatal(err)
	}
	s.Labels = make([]int, 40)
	if s.Statistics, err = calib.Collect(t.Context(), g, s.Set.Values(), calib.Options{}); err != nil {
		t.Fatal(err)
	}
	ranges, err := s.Statistics.Ranges(calib.MinMax())
	if err != nil {
		t.Fatal(err)
	}
	for id, r := range ranges {
		if g.Tensor(id).Name == "logits" {
			ranges[id] = calib.Range{Min: r.Min * part, Max: r.Max * part}
		}
	}
	q, err := ptq.Quantize(g, ranges, o)
	if err != nil {
		t.Fatal(err)
	}
	if s.FloatFile, err = emit.Model(g); err != nil {
		t.Fatal(err)
	}
	if s.IntegerFile, err = emit.Model(q); err != nil {
		t.Fatal(err)
	}
	return s
}

func made(t *testing.T, s Source, o Options) *Report {
	t.Helper()
	r, err := Make(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestMake(t *testing.T) {
	r := made(t, source(t, 1, ptq.Options{}), Options{})
	if r.After.Deflated >= r.Before.Deflated || r.After.Weights != r.Before.Weights || r.Before.Weights != 18+54 || r.After.MACs != 18*9+54 {
		t.Errorf("got sides %+v and %+v", r.Before, r.After)
	}
	if r.LogitSQNR == nil || *r.LogitSQNR < 25 || r.Baseline == nil || math.Abs(*r.Baseline-*r.LogitSQNR) > 3 {
		t.Errorf("got logit SQNR %v, baseline %v, want both above 25 dB and alike", number(r.LogitSQNR), number(r.Baseline))
	}
	if len(r.Layers) != 4 || r.Layers[0].Name != hostile || r.Layers[3].Operator != "SOFTMAX" {
		t.Fatalf("got layers %+v", r.Layers)
	}
	conv := &r.Layers[0]
	if conv.Type != "int8" || conv.Scale == nil || len(conv.Weights.Scales) != 2 || conv.Clipped == nil || *conv.Clipped > 0.001 {
		t.Errorf("got convolution %+v", conv)
	}
	if got := *conv.Weights.Spread; got < 200 || got > 5000 {
		t.Errorf("got spread %v, want about 1000", got)
	}
	if conv.Gain == nil || r.Layers[1].Gain != nil {
		t.Errorf("got gains %v and %v, want one of the convolution, none of RESHAPE", number(conv.Gain), number(r.Layers[1].Gain))
	}
	sum := uint64(0)
	for _, n := range conv.Histogram {
		sum += n
	}
	if want := uint64(40 * 18); sum != want {
		t.Errorf("got %d values in the histogram, want %d", sum, want)
	}
	for i, b := range r.Boards {
		if total := r.Layers[0].Instructions[i] + r.Layers[2].Instructions[i] + r.Layers[3].Instructions[i]; math.Abs(total-b.Instructions) > 1e-9*total {
			t.Errorf("%s: got layers of %v instructions, want the total, %v", b.Name, total, b.Instructions)
		}
	}
}

// TestInt16 has no instructions: only int8 was counted.
func TestInt16(t *testing.T) {
	r := made(t, source(t, 1, ptq.Options{Activations: tensor.Int16}), Options{})
	if r.Layers[0].Type != "int16" || r.Layers[0].Instructions != nil || r.Boards[0].Instructions != 0 {
		t.Errorf("got %s, %v instructions of %v, want int16 without instructions", r.Layers[0].Type, r.Layers[0].Instructions, r.Boards[0].Instructions)
	}
	if r.Baseline == nil || math.Abs(*r.Baseline-*r.LogitSQNR) > 1 {
		t.Errorf("got baseline %v and logit SQNR %v, want them alike", number(r.Baseline), number(r.LogitSQNR))
	}
}

// TestCauses damages a model in known ways.
func TestCauses(t *testing.T) {
	for _, c := range []struct {
		name  string
		part  float32
		o     ptq.Options
		layer int
		kind  string
	}{
		{"clipped", 0.3, ptq.Options{}, 2, "clipped values"},
		{"wide", 10, ptq.Options{}, 2, "range wider than needed"},
		{"per tensor", 1, ptq.Options{PerTensorConv: true}, 0, "one scale for unequal channels"},
		{"per channel", 1, ptq.Options{}, 0, "wide spread of filters"},
		{"fixed", 1, ptq.Options{}, 3, "prescribed output"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &making{Source: source(t, c.part, c.o), report: &Report{}}
			for _, step := range []func() error{
				func() error { return m.open(t.Context()) }, func() error { return m.compare(t.Context()) },
				func() error { return m.collect(t.Context()) }, func() error { return m.layers(t.Context()) },
			} {
				if err := step(); err != nil {
					t.Fatal(err)
				}
			}
			causes := m.causes(&m.report.Layers[c.layer])
			if causes[0].Kind != c.kind {
				t.Errorf("got %+v, want %s", causes, c.kind)
			}
		})
	}
}

func TestWorstLayerIsFound(t *testing.T) {
	r := made(t, source(t, 0.3, ptq.Options{}), Options{})
	if len(r.Losses) == 0 || r.Losses[0].Layer != 2 || r.Losses[0].Causes[0].Kind != "clipped values" {
		t.Errorf("got losses %+v, want layer 2, whose range is a third of what it needs, first", r.Losses)
	}
}

func TestWriteHTML(t *testing.T) {
	s := source(t, 1, ptq.Options{})
	s.Notes = []string{hostile}
	r := made(t, s, Options{})
	var page bytes.Buffer
	if err := r.WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	for _, unwanted := range []string{"<script", "http://", "https://", "url(", "ZgotmplZ", "NaN", "%!"} {
		if strings.Contains(page.String(), unwanted) {
			t.Errorf("the page contains %q", unwanted)
		}
	}
	if !strings.Contains(page.String(), "&lt;script&gt;") {
		t.Error("the tensor's name is not on the page")
	}
	found := map[string]int{}
	d := xml.NewDecoder(&page)
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok {
			found[e.Name.Local]++
		}
	}
	if found["svg"] < 2+4+2 || found["table"] != found["caption"] || found["details"] != 4 {
		t.Errorf("got elements %v, want charts, histograms and filters drawn, a caption for every table, 4 layers", found)
	}
}

// TestDeterministic makes the report twice.
func TestDeterministic(t *testing.T) {
	var pages, objects [2]bytes.Buffer
	for i := range pages {
		r := made(t, source(t, 1, ptq.Options{}), Options{SensitivitySamples: 8})
		if err := errors.Join(r.WriteHTML(&pages[i]), r.WriteJSON(&objects[i])); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(pages[0].Bytes(), pages[1].Bytes()) || !bytes.Equal(objects[0].Bytes(), objects[1].Bytes()) {
		t.Error("got different bytes for the same source")
	}
}

func TestWriteJSON(t *testing.T) {
	r := made(t, source(t, 1, ptq.Options{}), Options{SensitivitySamples: -1})
	if r.Baseline != nil || r.SensitivitySamples != 0 {
		t.Errorf("got a baseline of %v, want none", number(r.Baseline))
	}
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(b.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	for i := range r.Layers { // what only Make needs
		r.Layers[i].outliers, r.Layers[i].input = spread{}, nil
	}
	if !reflect.DeepEqual(*r, back) {
		t.Errorf("got %+v, want %+v", back, *r)
	}
}

func TestMakeRefuses(t *testing.T) {
	s := source(t, 1, ptq.Options{})
	s.Set = nil
	if _, err := Make(t.Context(), s, Options{}); !errors.Is(err, ErrSource) {
		t.Errorf("got %v, want ErrSource", err)
	}
	s = source(t, 1, ptq.Options{})
	s.IntegerFile = s.IntegerFile[:len(s.IntegerFile)/2]
	if _, err := Make(t.Context(), s, Options{}); err == nil {
		t.Error("got no error for half a model")
	}
}
