package pass

import (
	"reflect"
	"slices"
	"testing"

	"kedge/quant/graph"
)

// snapshot copies a graph together with its constants' data.
func snapshot(g *graph.Graph) *graph.Graph {
	out := g.Clone()
	for i := range out.Tensors {
		out.Tensors[i].Float = slices.Clone(out.Tensors[i].Float)
	}
	return out
}

// TestSimplifyRandomGraphs holds graphs before and after against each other.
// The tolerance is for rounding: the greatest difference seen is far smaller.
func TestSimplifyRandomGraphs(t *testing.T) {
	const tolerance = 2e-5
	seeds := 2000
	if testing.Short() {
		seeds = 200
	}
	before, after, worst := 0, 0, 0.0
	did := map[string]int{}
	for seed := range uint64(seeds) {
		g := randomGraph(seed)
		old := snapshot(g)
		s, changes, err := Simplify(g)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if !reflect.DeepEqual(old, g) {
			t.Fatalf("seed %d: Simplify changed its argument", seed)
		}
		if again, _, _ := Simplify(g); !reflect.DeepEqual(again, s) {
			t.Fatalf("seed %d: a second run gave another graph", seed)
		}
		for k, id := range s.Outputs {
			if got, want := s.Tensor(id).Name, g.Tensor(g.Outputs[k]).Name; got != want {
				t.Errorf("seed %d: output %d is named %q, want %q", seed, k, got, want)
			}
		}
		d, err := Verify(g, s, 5)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if d > tolerance {
			t.Errorf("seed %d: outputs differ by %.3g, want at most %.3g\n%v", seed, d, tolerance, changes)
		}
		worst = max(worst, d)
		before, after = before+len(g.Nodes), after+len(s.Nodes)
		for _, c := range changes {
			did[c.Pass]++
		}
	}
	t.Logf("%d graphs, nodes %d to %d, greatest difference %.3g, graphs changed by pass %v", seeds, before, after, worst, did)
	for _, p := range passes {
		if p.name != "constant folding" && did[p.name] < seeds/50 {
			t.Errorf("%s changed %d graphs, want at least %d: the generator does not exercise it", p.name, did[p.name], seeds/50)
		}
	}
}
