package trainer

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"kedge/agent/drift"
	"kedge/quant/eval"
	"kedge/runtime/feature"
	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
	"kedge/trainer/fleet"
	"kedge/trainer/store"
	"kedge/trainer/train"
)

// device is a peer that checks documents and answers samples as a real one does.
type device struct {
	*peer
	root   *trust.Root
	rel    *trust.Release
	digest string
	bundle *trust.Bundle
	boot   string
	n      uint64
}

// enroll connects a device that was given the root document.
func enroll(t *testing.T, c *center, boot string) *device {
	t.Helper()
	root, err := trust.OpenRoot(c.RootEnvelope())
	if err != nil {
		t.Fatal(err)
	}
	d := &device{peer: connect(t, c.BrokerURL(), "press-7", nil), root: root, boot: boot}
	for _, filter := range []string{d.topics.Assign(), d.topics.Reference(), d.topics.Chunks(), wire.Roots()} {
		if !d.subscribe(filter) {
			t.Fatalf("subscription to %s refused", filter)
		}
	}
	return d
}

// install waits for the assignment with the sequence and fetches its release.
func (d *device) install(sequence uint64) {
	d.t.Helper()
	var a *trust.Assign
	d.await(d.topics.Assign(), func(envelope []byte) bool {
		var err error
		if a, err = d.root.VerifyAssign(envelope); err != nil {
			d.t.Fatal(err)
		}
		return a.Sequence == sequence
	})
	if a.Site != "hall" || a.Device != "press-7" || a.NotAfter.Before(time.Now()) {
		d.t.Errorf("got assignment %+v", a)
	}
	if !d.subscribe(wire.Release(a.Release)) {
		d.t.Fatal("subscription to the release refused")
	}
	rel, digest, err := d.root.VerifyRelease(d.await(wire.Release(a.Release), nil))
	if err != nil || digest != a.Release {
		d.t.Fatalf("got release %s, %v, want %s", digest, err, a.Release)
	}
	index, err := trust.OpenChunkIndex(d.fetch(rel.Bundle.Index, 1), rel.Bundle)
	if err != nil {
		d.t.Fatal(err)
	}
	data := d.fetch(rel.Bundle.SHA256, trust.Chunks(rel.Bundle.Size))
	for n := range trust.Chunks(rel.Bundle.Size) {
		if err := index.Check(n, trust.Chunk(data, n)); err != nil {
			d.t.Fatal(err)
		}
	}
	if d.bundle, err = rel.Open(data); err != nil {
		d.t.Fatal(err)
	}
	d.rel, d.digest = rel, digest
	d.event(wire.KindUpdate, fmt.Sprint("committed-", sequence), &wire.Update{
		Release: digest, Name: rel.Name, Version: rel.Version, State: wire.UpdateCommitted, Code: "K0404", Bytes: int64(len(data)),
	})
}

// fetch asks for chunks a window at a time.
func (d *device) fetch(blob string, chunks int) []byte {
	d.t.Helper()
	var data []byte
	for first := 0; first < chunks; first += wire.GetWindow {
		n := min(chunks-first, wire.GetWindow)
		d.publish(d.topics.Get(), wire.Get{V: wire.Version, Blob: blob, First: first, Want: uint16(1<<n - 1)})
		for i := range n {
			data = append(data, d.await(d.topics.Chunk(blob, first+i), nil)...)
		}
	}
	return data
}

// classifier answers with the installed model.
func (d *device) classifier() func(x []float32) eval.Answer {
	d.t.Helper()
	model, err := eval.OpenClassifier(d.bundle.Model)
	if err != nil {
		d.t.Fatal(err)
	}
	var set feature.Set
	if err := json.Unmarshal(d.bundle.Features, &set); err != nil {
		d.t.Fatal(err)
	}
	features, err := feature.Compile(set)
	if err != nil {
		d.t.Fatal(err)
	}
	return func(x []float32) eval.Answer {
		row, wide := make([]float32, len(x)), make([]float64, len(x))
		for i, v := range x {
			wide[i] = float64(v)
		}
		if err := features.Apply(row, wide); err != nil {
			d.t.Fatal(err)
		}
		a, err := model.Classify(row)
		if err != nil {
			d.t.Fatal(err)
		}
		return a
	}
}

func (d *device) accuracy(w *world) float64 {
	answer, right := d.classifier(), 0
	const n = 500
	for range n {
		x, y := w.sample()
		if answer(x).Class == y {
			right++
		}
	}
	return float64(right) / n
}

// capture takes n samples as evidence and returns them with their labels.
func (d *device) capture(w *world, n int) ([]wire.Sample, []wire.Label) {
	answer := d.classifier()
	var samples []wire.Sample
	var labels []wire.Label
	for range n {
		x, y := w.sample()
		a := answer(x)
		d.n++
		id := wire.SampleID{Device: "press-7", Boot: d.boot, Sequence: d.n}.String()
		samples = append(samples, wire.Sample{
			ID: id, Time: time.Unix(int64(d.n), 0), X: wire.PackFloat32s(x), Label: kinds[a.Class], Confidence: a.Confidence,
		})
		labels = append(labels, wire.Label{Sample: id, Label: kinds[y]})
	}
	return samples, labels
}

func (d *device) report(id, evidence string, after int) {
	d.event(wire.KindDrift, id, &wire.Drift{
		Model:  wire.ModelRef{Name: d.rel.Name, Version: d.rel.Version, SHA256: d.rel.Model, Release: d.digest},
		Sample: wire.SampleID{Device: "press-7", Boot: d.boot, Sequence: d.n}.String(), N: d.n, Alarm: 1,
		Fired: []string{drift.EDetector}, Evidence: wire.EvidenceRef{ID: evidence, After: after},
	})
}

func (d *device) upload(evidence string, part int, last bool, samples []wire.Sample) {
	d.publish(d.topics.Upload(evidence, part), wire.Evidence{
		V: wire.Version, ID: evidence, Part: part, Last: last, Model: d.rel.Model, Samples: samples,
	})
}

func (d *device) truth(labels []wire.Label) {
	d.publish(wire.Truth("hall", "lab"), wire.Labels{V: wire.Version, Labels: labels})
}

// prepare makes a first release and assigns it to the device.
func prepare(t *testing.T, c *center) {
	t.Helper()
	ctx := context.Background()
	report, err := c.ImportBase(ctx, "hum", newWorld(1).table(600))
	if err != nil || report.Rows != 600 {
		t.Fatalf("got %v, %v, want 600 rows", report, err)
	}
	out, err := c.TrainFirst(ctx, "hum")
	if err != nil {
		t.Fatal(err)
	}
	if out.Release.Version != 1 || out.Accuracy < 0.95 || out.Weak {
		t.Errorf("got %+v, want version 1 with a full reference", out)
	}
	target := store.Target{Site: "hall", Kind: store.TargetDevice, Name: "press-7"}
	if _, err := c.Assign(ctx, target, out.Release.Digest); err != nil {
		t.Fatal(err)
	}
}

// The whole way: a release goes out, drift comes in, labels come late, some
// before their samples, the trainer is restarted in between, everything comes
// twice, and one better release goes out.
func TestLoop(t *testing.T) {
	dir := newDir(t)
	c := start(t, Options{Dir: dir})
	prepare(t, c)
	c.run()
	d := enroll(t, c, "b1")
	d.install(1)
	c.await(fleet.Committed, 1)
	drifted := newWorld(2)
	drifted.drift = 1
	before := d.accuracy(drifted)

	d.report("alarm-1", "e1", 100)
	d.report("alarm-1", "e1", 100)
	c.await(fleet.Drift, 1)
	samples, labels := d.capture(drifted, 100)
	d.truth(labels[:60])
	d.upload("e1", 0, false, samples[:50])
	c.await(fleet.Labeled, 1)
	c.never(fleet.Training)
	c.stop()

	again := start(t, Options{Dir: dir})
	again.run()
	restarted := enroll(t, again, "b1")
	d.peer = restarted.peer
	d.upload("e1", 0, false, samples[:50]) // it does not know that this had arrived
	d.report("alarm-1", "e1", 100)
	d.upload("e1", 1, true, samples[50:])
	d.truth(labels[60:])
	d.truth(labels[60:])
	trained := again.await(fleet.Trained, 1)
	if trained.Accuracy < trained.Running || trained.Labels != 100 {
		t.Errorf("got %+v, want 100 labels and a better model", trained)
	}
	d.install(2)
	after := d.accuracy(drifted)
	t.Logf("accuracy under drift: %.3f before, %.3f after the update", before, after)
	if after < before+0.1 || after < 0.85 {
		t.Errorf("got accuracy %.3f after %.3f, want a clear gain", after, before)
	}
	again.await(fleet.Committed, 1)
	err := again.Store().View(context.Background(), func(tx *store.Tx) error {
		reports, err := tx.DriftReports("hall", "press-7")
		if err != nil {
			return err
		}
		if len(reports) != 1 || reports[0].Status != store.StatusReleased || reports[0].Release != d.digest {
			t.Errorf("got reports %+v, want one, answered", reports)
		}
		releases, err := tx.Releases("hum")
		if len(releases) != 2 {
			t.Errorf("got %d releases, want 2", len(releases))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	references(t, again, d, drifted)
}

// references sends the new model's first signals, and afterwards ones that no
// healthy device has.
func references(t *testing.T, c *center, d *device, w *world) {
	answer := d.classifier()
	var signals []byte
	for range 600 {
		x, _ := w.sample()
		signals = append(signals, drift.Quantize(answer(x).Confidence))
	}
	first := wire.SampleID{Device: "press-7", Boot: "b1", Sequence: 1000}.String()
	model := wire.ModelRef{Name: d.rel.Name, Version: d.rel.Version, SHA256: d.rel.Model, Release: d.digest}
	d.event(wire.KindReference, "ref-1", &wire.Reference{Model: model, First: first, Signals: signals})
	doc, err := d.root.VerifyReference(d.await(d.topics.Reference(), nil))
	if err != nil {
		t.Fatal(err)
	}
	var ref drift.Reference
	if err := json.Unmarshal(doc.Reference, &ref); err != nil || ref.Validate() != nil || ref.N != 600 || ref.Weak() {
		t.Errorf("got reference of %d, %v, %v, want 600 good ones", ref.N, err, ref.Validate())
	}
	want, err := drift.NewReference(slices.Collect(func(yield func(float64) bool) {
		for _, s := range signals {
			if !yield(float64(s) / drift.LatticeSize) {
				return
			}
		}
	}))
	if err != nil || !slices.Equal(ref.Counts, want.Counts) {
		t.Errorf("the signed histogram is not that of the signals, %v", err)
	}
	if doc.Site != "hall" || doc.Device != "press-7" || doc.Model != d.rel.Model || doc.Sequence != 1 {
		t.Errorf("got %+v", doc)
	}
	for i, bad := range []wire.Reference{
		{Model: model, First: first, Signals: make([]byte, 600)},
		{Model: model, First: first, Signals: signals[:499]},
		{Model: wire.ModelRef{SHA256: trust.Digest(nil)}, First: first, Signals: signals},
	} {
		d.event(wire.KindReference, fmt.Sprint("bad-", i), &bad)
		c.await(fleet.ReferenceRefused, i+1)
	}
}

// A model that answers the labeled samples worse than the running one is refused.
func TestWorseModelIsRefused(t *testing.T) {
	ruinous := train.WarmDefaults()
	ruinous.LearningRate, ruinous.Noise = 0.1, 1000
	c := start(t, Options{Dir: newDir(t), Warm: &ruinous})
	prepare(t, c)
	c.run()
	d := enroll(t, c, "b1")
	d.install(1)
	d.report("alarm-1", "e1", 60)
	samples, labels := d.capture(newWorld(3), 60)
	d.upload("e1", 0, true, samples)
	d.truth(labels)
	got := c.await(fleet.Rejected, 1)
	if got.Accuracy == 0 || got.Accuracy >= got.Running {
		t.Errorf("got %+v, want a worse model", got)
	}
	c.never(fleet.Released)
	// The device is told to watch on from where it stands.
	c.await(fleet.Referenced, 1)
	envelope := d.await(d.topics.Reference(), func([]byte) bool { return true })
	doc, err := c.Registry().Keys.Root().VerifyReference(envelope)
	if err != nil {
		t.Fatal(err)
	}
	var ref drift.Reference
	if err := json.Unmarshal(doc.Reference, &ref); err != nil {
		t.Fatal(err)
	}
	if doc.Model != d.rel.Model || doc.First != "" || ref.N != 60 || ref.Validate() != nil {
		t.Errorf("reference: got first %q, %d samples of %.8s, want 60 that answer the alarm", doc.First, ref.N, doc.Model)
	}
	err = c.Store().View(context.Background(), func(tx *store.Tx) error {
		reports, err := tx.DriftReports("hall", "press-7")
		if err == nil && (reports[0].Status != store.StatusRefused || reports[0].Tried != 60) {
			t.Errorf("got %+v, want it refused with 60 labels", reports[0])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEnough(t *testing.T) {
	now := time.Unix(1000, 0)
	refused := store.DriftReport{After: 100, Status: store.StatusRefused, Tried: 100}
	for _, c := range []struct {
		name   string
		report store.DriftReport
		count  counted
		min    int
		want   bool
	}{
		{"none", store.DriftReport{After: 100}, counted{complete: true}, 0, false},
		{"some", store.DriftReport{After: 100}, counted{samples: 100, labeled: 99, complete: true}, 0, false},
		{"as many as announced", store.DriftReport{After: 100}, counted{samples: 132, labeled: 100, complete: true}, 0, true},
		{"as many as wanted", store.DriftReport{After: 100}, counted{samples: 100, labeled: 40, complete: true}, 40, true},
		{"all of less", store.DriftReport{After: 100}, counted{samples: 50, labeled: 50, complete: true}, 0, true},
		{"all of what came so far", store.DriftReport{After: 100}, counted{samples: 50, labeled: 50}, 0, false},
		{"only before", store.DriftReport{Before: 32}, counted{samples: 40, labeled: 32}, 0, true},
		{"samples are late", store.DriftReport{After: 100}, counted{samples: 107, labeled: 90, waiting: 10, latest: now.Add(-settled / 2)}, 0, false},
		{"samples do not come", store.DriftReport{After: 100}, counted{samples: 107, labeled: 90, waiting: 10, latest: now.Add(-settled)}, 0, true},
		{"neither do labels", store.DriftReport{After: 100}, counted{samples: 107, labeled: 90, waiting: 9, latest: now.Add(-time.Hour)}, 0, false},
		{"hardly any came", store.DriftReport{After: 100}, counted{samples: 29, labeled: 29, waiting: 90, latest: now.Add(-time.Hour)}, 0, false},
		{"refused", refused, counted{samples: 400, labeled: 199, complete: true}, 0, false},
		{"refused, twice as many", refused, counted{samples: 400, labeled: 200, complete: true}, 0, true},
	} {
		if got := enough([]store.DriftReport{c.report}, c.count, c.min, now); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// A device that raises a second alarm while it captures for the first reports one
// drift twice; its samples and labels count together, and both reports get the
// same answer. Samples that never come do not hold it up.
func TestTwoAlarmsOneDrift(t *testing.T) {
	dir := newDir(t)
	c := start(t, Options{Dir: dir})
	prepare(t, c)
	c.run()
	d := enroll(t, c, "b1")
	d.install(1)
	w := newWorld(5)
	w.drift = 1
	samples, labels := d.capture(w, 100)
	d.report("alarm-1", "e1", 100)
	d.upload("e1", 0, false, samples[:30])
	d.report("alarm-2", "e2", 100)
	d.upload("e2", 0, false, samples[20:90]) // the last ten stay on the device
	d.truth(labels)
	c.await(fleet.Trained, 1)
	d.install(2)
	err := c.Store().View(context.Background(), func(tx *store.Tx) error {
		reports, err := tx.DriftReports("hall", "press-7")
		if err != nil {
			return err
		}
		for _, one := range reports {
			if one.Status != store.StatusReleased || one.Tried != 90 || one.Release != d.digest {
				t.Errorf("got %+v, want it answered with 90 labels", one)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
