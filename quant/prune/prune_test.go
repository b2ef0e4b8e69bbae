package prune

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// dense is a graph of one matrix after the other, each (out, in).
func dense(t *testing.T, in int, matrices ...[]float32) *graph.Graph {
	t.Helper()
	g := &graph.Graph{Name: "main"}
	x := g.AddTensor(graph.Tensor{Name: "x", Shape: tensor.Shape{1, in}})
	g.Inputs = []graph.TensorID{x}
	for i, m := range matrices {
		out := len(m) / in
		w := g.AddTensor(graph.Tensor{Name: fmt.Sprintf("w%d", i), Shape: tensor.Shape{out, in}, Float: m})
		y := g.AddTensor(graph.Tensor{Name: fmt.Sprintf("y%d", i)})
		g.AddNode(graph.FullyConnected{}, []graph.TensorID{x, w, graph.None}, []graph.TensorID{y})
		x, in = y, out
	}
	g.Outputs = []graph.TensorID{x}
	if err := g.Infer(); err != nil {
		t.Fatal(err)
	}
	return g
}

func weightsOf(g *graph.Graph) [][]float32 {
	var out [][]float32
	for _, l := range Layers(g) {
		out = append(out, g.Tensor(l.Weights).Float)
	}
	return out
}

func TestMethods(t *testing.T) {
	row := func(values ...float32) []float32 { return append(values, make([]float32, 32-len(values))...) }
	long := slices.Concat(
		slices.Repeat([]float32{1}, 16), slices.Repeat([]float32{-2}, 16), slices.Repeat([]float32{3}, 2),
		slices.Repeat([]float32{5}, 16), slices.Repeat([]float32{0.5}, 16), slices.Repeat([]float32{-0.1}, 2))
	for _, c := range []struct {
		name string
		in   int
		give [][]float32
		o    Options
		want [][]float32
	}{
		{"magnitude, each layer", 2, [][]float32{{1, -2, 3, 4}, {10, -20}}, Options{Method: Magnitude, Sparsity: 0.5},
			[][]float32{{0, 0, 3, 4}, {0, -20}}},
		{"magnitude, equal ones", 4, [][]float32{{1, -1, 1, -1}}, Options{Method: Magnitude, Sparsity: 0.5},
			[][]float32{{1, -1, 0, 0}}},
		{"magnitude, rounded", 3, [][]float32{{1, 2, 3}}, Options{Method: Magnitude, Sparsity: 0.5},
			[][]float32{{0, 0, 3}}},
		{"magnitude, one stays", 2, [][]float32{{1, 2}}, Options{Method: Magnitude, Sparsity: 0.99},
			[][]float32{{0, 2}}},
		{"none", 2, [][]float32{{1, 2}}, Options{Method: Magnitude},
			[][]float32{{1, 2}}},
		// The second layer has a weight to spare, though it is the greater one.
		{"global", 2, [][]float32{{1, 1, 1, 1}, {2, 1000}}, Options{Method: Global, Sparsity: 1.0 / 6},
			[][]float32{{1, 1, 1, 1}, {0, 1000}}},
		{"global, scale of a layer", 2, [][]float32{{100, 200, 300, 400}, {1, 2, 3, 4}}, Options{Method: Global, Sparsity: 0.5},
			[][]float32{{0, 0, 300, 400}, {0, 0, 3, 4}}},
		{"global, each layer keeps one", 2, [][]float32{{1, 2}, {3}}, Options{Method: Global, Sparsity: 0.9},
			[][]float32{{0, 2}, {3}}},
		{"2:4", 8, [][]float32{{1, 2, 3, 4, -9, 1, 1, 1}}, Options{Method: NM, Pattern: Pattern{2, 4}},
			[][]float32{{0, 0, 3, 4, -9, 1, 0, 0}}},
		{"2:4, rest of a row", 3, [][]float32{{1, 2, 3, 6, 5, 4}}, Options{Method: NM, Pattern: Pattern{2, 4}},
			[][]float32{{0, 2, 3, 6, 5, 0}}},
		{"1:4, rest of one", 5, [][]float32{{1, 2, 3, 4, 0.5}}, Options{Method: NM, Pattern: Pattern{1, 4}},
			[][]float32{{0, 0, 0, 4, 0.5}}},
		{"blocks", 32, [][]float32{row(0, 0, 9)}, Options{Method: Block, Sparsity: 0.5},
			[][]float32{row(0, 0, 9)}},
		{"blocks and rests, by their mean", 34, [][]float32{long}, Options{Method: Block, Sparsity: 0.5},
			[][]float32{slices.Concat(make([]float32, 16), long[16:34], long[34:50], make([]float32, 18))}},
		{"excluded", 2, [][]float32{{1, 2}, {3}}, Options{Method: Magnitude, Sparsity: 0.5, Exclude: []string{"y1"}},
			[][]float32{{0, 2}, {3}}},
		{"excluded by its weights", 2, [][]float32{{1, 2, 3, 4}, {3, 4}}, Options{Method: Magnitude, Sparsity: 0.5, Exclude: []string{"w0"}},
			[][]float32{{1, 2, 3, 4}, {0, 4}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var kept [][]float32
			for _, m := range c.give {
				kept = append(kept, slices.Clone(m))
			}
			g := dense(t, c.in, c.give...)
			got, masks, err := Prune(g, c.o)
			if err != nil {
				t.Fatal(err)
			}
			if w := weightsOf(got); !slices.EqualFunc(w, c.want, slices.Equal) {
				t.Errorf("got %v, want %v", w, c.want)
			}
			if w := weightsOf(g); !slices.EqualFunc(w, kept, slices.Equal) {
				t.Errorf("the graph given became %v", w)
			}
			again := g.Clone()
			if err := masks.Apply(again); err != nil || !slices.EqualFunc(weightsOf(again), c.want, slices.Equal) {
				t.Errorf("masks: got %v, %v", weightsOf(again), err)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	g := dense(t, 2, []float32{1, 2, 3, 4})
	empty := &graph.Graph{Inputs: []graph.TensorID{0}, Outputs: []graph.TensorID{0}, Tensors: []graph.Tensor{{Name: "x", Shape: tensor.Shape{1, 2}}}}
	quantized := g.Clone()
	w := quantized.Tensor(Layers(g)[0].Weights)
	w.Type, w.Float, w.Int8 = tensor.Int8, nil, []int8{1, 2, 3, 4}
	for _, c := range []struct {
		name string
		g    *graph.Graph
		o    Options
		want error
		text string
	}{
		{"sparsity 1", g, Options{Method: Magnitude, Sparsity: 1}, ErrOptions, "sparsity 1,"},
		{"negative", g, Options{Method: Global, Sparsity: -0.1}, ErrOptions, "sparsity -0.1,"},
		{"NaN", g, Options{Method: Block, Sparsity: math.NaN()}, ErrOptions, "sparsity NaN,"},
		{"method", g, Options{Method: "best"}, ErrOptions, `method "best"`},
		{"pattern", g, Options{Method: NM, Pattern: Pattern{4, 4}}, ErrOptions, "pattern 4:4"},
		{"unknown layer", g, Options{Method: Magnitude, Exclude: []string{"z"}}, ErrOptions, `called "z"; the first is "y0"`},
		{"all excluded", g, Options{Method: Magnitude, Exclude: []string{"y0"}}, ErrNothing, "all layers are excluded"},
		{"no weights", empty, Options{Method: Magnitude}, ErrNothing, "float weights"},
		{"quantized", quantized, Options{Method: Magnitude}, ErrNothing, "float weights"},
		{"no channels", g, Options{Method: Channel, Sparsity: 0.5}, ErrNothing, "every channel reaches"},
	} {
		if _, _, err := Prune(c.g, c.o); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: got %v, want %v with %q", c.name, err, c.want, c.text)
		}
	}
}

func TestParsePattern(t *testing.T) {
	for _, c := range []struct {
		text string
		want Pattern
	}{
		{"2:4", Pattern{2, 4}}, {"1:16", Pattern{1, 16}},
		{"4:2", Pattern{}}, {"0:4", Pattern{}}, {"2:4:8", Pattern{}}, {"2", Pattern{}}, {"", Pattern{}}, {"1:1025", Pattern{}}, {"+2:4", Pattern{}},
	} {
		p, err := ParsePattern(c.text)
		if bad := c.want == (Pattern{}); bad != errors.Is(err, ErrOptions) || !bad && p != c.want {
			t.Errorf("%q: got %v, %v, want %v", c.text, p, err, c.want)
		}
	}
}

// network is an image classifier: convolution, depthwise convolution, a residual
// block and a matrix, with random weights and biases.
func network(t *testing.T, seed uint64) *graph.Graph {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 3))
	g := &graph.Graph{Name: "main"}
	constant := func(shape ...int) graph.TensorID {
		n, _ := tensor.Shape(shape).Elements()
		data := make([]float32, n)
		for i := range data {
			data[i] = float32(r.NormFloat64())
		}
		return g.AddTensor(graph.Tensor{Shape: shape, Float: data})
	}
	add := func(op graph.Op, in ...graph.TensorID) graph.TensorID {
		y := g.AddTensor(graph.Tensor{})
		g.AddNode(op, in, []graph.TensorID{y})
		return y
	}
	same := graph.Dense()
	same.Pad = graph.Padding{Top: 1, Left: 1, Bottom: 1, Right: 1}
	conv := func(x graph.TensorID, in, out int, a graph.Activation) graph.TensorID {
		return add(graph.Conv2D{Window: same, Activation: a}, x, constant(out, 3, 3, in), constant(out))
	}
	c := 8 + r.IntN(24)
	x := g.AddTensor(graph.Tensor{Shape: tensor.Shape{1, 5, 4, 3}})
	g.Inputs = []graph.TensorID{x}
	y := conv(x, 3, c, graph.ReLU)
	y = add(graph.DepthwiseConv2D{Window: same, Multiplier: 1, Activation: graph.ReLU6}, y, constant(1, 3, 3, c), constant(c))
	z := conv(conv(y, c, c+3, graph.ReLU), c+3, c, graph.Linear)
	y = add(graph.Binary{Kind: graph.Add}, y, z)
	y = add(graph.Reshape{Shape: tensor.Shape{1, 20 * c}}, y)
	y = add(graph.FullyConnected{}, y, constant(4, 20*c), constant(4))
	g.Outputs = []graph.TensorID{y}
	if err := g.Infer(); err != nil {
		t.Fatal(err)
	}
	g.NameTensors()
	return g
}

func TestProperties(t *testing.T) {
	for seed := range uint64(20) {
		g := network(t, seed)
		r := rand.New(rand.NewPCG(seed, 4))
		sparsity := r.Float64() * 0.95
		for _, m := range []Method{Magnitude, Global, Block} {
			got, masks, err := Prune(g, Options{Method: m, Sparsity: sparsity})
			if err != nil {
				t.Fatal(err)
			}
			checkShare(t, m, got, masks, sparsity)
			checkSurvivors(t, m, g, got)
		}
		p := Pattern{1 + r.IntN(3), 4 + r.IntN(5)}
		got, _, err := Prune(g, Options{Method: NM, Pattern: p})
		if err != nil {
			t.Fatal(err)
		}
		checkPattern(t, got, p)
	}
}

// checkShare holds the share of zeros against the one asked for: to the weight,
// or with blocks to the block in every layer.
func checkShare(t *testing.T, m Method, g *graph.Graph, masks Masks, sparsity float64) {
	t.Helper()
	dropped, count := 0, 0
	for name, mask := range masks {
		dropped, count = dropped+mask.Dropped(), count+mask.Len()
		slack := 0.5
		if m == Block {
			slack = BlockSize
		}
		if d := math.Abs(float64(mask.Dropped()) - sparsity*float64(mask.Len())); m != Global && d > slack {
			t.Errorf("%v %s: got %d of %d, want the share %v", m, name, mask.Dropped(), mask.Len(), sparsity)
		}
	}
	if d := math.Abs(float64(dropped) - sparsity*float64(count)); m == Global && d > 0.5 {
		t.Errorf("%v: got %d of %d, want the share %v", m, dropped, count, sparsity)
	}
	zeros := 0
	for _, l := range Layers(g) {
		zeros += l.Zeros
		if l.Zeros == l.Count {
			t.Errorf("%v: nothing is left of %s", m, l.Name)
		}
	}
	if zeros != dropped {
		t.Errorf("%v: got %d zeros, want %d", m, zeros, dropped)
	}
}

// checkSurvivors: in each layer the smallest weight that is left is not smaller
// than the greatest that went; with blocks the means of the blocks.
func checkSurvivors(t *testing.T, m Method, before, after *graph.Graph) {
	t.Helper()
	size := 1
	if m == Block {
		size = BlockSize
	}
	a := weightsOf(after)
	for i, l := range Layers(before) {
		w := before.Tensor(l.Weights)
		row := w.Shape[len(w.Shape)-1]
		least, most := float32(math.Inf(1)), float32(0)
		for _, u := range units(nil, 0, w.Float, row, size) {
			if a[i][u.first] != 0 {
				least = min(least, u.score)
			} else {
				most = max(most, u.score)
			}
		}
		if least < most {
			t.Errorf("%v, layer %d: %v stays and %v goes", m, i, least, most)
		}
	}
}

func checkPattern(t *testing.T, g *graph.Graph, p Pattern) {
	t.Helper()
	for _, l := range Layers(g) {
		w := g.Tensor(l.Weights)
		if l.Op == "DEPTHWISE_CONV_2D" {
			if l.Zeros > 0 {
				t.Errorf("%v: %s has %d zeros, want none", p, l.Op, l.Zeros)
			}
			continue
		}
		row := w.Shape[len(w.Shape)-1]
		for rest := range slices.Chunk(w.Float, row) {
			for group := range slices.Chunk(rest, p.M) {
				kept := len(group) - count(group, 0)
				if want := int(math.Ceil(float64(p.N*len(group)) / float64(p.M))); kept != want {
					t.Fatalf("%v: got %d of %d weights, want %d", p, kept, len(group), want)
				}
			}
		}
	}
}

func count(w []float32, v float32) int {
	n := 0
	for _, x := range w {
		if x == v {
			n++
		}
	}
	return n
}
