package jobs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kedge/telemetry/wire"
	"kedge/trainer/dataset"
	"kedge/trainer/release"
	"kedge/trainer/store"
	"kedge/trainer/train"
)

var classes = []string{"calm", "loud"}

// brief is an outcome without its bytes.
func brief(o Outcome) string {
	return fmt.Sprintf("version %d, %d samples, %d labels, accuracy %.3f, running %.3f, weak %v",
		o.Release.Version, o.Samples, o.Labels, o.Accuracy, o.Running, o.Weak)
}

// rows draws n rows of two classes; shift moves one class towards the other.
func rows(rng *rand.Rand, n int, shift float64) *dataset.Table {
	t := &dataset.Table{Classes: classes}
	for _, name := range []string{"a", "b", "c"} {
		t.Columns = append(t.Columns, store.Column{Name: name, Transform: dataset.TransformSignedLog1p})
	}
	for i := range n {
		y := i % 2
		t.Y = append(t.Y, y)
		for j := range t.Columns {
			center := 3 * float64(y)
			if j > 0 {
				center = 0
			}
			if j == 1 && y == 1 {
				center += 2 * shift
			}
			if j == 0 {
				center += 0.5 * shift * float64(1-y)
			}
			t.X = append(t.X, float32(center+0.5*rng.NormFloat64()))
		}
	}
	return t
}

// bench is a pipeline with a base set of the name "hum".
func bench(t *testing.T) (*Pipeline, *rand.Rand) {
	t.Helper()
	dir := t.TempDir()
	if err := release.Init(filepath.Join(dir, "keys"), release.InitOptions{}); err != nil {
		t.Fatal(err)
	}
	keys, err := release.LoadKeys(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	rng := rand.New(rand.NewPCG(7, 7))
	recipe := train.Defaults()
	recipe.Epochs = 20
	p := &Pipeline{Registry: &release.Registry{Store: s, Keys: keys}, Fresh: &recipe, Seed: 1}
	update(t, p, func(tx *store.Tx) error { return tx.PutBaseSet(rows(rng, 600, 0).BaseSet("hum", time.Now())) })
	return p, rng
}

func update(t *testing.T, p *Pipeline, f func(*store.Tx) error) {
	t.Helper()
	if err := p.Registry.Store.Update(context.Background(), f); err != nil {
		t.Fatal(err)
	}
}

// capture keeps n labeled samples of the model under an evidence.
func capture(t *testing.T, p *Pipeline, table *dataset.Table, model, evidence string) store.DriftReport {
	t.Helper()
	update(t, p, func(tx *store.Tx) error {
		for i := range table.Len() {
			id := wire.SampleID{Device: "d", Boot: evidence, Sequence: uint64(i)}.String()
			_, err := tx.AddSample(store.Sample{
				ID: id, Site: "s", Device: "d", Time: time.Unix(int64(i), 0), Model: model,
				X: wire.PackFloat32s(table.Row(i)), Answered: classes[0], Evidence: evidence,
			}, time.Second)
			if err != nil {
				return err
			}
			if _, err := tx.AddLabel(store.Label{Site: "s", Sample: id, Label: classes[table.Y[i]]}, time.Second); err != nil {
				return err
			}
		}
		return nil
	})
	return store.DriftReport{Site: "s", Device: "d", Name: "hum", Model: model, Evidence: evidence}
}

func retrain(ctx context.Context, p *Pipeline, report store.DriftReport) (Outcome, error) {
	m, err := p.Gather(ctx, report)
	if err != nil {
		return Outcome{}, err
	}
	return p.Retrain(ctx, m)
}

func TestFirstAndRetrain(t *testing.T) {
	ctx := context.Background()
	p, rng := bench(t)
	first, err := p.First(ctx, "hum")
	if err != nil {
		t.Fatal(err)
	}
	if first.Accuracy < 0.97 || first.Weak || first.Samples != 600 || first.Release.Version != 1 {
		t.Errorf("got %s, want a good model with a full reference", brief(first))
	}
	report := capture(t, p, rows(rng, 100, 2.5), first.Release.Model, "e1")
	second, err := retrain(ctx, p, report)
	if err != nil {
		t.Fatal(err)
	}
	if second.Accuracy <= second.Running || second.Accuracy < 0.9 || !second.Weak || second.Labels != 100 || second.Samples != 700 {
		t.Errorf("got %s, want a better one with a weak reference", brief(second))
	}
	// The second drift is learned on top of the first, whose samples stay in.
	again := capture(t, p, rows(rng, 60, 4), second.Release.Model, "e2")
	third, err := retrain(ctx, p, again)
	if err != nil {
		t.Fatal(err)
	}
	if third.Labels != 160 || third.Samples != 760 || third.Release.Version != 3 {
		t.Errorf("got %s, want all labels used", brief(third))
	}
}

// TestWatched: what the trainer makes watches margin and inputs, and carries a threshold
// for estimates; the labels of an alarm say how much accuracy was lost.
func TestWatched(t *testing.T) {
	ctx := context.Background()
	p, rng := bench(t)
	first, err := p.First(ctx, "hum")
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.Registry.Bundle(ctx, first.Release.Digest)
	if err != nil {
		t.Fatal(err)
	}
	m := b.Manifest
	if s := m.Watched(); len(s) != 2 || s[0].Name != "top1" || s[1].Name != "margin" || s[1].High <= 0 || b.References == nil || b.Inputs == nil {
		t.Errorf("got signals %+v, references of %d bytes, inputs of %d", s, len(b.References), len(b.Inputs))
	}
	if a := m.Accuracy; a == nil || a.N != 600 || a.Accuracy != first.Accuracy {
		t.Errorf("got threshold %+v, want it of 600 samples with accuracy %v", a, first.Accuracy)
	}
	table := rows(rng, 100, 2.5)
	right := 0
	for _, y := range table.Y {
		if y == 0 { // as capture answers
			right++
		}
	}
	material, err := p.Gather(ctx, capture(t, p, table, first.Release.Model, "e1"))
	if err != nil {
		t.Fatal(err)
	}
	s, ok := material.Score()
	if want := float64(right) / 100; !ok || s.N != 100 || s.Now != want || s.Reference != first.Accuracy || s.Lost != first.Accuracy-want ||
		!(s.Interval.Low < s.Lost && s.Lost < s.Interval.High) || s.Interval.Low <= 0 {
		t.Errorf("got %+v, %v, want %v of 100 right", s, ok, want)
	}
}

func TestSameInputsSameModel(t *testing.T) {
	var models []string
	for range 2 {
		p, rng := bench(t)
		first, err := p.First(context.Background(), "hum")
		if err != nil {
			t.Fatal(err)
		}
		second, err := retrain(context.Background(), p, capture(t, p, rows(rng, 100, 2.5), first.Release.Model, "e1"))
		if err != nil {
			t.Fatal(err)
		}
		models = append(models, first.Release.Model+second.Release.Model)
	}
	if models[0] != models[1] {
		t.Error("the same seed gave other models")
	}
}

func TestRetrainRefuses(t *testing.T) {
	ctx := context.Background()
	p, rng := bench(t)
	first, err := p.First(ctx, "hum")
	if err != nil {
		t.Fatal(err)
	}
	few := capture(t, p, rows(rng, 29, 0), first.Release.Model, "few")
	if _, err := retrain(ctx, p, few); !errors.Is(err, ErrFewLabels) {
		t.Errorf("29 labels: got %v, want ErrFewLabels", err)
	}
	unknown := few
	unknown.Model = "unknown"
	if _, err := retrain(ctx, p, unknown); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unknown model: got %v, want ErrNotFound", err)
	}
	enough := capture(t, p, rows(rng, 60, 0), first.Release.Model, "enough")
	ruinous := train.WarmDefaults()
	ruinous.LearningRate, ruinous.Noise = 0.1, 1000
	p.Warm = &ruinous
	if out, err := retrain(ctx, p, enough); !errors.Is(err, ErrWorse) || out.Accuracy >= out.Running {
		t.Errorf("ruinous recipe: got %s, %v, want ErrWorse", brief(out), err)
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := retrain(stopped, p, enough); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: got %v, want Canceled", err)
	}
	update(t, p, func(tx *store.Tx) error {
		changed := rows(rng, 100, 0)
		changed.Columns[1].Name = "other"
		return tx.PutBaseSet(changed.BaseSet("hum", time.Now()))
	})
	if _, err := retrain(ctx, p, enough); !errors.Is(err, dataset.ErrColumns) {
		t.Errorf("other base set: got %v, want ErrColumns", err)
	}
}

// A model that was released by hand has no float weights: training begins at the
// int8 ones.
func TestRetrainFromInt8(t *testing.T) {
	ctx := context.Background()
	p, rng := bench(t)
	first, err := p.First(ctx, "hum")
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := p.Registry.Bundle(ctx, first.Release.Digest)
	if err != nil {
		t.Fatal(err)
	}
	reference, err := release.NewReference(make([]float64, 30))
	if err != nil {
		t.Fatal(err)
	}
	byHand, err := p.Registry.Release(ctx, release.Candidate{
		Name: "hum", Labels: bundle.Manifest.Labels, Model: bundle.Model, Features: bundle.Features,
		Reference: reference, Golden: bundle.GoldenInput,
	})
	if err != nil || byHand.Weights != nil {
		t.Fatalf("got weights %v, %v", byHand.Weights, err)
	}
	report := capture(t, p, rows(rng, 100, 2.5), byHand.Model, "e1")
	out, err := retrain(ctx, p, report)
	if err != nil || out.Accuracy < 0.9 {
		t.Errorf("got %s, %v, want a better model", brief(out), err)
	}
}

// The user's own program trains instead: here one that brings a model that was
// made before, and looks at what it was given.
func TestCommand(t *testing.T) {
	ctx := context.Background()
	p, rng := bench(t)
	first, err := p.First(ctx, "hum")
	if err != nil {
		t.Fatal(err)
	}
	report := capture(t, p, rows(rng, 100, 2.5), first.Release.Model, "e1")
	better, err := retrain(ctx, p, report)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	model := filepath.Join(dir, "better.tflite")
	if err := os.WriteFile(model, better.Release.Weights, 0o600); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, "train.sh")
	text := fmt.Sprintf("set -e\ntest -s train.npz\ntest -s val.npz\ntest -s base.tflite\ngrep -q '\"calm\"' params.json\ngrep -q '\"mine\"' params.json\ncp %s model.tflite\necho '{\"loss\": 0.5}' >metrics.json\n", model)
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p.Command, p.Params = train.Command{Args: []string{"/bin/sh", script}}, []byte(`{"mine": 1}`)
	out, err := retrain(ctx, p, report)
	if err != nil {
		t.Fatal(err)
	}
	if out.Accuracy <= out.Running || !out.Weak || out.Release.Version != 3 || !bytes.Equal(out.Release.Weights, better.Release.Weights) {
		t.Errorf("got %s, want the program's model", brief(out))
	}
	p.Command.Args = []string{"/bin/sh", "-c", "echo no graphics card >&2; exit 3"}
	if _, err := retrain(ctx, p, report); !errors.Is(err, train.ErrCommand) || !strings.Contains(err.Error(), "no graphics card") {
		t.Errorf("got %v, want what the program said", err)
	}
}
