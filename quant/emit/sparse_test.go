package emit

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"kedge/quant/graph"
	"kedge/quant/ptq"
	"kedge/runtime"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// convolved is CONV_2D, reshaped into FULLY_CONNECTED, with zeros in single
// weights, or in rows of 16 where there are such.
func convolved(t *testing.T, zeros float64, block int) *graph.Graph {
	t.Helper()
	random := rand.New(rand.NewPCG(7, 8))
	weights := func(shape ...int) graph.Tensor {
		n, _ := tensor.Shape(shape).Elements()
		v := make([]float32, n)
		for i := 0; i < n; i += block {
			if random.Float64() < zeros {
				continue
			}
			for k := i; k < min(i+block, n); k++ {
				v[k] = float32(random.NormFloat64())
			}
		}
		return graph.Tensor{Name: "w", Shape: shape, Float: v}
	}
	g := &graph.Graph{Name: "main"}
	x := g.AddTensor(graph.Tensor{Name: "x", Shape: tensor.Shape{1, 8, 8, 16}})
	c := g.AddTensor(weights(32, 3, 3, 16))
	y := g.AddTensor(graph.Tensor{Name: "y"})
	r := g.AddTensor(graph.Tensor{Name: "r"})
	f := g.AddTensor(weights(48, 1152))
	z := g.AddTensor(graph.Tensor{Name: "z"})
	g.AddNode(graph.Conv2D{Window: graph.Dense()}, []graph.TensorID{x, c}, []graph.TensorID{y})
	g.AddNode(graph.Reshape{Shape: tensor.Shape{1, 1152}}, []graph.TensorID{y}, []graph.TensorID{r})
	g.AddNode(graph.FullyConnected{}, []graph.TensorID{r, f}, []graph.TensorID{z})
	g.Inputs, g.Outputs = []graph.TensorID{x}, []graph.TensorID{z}
	if err := g.Infer(); err != nil {
		t.Fatal(err)
	}
	return g
}

func answer(t *testing.T, file []byte) []byte {
	t.Helper()
	m, err := runtime.Load(file, runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.NewSession(runtime.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(9, 10))
	for i := range s.Input(0) {
		s.Input(0)[i] = byte(random.Uint32())
	}
	if err := s.Invoke(); err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(s.Output(0))
}

// expanded is what tensor i holds in the end: itself, or what a DENSIFY makes it.
func expanded(t *testing.T, s *tflite.Subgraph, i int) []byte {
	t.Helper()
	for k := range s.Operators {
		if o := &s.Operators[k]; o.Name() == densifyName && o.Outputs[0] == i {
			i = o.Inputs[0]
		}
	}
	x := &s.Tensors[i]
	if !x.Compressed {
		return x.Data
	}
	data, err := x.Expand(tflite.NewBudget(1 << 20))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestSparse checks which form weights get, that the file is then smaller, and that
// its network answers the same.
func TestSparse(t *testing.T) {
	for _, c := range []struct {
		name    string
		zeros   float64
		block   int
		densify int  // operators DENSIFY
		blocks  bool // FULLY_CONNECTED on blocks of 16
	}{
		{"full", 0, 1, 0, false},
		{"half", 0.5, 1, 0, false},
		{"single weights", 0.9, 1, 2, false},
		{"blocks", 0.7, 16, 1, true},
		{"nothing left", 1, 1, 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := quantized(t, convolved(t, c.zeros, c.block), ptq.Options{})
			dense, err := Model(g)
			if err != nil {
				t.Fatal(err)
			}
			file, err := ModelWith(g, Options{Sparse: true})
			if err != nil {
				t.Fatal(err)
			}
			s := decode(t, file)
			densify := 0
			for i := range s.Operators {
				if s.Operators[i].Name() == densifyName {
					densify++
				}
			}
			last := &s.Operators[len(s.Operators)-1]
			if blocks := s.Tensors[last.Inputs[1]].Compressed; densify != c.densify || blocks != c.blocks {
				t.Errorf("%d DENSIFY and blocks %v, want %d and %v", densify, blocks, c.densify, c.blocks)
			}
			if c.densify == 0 && !c.blocks {
				if !bytes.Equal(file, dense) {
					t.Error("the file differs from the dense one")
				}
				return
			}
			if len(file) >= len(dense) {
				t.Errorf("%d bytes, dense %d", len(file), len(dense))
			}
			if got, want := answer(t, file), answer(t, dense); !bytes.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			if again, _ := ModelWith(g, Options{Sparse: true}); !bytes.Equal(file, again) {
				t.Error("written twice, the files differ")
			}
			for _, i := range []int{1, 4} {
				if got, want := expanded(t, s, i), constant(&g.Tensors[i]); !bytes.Equal(got, want) {
					t.Errorf("weights %d read back differ", i)
				}
			}
		})
	}
}

// TestSparseNeverGrows goes through layers around the size where compressing begins
// to pay.
func TestSparseNeverGrows(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	compressed := 0
	for range 400 {
		g := chain(t, 16*(1+random.IntN(10)), 1+random.IntN(40))
		w := g.Tensors[1].Float
		zeros, block := random.Float64(), 1+15*random.IntN(2)
		for i := range w {
			if i%block == 0 && random.Float64() < zeros {
				clear(w[i:min(i+block, len(w))])
			}
		}
		for _, g := range []*graph.Graph{g, quantized(t, g, ptq.Options{}), quantized(t, g, ptq.Options{PerTensor: true})} {
			dense, err := Model(g)
			if err != nil {
				t.Fatal(err)
			}
			file, err := ModelWith(g, Options{Sparse: true})
			if err != nil {
				t.Fatal(err)
			}
			if len(file) > len(dense) {
				t.Errorf("%v, %.2f zeros in blocks of %d: %d bytes, dense %d", g.Tensors[1].Shape, zeros, block, len(file), len(dense))
			}
			if !bytes.Equal(file, dense) {
				compressed++
			}
		}
	}
	if compressed < 200 {
		t.Errorf("%d of 1200 files were compressed, too few to tell", compressed)
	}
}
