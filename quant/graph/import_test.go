package graph_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"kedge/quant/emit"
	"kedge/quant/graph"
	"kedge/runtime/runtimetest"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

func small(t testing.TB) []byte {
	t.Helper()
	g := &graph.Graph{Name: "main"}
	x := g.AddTensor(graph.Tensor{Name: "x", Shape: tensor.Shape{1, 2}})
	w := g.AddTensor(graph.Tensor{Name: "w", Shape: tensor.Shape{2, 2}, Float: []float32{1, 2, 3, 4}})
	y := g.AddTensor(graph.Tensor{Name: "y"})
	p := g.AddTensor(graph.Tensor{Name: "p"})
	g.AddNode(graph.FullyConnected{}, []graph.TensorID{x, w}, []graph.TensorID{y})
	g.AddNode(graph.Softmax{Beta: 1}, []graph.TensorID{y}, []graph.TensorID{p})
	g.Inputs, g.Outputs = []graph.TensorID{x}, []graph.TensorID{p}
	if err := g.Infer(); err != nil {
		t.Fatal(err)
	}
	file, err := emit.Model(g)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestFromTFLiteRefuses(t *testing.T) {
	good := small(t)
	for name, file := range map[string][]byte{
		"empty": nil, "foreign": []byte("#!/bin/sh\nexit 0\n"), "truncated": good[:len(good)/2],
	} {
		if g, err := graph.FromTFLite(file); err == nil {
			t.Errorf("%s: got %+v, want an error", name, g)
		}
	}
	if _, err := graph.FromTFLite(good[:5]); !errors.Is(err, tflite.ErrTruncated) && !errors.Is(err, tflite.ErrNotTFLite) {
		t.Errorf("got %v, want the decoder's error", err)
	}
}

// TestFromTFLiteNamesMissingOperators: all at once, with how often, where and
// why; what follows one is read all the same.
func TestFromTFLiteNamesMissingOperators(t *testing.T) {
	b := &runtimetest.Builder{
		Tensors: []runtimetest.Tensor{
			{Name: "x", Shape: []int{1, 4}}, {Name: "a", Shape: []int{1, 4}}, {Name: "b", Shape: []int{1, 4}}, {Name: "c", Shape: []int{1, 4}},
			{Name: "d", Shape: []int{1, 4}}, {Name: "perm", Type: tensor.Int32, Shape: []int{2}}, {Name: "y", Shape: []int{4, 1}},
		},
		Inputs: []int{0, 5}, Outputs: []int{6},
		Ops: []runtimetest.Op{
			{Code: 119, Inputs: []int{0}, Outputs: []int{1}},
			{Code: tflite.Custom, Custom: "Mine", Inputs: []int{1}, Outputs: []int{2}},
			{Code: tflite.Relu, Inputs: []int{2}, Outputs: []int{3}},
			{Code: 119, Inputs: []int{3}, Outputs: []int{4}},
			{Code: tflite.Transpose, Inputs: []int{4, 5}, Outputs: []int{6}},
		},
	}
	_, err := graph.FromTFLite(b.Bytes())
	var missing *graph.UnsupportedError
	if !errors.Is(err, graph.ErrUnsupported) || !errors.As(err, &missing) {
		t.Fatalf("got %v, want an *UnsupportedError", err)
	}
	var got []string
	for _, u := range missing.Operators {
		got = append(got, u.String())
	}
	want := []string{
		"WHILE ×2 (nodes 0, 3): no operator of the graph computes this",
		"CUSTOM(Mine) ×1 (node 1): no operator of the graph computes this",
		`TRANSPOSE ×1 (node 4): tensor 5 "perm" is an input of type int32`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if text := err.Error(); text != "graph: unsupported: "+strings.Join(want, "; ") {
		t.Errorf("got %q, want all of them in one line", text)
	}
}

// TestKeepDims: the flag that decides a result's shape survives the file.
func TestKeepDims(t *testing.T) {
	for _, keep := range []bool{false, true} {
		g := &graph.Graph{Name: "main"}
		x := g.AddTensor(graph.Tensor{Name: "x", Shape: tensor.Shape{2, 3, 4}})
		w := g.AddTensor(graph.Tensor{Name: "w", Shape: tensor.Shape{1, 4}, Float: []float32{1, 2, 3, 4}})
		b := g.AddTensor(graph.Tensor{Name: "b", Shape: tensor.Shape{1}, Float: []float32{5}})
		y := g.AddTensor(graph.Tensor{Name: "y"})
		g.AddNode(graph.FullyConnected{Activation: graph.ReLU6, KeepDims: keep}, []graph.TensorID{x, w, b}, []graph.TensorID{y})
		g.Inputs, g.Outputs = []graph.TensorID{x}, []graph.TensorID{y}
		if err := g.Infer(); err != nil {
			t.Fatal(err)
		}
		file, err := emit.Model(g)
		if err != nil {
			t.Fatal(err)
		}
		back, err := graph.FromTFLite(file)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := back.Nodes[0].Op, g.Nodes[0].Op; got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		m, err := tflite.Decode(file, tflite.NewBudget(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := m.Subgraphs[0].Operators[0].Version, map[bool]int{false: 1, true: 5}[keep]; int(got) != want {
			t.Errorf("keeping dimensions %v: got version %d, want %d", keep, got, want)
		}
	}
}

// TestFromTFLiteExpands: weights stored by columns, without their zeros.
func TestFromTFLiteExpands(t *testing.T) {
	want := []float32{0, 2, 3, 0}
	w := runtimetest.Tensor{Name: "w", Type: tensor.Float32, Shape: []int{2, 2}, Data: runtimetest.Float32s(want...)}
	b := &runtimetest.Builder{
		Tensors: []runtimetest.Tensor{{Name: "x", Shape: []int{1, 2}}, runtimetest.Compress(w, runtimetest.Blocks{Order: []int{1, 0}, CSR: []bool{false, true}}), {Name: "y", Shape: []int{1, 2}}},
		Inputs:  []int{0}, Outputs: []int{2},
		Ops: []runtimetest.Op{{Code: tflite.FullyConnected, Inputs: []int{0, 1}, Outputs: []int{2}, Options: []any{byte(0)}}},
	}
	g, err := graph.FromTFLite(b.Bytes())
	if err != nil || !slices.Equal(g.Tensors[1].Float, want) {
		t.Errorf("got %+v, %v, want weights %v", g, err, want)
	}
}

// FuzzFromTFLite: any bytes give a graph or an error, and a float graph can be
// run, dequantized and written, to be read as the same.
func FuzzFromTFLite(f *testing.F) {
	f.Add(small(f))
	for _, b := range []*runtimetest.Builder{
		runtimetest.SmallNet(), runtimetest.Unsigned(runtimetest.SmallNet()), runtimetest.Wide(), runtimetest.Mover(), runtimetest.Arithmetic(),
		runtimetest.Activations(), runtimetest.Reals(), runtimetest.Reductions(), runtimetest.Pruned(), foldedShapes(),
	} {
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		g, err := graph.FromTFLite(file)
		if err != nil {
			return
		}
		size := 0
		for i := range g.Tensors {
			n, ok := g.Tensors[i].Shape.Elements()
			if size += n; !ok || n > 1<<13 || size > 1<<20 {
				return // sound, but too large to run here
			}
		}
		if total, _ := g.Cost(); total.MACs > 1<<24 {
			return
		}
		written, err := emit.Model(g)
		if err == nil {
			again, err := graph.FromTFLite(written)
			if err != nil {
				t.Fatalf("a graph that was written cannot be read: %v", err)
			}
			if second, err := emit.Model(again); err != nil || !bytes.Equal(second, written) {
				t.Errorf("a graph that was written reads as %+v, want %+v", again, g)
			}
		} else if !errors.Is(err, emit.ErrUnsupported) {
			t.Errorf("a graph that was read cannot be written: %v", err)
		}
		if g, err = g.Dequantize(); err != nil {
			return
		}
		e, err := graph.NewExecutor(g)
		if err != nil {
			t.Fatalf("a dequantized graph cannot be run: %v", err)
		}
		inputs := make([][]float32, len(g.Inputs))
		for i, id := range g.Inputs {
			n, _ := g.Tensor(id).Shape.Elements()
			inputs[i] = make([]float32, n)
		}
		if _, err := e.Run(inputs, nil); err != nil {
			t.Errorf("a sound graph cannot be run: %v", err)
		}
	})
}
