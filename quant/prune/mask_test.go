package prune

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"kedge/quant/calib"
	"kedge/quant/emit"
	"kedge/quant/graph"
	"kedge/quant/ptq"
)

// TestMasksSurvive: masks found again in the file, without and with compressed
// weights, hold a network that was trained on to its zeros.
func TestMasksSurvive(t *testing.T) {
	pruned, masks, err := Prune(network(t, 2), Options{Method: Magnitude, Sparsity: 0.8})
	if err != nil {
		t.Fatal(err)
	}
	for _, sparse := range []bool{false, true} {
		file, err := emit.ModelWith(pruned, emit.Options{Sparse: sparse})
		if err != nil {
			t.Fatal(err)
		}
		read, err := graph.FromTFLite(file)
		if err != nil {
			t.Fatal(err)
		}
		found := FromZeros(read)
		if len(found) != len(masks) {
			t.Errorf("sparse %v: got %d masks, want %d", sparse, len(found), len(masks))
		}
		for name, m := range masks {
			if f := found[name]; f.n != m.n || !slices.Equal(f.dropped, m.dropped) {
				t.Errorf("sparse %v: another mask of %s", sparse, name)
			}
		}
		for _, l := range Layers(read) {
			trained := slices.Clone(read.Tensor(l.Weights).Float)
			for i := range trained {
				trained[i]++
			}
			read.Tensor(l.Weights).Float = trained
		}
		if err := found.Apply(read); err != nil {
			t.Fatal(err)
		}
		for _, l := range Layers(read) {
			if m := masks[read.Tensor(l.Weights).Name]; l.Zeros != m.Dropped() {
				t.Errorf("%s: got %d zeros after training, want %d", l.Name, l.Zeros, m.Dropped())
			}
		}
	}
}

func TestMaskMisfits(t *testing.T) {
	g := dense(t, 2, []float32{1, 2, 3, 4})
	for _, masks := range []Masks{{"w1": NewMask(4)}, {"w0": NewMask(3)}} {
		if err := masks.Apply(g); !errors.Is(err, ErrMask) {
			t.Errorf("got %v, want %v", err, ErrMask)
		}
	}
	if err := (Mask{}).Apply(nil); err != nil {
		t.Errorf("zero mask: %v", err)
	}
	if found := FromZeros(g); len(found) != 0 {
		t.Errorf("got %v of a network without zeros", found)
	}
}

// TestQuantizedZeros: what was pruned is 0 as an integer too, and small weights
// may join it.
func TestQuantizedZeros(t *testing.T) {
	g, masks, err := Prune(network(t, 3), Options{Method: Global, Sparsity: 0.7})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 6))
	x := make([]float32, 60*32)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	statistics, err := calib.Collect(context.Background(), g, [][]float32{x}, calib.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ranges, err := statistics.Ranges(calib.MinMax())
	if err != nil {
		t.Fatal(err)
	}
	for _, perTensor := range []bool{false, true} {
		q, err := ptq.Quantize(g, ranges, ptq.Options{PerTensor: perTensor})
		if err != nil {
			t.Fatal(err)
		}
		checked := 0
		for i := range q.Tensors {
			mask, ok := masks[q.Tensors[i].Name]
			if !ok {
				continue
			}
			checked++
			for k, v := range q.Tensors[i].Int8 {
				if !mask.Keeps(k) && v != 0 {
					t.Fatalf("%s: weight %d is %d, want 0", q.Tensors[i].Name, k, v)
				}
			}
		}
		if checked != len(masks) {
			t.Errorf("got %d layers of the names pruned, want %d", checked, len(masks))
		}
	}
}
