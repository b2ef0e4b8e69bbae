package graph

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"kedge/runtime/tensor"
)

// array is a tensor in tests, addressed by index the slow and obvious way.
type array struct {
	shape    tensor.Shape
	v        []float32
	constant bool
}

func newArray(shape ...int) array {
	n, _ := tensor.Shape(shape).Elements()
	return array{shape: shape, v: make([]float32, n)}
}

func row(v ...float32) array { return array{shape: tensor.Shape{len(v)}, v: v} }

func randomArray(r *rand.Rand, shape ...int) array {
	a := newArray(slices.Clone(shape)...)
	for i := range a.v {
		a.v[i] = float32(r.NormFloat64() * 3)
	}
	return a
}

// randomShape has between least and most dimensions of 1 to 5 elements.
func randomShape(r *rand.Rand, least, most int) tensor.Shape {
	s := make(tensor.Shape, least+r.IntN(most-least+1))
	for i := range s {
		s[i] = 1 + r.IntN(5)
	}
	return s
}

func (a array) at(index []int) float32 { return a.v[a.offset(index)] }

func (a array) offset(index []int) int {
	at := 0
	for d, i := range index {
		at = at*a.shape[d] + i
	}
	return at
}

// fill sets every element to what f says of its index.
func (a array) fill(f func(index []int) float32) array {
	index := make([]int, len(a.shape))
	for i := range a.v {
		rest := i
		for d := len(index) - 1; d >= 0; d-- {
			index[d], rest = rest%a.shape[d], rest/a.shape[d]
		}
		a.v[i] = f(index)
	}
	return a
}

// build makes a graph of one operator, whose first input is the graph's.
func build(op Op, outputs int, in ...array) *Graph {
	g := &Graph{}
	var inputs, outs []TensorID
	for _, a := range in {
		x := Tensor{Shape: slices.Clone(a.shape)}
		if a.constant {
			x.Float = a.v
		}
		id := g.AddTensor(x)
		if !a.constant {
			g.Inputs = append(g.Inputs, id)
		}
		inputs = append(inputs, id)
	}
	for range outputs {
		outs = append(outs, g.AddTensor(Tensor{}))
	}
	g.AddNode(op, inputs, outs)
	g.Outputs = outs
	return g
}

// run computes one operator twice, the second time over its old outputs.
func run(t *testing.T, op Op, outputs int, in ...array) []array {
	t.Helper()
	return runGraph(t, build(op, outputs, in...), in...)
}

func runGraph(t *testing.T, g *Graph, in ...array) []array {
	t.Helper()
	if err := g.Infer(); err != nil {
		t.Fatal(err)
	}
	e, err := NewExecutor(g)
	if err != nil {
		t.Fatal(err)
	}
	var values, before [][]float32
	for _, a := range in {
		if !a.constant {
			values, before = append(values, a.v), append(before, slices.Clone(a.v))
		}
	}
	var results [][]float32
	for range 2 {
		if results, err = e.Run(values, nil); err != nil {
			t.Fatal(err)
		}
	}
	for i := range values {
		if !slices.Equal(values[i], before[i]) {
			t.Fatalf("%s changed its input", g.Nodes[0].Op.Name())
		}
	}
	out := make([]array, len(results))
	for i, v := range results {
		out[i] = array{shape: g.Tensor(g.Outputs[i]).Shape, v: v}
	}
	return out
}

// sameArray compares shapes and values, these to within tolerance relative to the
// larger of 1 and the value wanted.
func sameArray(t *testing.T, what any, got, want array, tolerance float64) {
	t.Helper()
	if !slices.Equal(got.shape, want.shape) {
		t.Fatalf("%+v: got shape %v, want %v", what, got.shape, want.shape)
	}
	for i, w := range want.v {
		if d := math.Abs(float64(got.v[i]) - float64(w)); d > tolerance*max(1, math.Abs(float64(w))) {
			t.Fatalf("%+v of %v: element %d: got %v, want %v", what, want.shape, i, got.v[i], w)
		}
	}
}

func seeded() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }
