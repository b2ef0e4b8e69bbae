package prune

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"kedge/quant/graph"
)

// TestChannel holds the smaller network against the whole one in which the
// channels with the smallest sums are 0.
func TestChannel(t *testing.T) {
	for seed := range uint64(10) {
		g := network(t, seed)
		small, masks, err := Prune(g, Options{Method: Channel, Sparsity: 0.5})
		if err != nil || masks != nil {
			t.Fatalf("got masks %v, %v", masks, err)
		}
		masked := maskChannels(g, small)
		r := rand.New(rand.NewPCG(seed, 5))
		x := make([]float32, 60)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		got, want := outputs(t, small, x), outputs(t, masked, x)
		for i := range want {
			if math.Abs(float64(got[i]-want[i])) > 1e-4*(1+math.Abs(float64(want[i]))) {
				t.Fatalf("seed %d: got %v, want %v", seed, got, want)
			}
		}
		again, _, err := Prune(g, Options{Method: Channel, Sparsity: 0.5})
		if err != nil || !slices.EqualFunc(weightsOf(again), weightsOf(small), slices.Equal) {
			t.Errorf("seed %d: another result the second time", seed)
		}
	}
}

// maskChannels sets to 0 what computes the channels of g that small lacks. The
// first convolution, the depthwise one and the last of the residual block have
// their channels in common; those between have their own.
func maskChannels(g, small *graph.Graph) *graph.Graph {
	out := g.Clone()
	var norms [4][]float64
	for i := range norms {
		w := g.Tensor(g.Nodes[i].Inputs[1])
		channels := g.Tensor(g.Nodes[i].Outputs[0]).Shape[3]
		norms[i] = make([]float64, channels)
		for k, v := range w.Float {
			c := k / (len(w.Float) / channels)
			if i == 1 {
				c = k % channels
			}
			norms[i][c] += math.Abs(float64(v))
		}
	}
	for c := range norms[0] {
		norms[0][c] += norms[1][c] + norms[3][c]
	}
	for i := range 4 {
		by := norms[0]
		if i == 2 {
			by = norms[2]
		}
		sorted := slices.Sorted(slices.Values(by))
		limit := sorted[len(by)-small.Tensor(small.Nodes[i].Outputs[0]).Shape[3]]
		for k := 1; k < 3; k++ {
			t := out.Tensor(g.Nodes[i].Inputs[k])
			t.Float = slices.Clone(t.Float)
			for j := range t.Float {
				c := j / (len(t.Float) / len(by))
				if i == 1 {
					c = j % len(by)
				}
				if by[c] < limit {
					t.Float[j] = 0
				}
			}
		}
	}
	return out
}

func outputs(t *testing.T, g *graph.Graph, x []float32) []float32 {
	t.Helper()
	e, err := graph.NewExecutor(g)
	if err != nil {
		t.Fatal(err)
	}
	y, err := e.Run([][]float32{x}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Clone(y[0])
}

func TestChannelShares(t *testing.T) {
	g := network(t, 1)
	width := func(g *graph.Graph, i int) int { return g.Tensor(g.Nodes[i].Outputs[0]).Shape[3] }
	for _, c := range []struct {
		sparsity float64
		exclude  string
	}{{0, ""}, {0.25, ""}, {0.8, ""}, {0.999, ""}, {0.5, g.Tensor(g.Nodes[0].Outputs[0]).Name}} {
		var o = Options{Method: Channel, Sparsity: c.sparsity}
		if c.exclude != "" {
			o.Exclude = []string{c.exclude}
		}
		small, _, err := Prune(g, o)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 4 {
			n := width(g, i)
			want := max(n-int(math.Round(c.sparsity*float64(n))), 1)
			if c.exclude != "" && i != 2 {
				want = n // coupled with the excluded one
			}
			if got := width(small, i); got != want {
				t.Errorf("%v of layer %d: got %d of %d channels, want %d", c.sparsity, i, got, n, want)
			}
		}
	}
}
