package train

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"kedge/quant/graph"
)

func randomDense(t *testing.T, widths ...int) *Dense {
	t.Helper()
	d, err := NewDense(widths, rand.New(rand.NewPCG(3, 4)))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestFloatFileRoundTrip(t *testing.T) {
	for _, widths := range [][]int{{5, 3}, {7, 6, 4, 2}} {
		d := randomDense(t, widths...)
		file, err := d.Float("test")
		if err != nil {
			t.Fatal(err)
		}
		got, err := FromTFLite(file)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, d) {
			t.Errorf("widths %v: the network read back differs", widths)
		}
	}
}

func TestInt8FileReadsBackWithinHalfAStep(t *testing.T) {
	d := randomDense(t, 7, 6, 3)
	x := blobs(40, 7, 3, 1, 1).X
	file, err := d.Int8(context.Background(), x, "test")
	if err != nil {
		t.Fatal(err)
	}
	again, err := d.Int8(context.Background(), x, "test")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file, again) {
		t.Error("two conversions of one network differ")
	}
	got, err := FromTFLite(file)
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range d.Layers {
		for c := range l.Out {
			row, back := l.W[c*l.In:(c+1)*l.In], got.Layers[i].W[c*l.In:(c+1)*l.In]
			step := float64(0)
			for _, w := range row {
				step = max(step, math.Abs(float64(w))/127)
			}
			for j := range row {
				if e := math.Abs(float64(row[j] - back[j])); e > step*0.501 {
					t.Fatalf("layer %d, weight %d,%d: off by %v, want at most half of %v", i, c, j, e, step)
				}
			}
		}
	}
}

func TestGraphComputesTheSameProbabilities(t *testing.T) {
	d := randomDense(t, 5, 8, 4)
	g, err := d.Graph()
	if err != nil {
		t.Fatal(err)
	}
	e, err := graph.NewExecutor(g)
	if err != nil {
		t.Fatal(err)
	}
	x := blobs(100, 5, 4, 1, 2).X
	want := d.Probabilities(x)
	for i := range 100 {
		out, err := e.Run([][]float32{x[5*i : 5*i+5]}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for k, got := range out[0] {
			if math.Abs(float64(got-want[4*i+k])) > 1e-6 {
				t.Fatalf("row %d, class %d: got %v, want %v", i, k, got, want[4*i+k])
			}
		}
	}
}

func TestFromGraphRefusesOtherForms(t *testing.T) {
	for name, change := range map[string]func(*graph.Graph){
		"ReLU on the output": func(g *graph.Graph) { g.Nodes[1].Op = graph.FullyConnected{Activation: graph.ReLU} },
		"no ReLU between":    func(g *graph.Graph) { g.Nodes[0].Op = graph.FullyConnected{} },
		"ReLU6":              func(g *graph.Graph) { g.Nodes[0].Op = graph.FullyConnected{Activation: graph.ReLU6} },
		"two rows in one": func(g *graph.Graph) {
			g.Tensors[g.Inputs[0]].Shape[1] *= 2
			g.Tensors[g.Nodes[0].Outputs[0]].Shape = nil
		},
		"softmax beta":         func(g *graph.Graph) { g.Nodes[2].Op = graph.Softmax{Beta: 2} },
		"output in the middle": func(g *graph.Graph) { g.Outputs[0] = g.Nodes[0].Outputs[0] },
		"no nodes":             func(g *graph.Graph) { g.Nodes, g.Outputs = nil, g.Inputs },
		"branch":               func(g *graph.Graph) { g.Nodes[1].Inputs[0] = g.Inputs[0] },
	} {
		g, err := randomDense(t, 4, 4, 4).Graph()
		if err != nil {
			t.Fatal(err)
		}
		change(g)
		if _, err := FromGraph(g); !errors.Is(err, ErrNetwork) {
			t.Errorf("%s: got %v, want %v", name, err, ErrNetwork)
		}
	}
}
