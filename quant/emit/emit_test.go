package emit

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"kedge/quant/calib"
	"kedge/quant/graph"
	"kedge/quant/ptq"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// chain is a random dense network; widths from input to output.
func chain(t *testing.T, widths ...int) *graph.Graph {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	random := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		return v
	}
	g := &graph.Graph{Name: "main", Description: "a test"}
	x := g.AddTensor(graph.Tensor{Name: "input", Shape: tensor.Shape{1, widths[0]}})
	g.Inputs = []graph.TensorID{x}
	for i, out := range widths[1:] {
		in := widths[i]
		w := g.AddTensor(graph.Tensor{Name: fmt.Sprint("weights", i), Shape: tensor.Shape{out, in}, Float: random(in * out)})
		b := g.AddTensor(graph.Tensor{Name: fmt.Sprint("bias", i), Shape: tensor.Shape{out}, Float: random(out)})
		y := g.AddTensor(graph.Tensor{Name: fmt.Sprint("y", i)})
		g.AddNode(graph.FullyConnected{Activation: graph.ReLU}, []graph.TensorID{x, w, b}, []graph.TensorID{y})
		x = y
	}
	p := g.AddTensor(graph.Tensor{Name: "p"})
	g.AddNode(graph.Softmax{Beta: 0.5}, []graph.TensorID{x}, []graph.TensorID{p})
	g.Outputs = []graph.TensorID{p}
	if err := g.Infer(); err != nil {
		t.Fatal(err)
	}
	return g
}

func quantized(t *testing.T, g *graph.Graph, o ptq.Options) *graph.Graph {
	t.Helper()
	ranges := calib.Ranges{}
	for i := range g.Tensors {
		ranges[graph.TensorID(i)] = calib.Range{Min: -3, Max: 5}
	}
	q, err := ptq.Quantize(g, ranges, o)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestRoundTrip(t *testing.T) {
	for _, widths := range [][]int{{1, 1}, {3, 2}, {128, 32, 6}, {7, 5, 3, 11}} {
		float := chain(t, widths...)
		for name, g := range map[string]*graph.Graph{
			"float":       float,
			"per channel": quantized(t, float, ptq.Options{}),
			"per tensor":  quantized(t, float, ptq.Options{PerTensor: true}),
		} {
			file, err := Model(g)
			if err != nil {
				t.Fatal(err)
			}
			got, err := graph.FromTFLite(file)
			if err != nil {
				t.Fatalf("%s %v: %v", name, widths, err)
			}
			if !reflect.DeepEqual(got, g) {
				t.Errorf("%s %v: read back %+v, want %+v", name, widths, got, g)
			}
			again, err := Model(g)
			if err != nil || !bytes.Equal(again, file) {
				t.Errorf("%s %v: written twice, the files differ (%v)", name, widths, err)
			}
		}
	}
}

func TestVersions(t *testing.T) {
	float := chain(t, 4, 3)
	without := chain(t, 4, 3)
	without.Nodes[0].Inputs = without.Nodes[0].Inputs[:2]
	for _, c := range []struct {
		name                    string
		g                       *graph.Graph
		fullyConnected, softmax int
	}{
		{"float", float, 1, 1},
		{"int8 per tensor", quantized(t, float, ptq.Options{PerTensor: true}), 4, 2},
		{"int8 per channel", quantized(t, float, ptq.Options{}), 12, 2},
		{"float without bias", without, 6, 1},
	} {
		file, err := Model(c.g)
		if err != nil {
			t.Fatal(err)
		}
		m, err := tflite.Decode(file, tflite.NewBudget(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		ops := m.Subgraphs[0].Operators
		if ops[0].Version != c.fullyConnected || ops[1].Version != c.softmax {
			t.Errorf("%s: versions got %d and %d, want %d and %d", c.name, ops[0].Version, ops[1].Version, c.fullyConnected, c.softmax)
		}
	}
}

// TestLayout checks what readers of the raw file rely on.
func TestLayout(t *testing.T) {
	g := chain(t, 5, 7, 3)
	file, err := Model(g)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(file[4:8]); got != "TFL3" {
		t.Errorf("file identifier got %q, want TFL3", got)
	}
	if root := binary.LittleEndian.Uint32(file); root%4 != 0 || int(root) >= len(file) {
		t.Errorf("root table at %d", root)
	}
	m, err := tflite.Decode(file, tflite.NewBudget(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	if m.Description != g.Description || m.Subgraphs[0].Name != g.Name {
		t.Errorf("texts got %q and %q, want %q and %q", m.Description, m.Subgraphs[0].Name, g.Description, g.Name)
	}
	for i, x := range m.Subgraphs[0].Tensors {
		if x.Data == nil {
			continue
		}
		at := bytes.Index(file, x.Data)
		for at >= 0 && &file[at] != &x.Data[0] {
			next := bytes.Index(file[at+1:], x.Data)
			if at += next + 1; next < 0 {
				at = -1
			}
		}
		if at < 0 || at%16 != 0 {
			t.Errorf("data of tensor %d lies at %d, want a multiple of 16", i, at)
		}
	}
}

// TestDeprecatedCode reads the one-byte field that readers older than schema 3a
// look at: field 0 of the first operator code.
func TestDeprecatedCode(t *testing.T) {
	b := newBuilder()
	w := &writer{b: b}
	file := b.finish(w.operatorCode(operatorCode{tflite.FullyConnected, 12}), identifier)
	table := int(binary.LittleEndian.Uint32(file))
	vtable := table - int(int32(binary.LittleEndian.Uint32(file[table:])))
	field := func(n int) int { return table + int(binary.LittleEndian.Uint16(file[vtable+4+2*n:])) }
	if got := file[field(0)]; got != 9 {
		t.Errorf("deprecated_builtin_code got %d, want 9", got)
	}
	if got := binary.LittleEndian.Uint32(file[field(3):]); got != 9 {
		t.Errorf("builtin_code got %d, want 9", got)
	}
	if got := binary.LittleEndian.Uint32(file[field(2):]); got != 12 {
		t.Errorf("version got %d, want 12", got)
	}
}

func TestUnknownTypeIsRefused(t *testing.T) {
	g := chain(t, 2, 2)
	g.Tensors[0].Type = tensor.String
	if _, err := Model(g); !errors.Is(err, ErrUnsupported) {
		t.Errorf("got %v, want %v", err, ErrUnsupported)
	}
}

// TestIncompleteConstant: a file with less data than its shape says would be
// refused by its readers.
func TestIncompleteConstant(t *testing.T) {
	g := chain(t, 2, 2)
	g.Tensors[1].Float = g.Tensors[1].Float[:3]
	if _, err := Model(g); !errors.Is(err, ErrUnsupported) {
		t.Errorf("got %v, want %v", err, ErrUnsupported)
	}
}
