package release

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"kedge/agent/drift"
	"kedge/runtime/feature"
	"kedge/telemetry/trust"
	"kedge/trainer/store"
	"kedge/trainer/train"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 500, time.UTC)

func newRegistry(t *testing.T) *Registry {
	t.Helper()
	keys, err := LoadKeys(initKeys(t))
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &Registry{Store: s, Keys: keys, Now: func() time.Time { return noon }}
}

// signal is n confidences around a mean.
func confidences(n int, mean float64) []float64 {
	rng := rand.New(rand.NewPCG(1, 1))
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = min(max(mean+0.05*rng.NormFloat64(), 0), 1)
	}
	return xs
}

func candidate(t *testing.T) Candidate {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	net, err := train.NewDense([]int{2, 3, 2}, rng)
	if err != nil {
		t.Fatal(err)
	}
	model, err := net.Int8(context.Background(), []float32{-1, -1, 1, 1}, "")
	if err != nil {
		t.Fatal(err)
	}
	features, err := json.Marshal(feature.Set{{Name: "a", Transform: feature.None, Scale: 1}, {Name: "b", Transform: feature.None, Scale: 2}})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := NewReference(confidences(100, 0.9))
	if err != nil {
		t.Fatal(err)
	}
	return Candidate{
		Name: "m", Labels: []string{"x", "y"}, Model: model, Features: features, Reference: ref,
		GoldenRows: [][]float64{{0, 0}, {0.5, -1}, {1, 2}}, Accuracy: math.NaN(),
	}
}

func TestRelease(t *testing.T) {
	ctx := context.Background()
	r := newRegistry(t)
	for version := uint64(1); version <= 2; version++ {
		made, err := r.Release(ctx, candidate(t))
		if err != nil {
			t.Fatal(err)
		}
		rel, digest, err := r.Keys.Root().VerifyRelease(made.Envelope)
		if err != nil || digest != made.Digest || rel.Version != version || rel.Name != "m" {
			t.Fatalf("got %+v, %s, %v", rel, digest, err)
		}
		if !rel.RunsOn("linux/riscv64") || !slices.Equal(rel.Operators, []string{"FULLY_CONNECTED", "SOFTMAX"}) ||
			len(rel.Inputs) != 1 || rel.Inputs[0].Type != "int8" || !slices.Equal(rel.Outputs[0].Shape, []int{1, 2}) {
			t.Errorf("got %+v", rel)
		}
		data, err := r.Package(ctx, made.Digest)
		if err != nil {
			t.Fatal(err)
		}
		p, err := trust.OpenPackage(data)
		if err != nil || !bytes.Equal(p.Release, made.Envelope) {
			t.Fatalf("package: %v", err)
		}
		b, err := rel.Open(p.Bundle)
		if err != nil {
			t.Fatal(err)
		}
		if b.Manifest.GoldenSamples != 3 || len(b.GoldenInput) != 6 || len(b.GoldenOutput) != 6 || b.Manifest.Signal != SignalTop1 {
			t.Errorf("got %+v with golden %d and %d bytes", b.Manifest, len(b.GoldenInput), len(b.GoldenOutput))
		}
		index, err := r.Store.Blob(made.Index)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := trust.OpenChunkIndex(index, rel.Bundle); err != nil {
			t.Error(err)
		}
		if chunk, err := r.Chunk(made.Bundle, 0); err != nil || !bytes.Equal(chunk, trust.Chunk(p.Bundle, 0)) {
			t.Errorf("chunk: %v", err)
		}
	}
	found, err := r.ReleaseByVersion(ctx, "m", 0)
	if err != nil || found.Version != 2 {
		t.Errorf("got %+v, %v, want the latest", found, err)
	}
	if _, err := r.ReleaseByVersion(ctx, "m", 3); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func TestReleaseRefuses(t *testing.T) {
	r := newRegistry(t)
	for name, spoil := range map[string]func(*Candidate){
		"no model":            func(c *Candidate) { c.Model = []byte("hello") },
		"labels":              func(c *Candidate) { c.Labels = []string{"x"} },
		"same labels":         func(c *Candidate) { c.Labels = []string{"x", "x"} },
		"name":                func(c *Candidate) { c.Name = "a/b" },
		"features are no set": func(c *Candidate) { c.Features = []byte("{}") },
		"one feature":         func(c *Candidate) { c.Features = []byte(`[{"name":"a","scale":1}]`) },
		"feature without scale": func(c *Candidate) {
			c.Features = []byte(`[{"name":"a","scale":1},{"name":"b"}]`)
		},
		"no reference":      func(c *Candidate) { c.Reference = drift.Reference{} },
		"spoiled reference": func(c *Candidate) { c.Reference.N++ },
		"few samples":       func(c *Candidate) { c.Reference, _ = NewReference(confidences(29, 0.9)) },
		"no golden rows":    func(c *Candidate) { c.GoldenRows = nil },
		"short golden row":  func(c *Candidate) { c.GoldenRows = [][]float64{{1}} },
		"golden bytes":      func(c *Candidate) { c.Golden = []byte{1, 2, 3} },
	} {
		c := candidate(t)
		spoil(&c)
		if _, err := r.Release(context.Background(), c); !errors.Is(err, ErrCandidate) {
			t.Errorf("%s: got %v, want ErrCandidate", name, err)
		}
	}
	err := r.Store.View(context.Background(), func(tx *store.Tx) error {
		all, err := tx.Releases("")
		if len(all) != 0 {
			t.Errorf("got %d releases, want none", len(all))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAssign(t *testing.T) {
	ctx := context.Background()
	r := newRegistry(t)
	made, err := r.Release(ctx, candidate(t))
	if err != nil {
		t.Fatal(err)
	}
	device, group := store.Target{Site: "s", Kind: store.TargetDevice, Name: "d"}, store.Target{Site: "s", Kind: store.TargetGroup, Name: "d"}
	for i, c := range []struct {
		target   store.Target
		validity time.Duration
		sequence uint64
		until    time.Duration
	}{{device, 0, 1, DefaultValidity}, {group, time.Hour, 1, time.Hour}, {device, time.Hour, 2, time.Hour}} {
		kept, err := r.Assign(ctx, c.target, made.Digest, c.validity)
		if err != nil {
			t.Fatal(err)
		}
		a, err := r.Keys.Root().VerifyAssign(kept.Envelope)
		if err != nil || a.Sequence != c.sequence || a.Release != made.Digest || a.NotAfter.Sub(a.Issued) != c.until {
			t.Errorf("%d: got %+v, %v", i, a, err)
		}
		if (a.Device != "") != (c.target.Kind == store.TargetDevice) {
			t.Errorf("%d: got device %q, group %q", i, a.Device, a.Group)
		}
	}
	if _, err := r.Assign(ctx, device, trust.Digest(nil), 0); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unknown release: got %v, want ErrNotFound", err)
	}
	if _, err := r.Assign(ctx, store.Target{Site: "s/t", Kind: store.TargetDevice, Name: "d"}, made.Digest, 0); !errors.Is(err, trust.ErrMalformed) {
		t.Errorf("bad site: got %v, want ErrMalformed", err)
	}
}

// A centre whose key the root document does not name must not give out anything.
func TestForeignKeySignsNothing(t *testing.T) {
	r, other := newRegistry(t), newRegistry(t)
	spoiled := *r.Keys
	spoiled.release = other.Keys.release
	r.Keys = &spoiled
	if _, err := r.Release(context.Background(), candidate(t)); !errors.Is(err, trust.ErrSignature) {
		t.Errorf("got %v, want ErrSignature", err)
	}
}

func TestCheckReference(t *testing.T) {
	bytesOf := func(xs []float64) []byte {
		var b []byte
		for _, x := range xs {
			b = append(b, drift.Quantize(x))
		}
		return b
	}
	present, err := NewReference(confidences(100, 0.9))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		signals []byte
		present drift.Reference
		want    error
	}{
		{"as before", bytesOf(confidences(500, 0.9)), present, nil},
		{"better", bytesOf(confidences(500, 0.95)), present, nil},
		{"a little lower", bytesOf(confidences(500, 0.895)), present, nil},
		{"clearly lower", bytesOf(confidences(500, 0.86)), present, ErrImplausible},
		{"nothing", make([]byte, 500), present, ErrImplausible},
		{"too few", bytesOf(confidences(499, 0.9)), present, ErrTooFew},
		{"nothing to compare with", bytesOf(confidences(500, 0.5)), drift.Reference{}, nil},
	} {
		got, err := CheckReference(c.signals, c.present)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
		if err != nil {
			continue
		}
		counts := make([]int64, drift.LatticeSize)
		for _, s := range c.signals {
			counts[s]++
		}
		if !slices.Equal(got.Counts, counts) {
			t.Errorf("%s: the histogram is not that of the signals", c.name)
		}
	}
}

func TestPresentReference(t *testing.T) {
	ctx := context.Background()
	r := newRegistry(t)
	made, err := r.Release(ctx, candidate(t))
	if err != nil {
		t.Fatal(err)
	}
	better, err := NewReference(confidences(600, 0.9))
	if err != nil {
		t.Fatal(err)
	}
	err = r.Store.Update(ctx, func(tx *store.Tx) error {
		released, err := r.PresentReference(tx, "s", "d", made.Model)
		if err != nil || released.N != 100 {
			t.Errorf("got %d, %v, want the release's 100", released.N, err)
		}
		for range 2 {
			if _, err := r.SignReference(tx, "s", "d", made.Model, "", better); err != nil {
				return err
			}
		}
		signed, err := r.PresentReference(tx, "s", "d", made.Model)
		if err != nil || signed.N != 600 {
			t.Errorf("got %d, %v, want the signed 600", signed.N, err)
		}
		kept, err := tx.Reference("s", "d", made.Model)
		if err != nil || kept.Sequence != 2 {
			t.Errorf("got sequence %d, %v, want 2", kept.Sequence, err)
		}
		if _, err := r.PresentReference(tx, "s", "d", "unknown"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("got %v, want ErrNotFound", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LoadKeys(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("keys were loaded from nowhere")
	}
}
