package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"kedge/agent/drift/estimate"
	"kedge/telemetry/trust"
	"kedge/trainer/dataset"
	"kedge/trainer/release"
	"kedge/trainer/store"
	"kedge/trainer/train"
)

// Retrain goes on training the model that reported drift on the base set and on
// all labeled samples of its name, those around the alarms weighing most, and
// releases the result if it is better on these.
func (p *Pipeline) Retrain(ctx context.Context, m *Material) (Outcome, error) {
	out := Outcome{Labels: m.labeled}
	if m.newest.Len() < minReference {
		return out, fmt.Errorf("%d around the alarm that can be used, want at least %d: %w", m.newest.Len(), minReference, ErrFewLabels)
	}
	done, err := p.renew(ctx, m)
	if err != nil {
		return out, err
	}
	running, err := classify(m.running, done.judged)
	if err != nil {
		return out, fmt.Errorf("running model: %w", err)
	}
	out.Accuracy, out.Running = done.accuracy, accuracy(running)
	if out.Accuracy < out.Running {
		return out, fmt.Errorf("%.3f of the labeled samples right, the running one %.3f: %w", out.Accuracy, out.Running, ErrWorse)
	}
	inputs, err := inputsOf(m.latest, inOrder(m.latest.Len()))
	if err != nil {
		return out, err
	}
	released, err := p.release(ctx, done, release.Candidate{
		Name: m.name, Labels: m.labels, GoldenRows: golden(m.latest), Inputs: inputs,
	}, train.Join(m.always, m.newest), m.features)
	released.Labels, released.Running = m.labeled, out.Running
	return released, err
}

func (p *Pipeline) renew(ctx context.Context, m *Material) (made, error) {
	if len(p.Command.Args) > 0 {
		return p.command(ctx, m.running, m.always, m.newest, params(m.latest))
	}
	start, err := train.FromTFLite(m.start)
	if err != nil {
		return made{}, fmt.Errorf("running model: %w", err)
	}
	return p.fit(ctx, start, m.always, m.newest, p.warm())
}

// Material is what a retraining is made from. Gather makes one.
type Material struct {
	name     string           // of the model
	running  []byte           // int8 .tflite
	labels   []string         // of its classes
	features dataset.Features // that it was released with
	start    []byte           // .tflite to go on from
	latest   *dataset.Table   // labeled samples around the alarm
	always   train.Samples    // base set and earlier labeled samples, weighted
	newest   train.Samples    // the latest, weighted
	labeled  int              // samples in all
	right    int              // of the latest, answered by the device as they are labeled
	held     *trust.Accuracy  // of the running model before its release; nil if unknown
	unknown  map[string]int   // labels of these alarms by classes that the model does not have
}

// Labels is how many labeled samples of the alarms can be used.
func (m *Material) Labels() int { return m.newest.Len() }

// A Score is the drift score with labels: the accuracy of the running model on held-out
// samples, less that of its answers to the labeled samples around the alarms, with
// Newcombe's interval of 95 %.
type Score struct {
	Reference, Now float64 // accuracies
	Lost           float64
	Interval       estimate.Interval
	N              int // labeled samples
}

// Score is the drift score; ok is false where the model's accuracy is not known.
func (m *Material) Score() (s Score, ok bool) {
	n := m.latest.Len()
	if m.held == nil || n == 0 {
		return s, false
	}
	now := float64(m.right) / float64(n)
	return Score{
		Reference: m.held.Accuracy, Now: now, Lost: m.held.Accuracy - now, N: n,
		Interval: estimate.Newcombe(m.held.Accuracy, float64(m.held.N), now, float64(n)),
	}, true
}

// Unknown is how many labels of the alarms cannot be used because the model does
// not have their class, and names these classes in order.
func (m *Material) Unknown() (n int, classes []string) {
	for _, count := range m.unknown {
		n += count
	}
	return n, slices.Sorted(maps.Keys(m.unknown))
}

// Gather reads what the drift reports of one device under one model, at least
// one, are answered with.
func (p *Pipeline) Gather(ctx context.Context, reports ...store.DriftReport) (*Material, error) {
	var kept store.Release
	var samples []store.Sample
	err := p.Registry.Store.View(ctx, func(tx *store.Tx) (err error) {
		if kept, err = tx.ReleaseOfModel(reports[0].Model); err != nil {
			return err
		}
		samples, err = tx.LabeledSamples(kept.Name)
		return err
	})
	if err != nil {
		return nil, err
	}
	m := &Material{name: kept.Name, start: kept.Weights}
	bundle, err := p.Registry.Bundle(ctx, kept.Digest)
	if err != nil {
		return nil, err
	}
	m.running, m.labels, m.held = bundle.Model, bundle.Manifest.Labels, bundle.Manifest.Accuracy
	if m.start == nil {
		m.start = m.running // released by hand: its int8 weights have to do
	}
	if m.features, err = dataset.ParseFeatures(bundle.Features); err != nil {
		return nil, fmt.Errorf("release %s version %d: %w", kept.Name, kept.Version, err)
	}
	base, err := p.base(ctx, kept.Name)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(base.Classes, m.labels) {
		return nil, fmt.Errorf("base set %s: classes %q, the model has %q: %w", kept.Name, base.Classes, m.labels, dataset.ErrColumns)
	}
	field, err := p.field(ctx, base, samples)
	if err != nil {
		return nil, err
	}
	m.labeled = field.Len()
	alarms := make(map[string]bool)
	for _, one := range reports {
		alarms[one.Device+"/"+one.Evidence] = true
	}
	m.unknown = make(map[string]int)
	for _, s := range samples {
		if alarms[s.Device+"/"+s.Evidence] && field.Quarantine[s.ID] == dataset.ReasonClass {
			m.unknown[s.Label]++
		}
	}
	return m, m.weigh(base, field, alarms)
}

// field cleans the labeled samples and notes which of them are in quarantine.
func (p *Pipeline) field(ctx context.Context, base *dataset.Table, samples []store.Sample) (*dataset.FieldSet, error) {
	field, err := dataset.Field(base, samples)
	if err != nil {
		return nil, err
	}
	p.log().Info("labeled samples", slog.String("report", field.Report.String()))
	return field, p.Registry.Store.Update(ctx, func(tx *store.Tx) error {
		for _, s := range samples {
			reason := field.Quarantine[s.ID] // empty once a label was corrected
			if reason == s.Quarantine {
				continue
			}
			if err := tx.Quarantine(reason, s.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// weigh standardizes as the running model does and sorts the labeled samples by
// the alarm that they were captured for; those of the given alarms are the latest.
func (m *Material) weigh(base *dataset.Table, field *dataset.FieldSet, alarms map[string]bool) error {
	samples := func(t *dataset.Table) (train.Samples, error) {
		x, err := t.Apply(m.features)
		return train.Samples{X: x, Features: len(t.Columns), Y: t.Y}, err
	}
	original, err := samples(base)
	if err != nil {
		return err
	}
	var latest []int
	var order []string // of earlier alarms, by their first samples
	rows := make(map[string][]int)
	for i, e := range field.Evidence {
		if alarms[e] {
			latest = append(latest, i)
			continue
		}
		if rows[e] == nil {
			order = append(order, e)
		}
		rows[e] = append(rows[e], i)
	}
	var earlier []train.Samples
	for _, e := range order {
		one, err := samples(field.Select(rows[e]))
		if err != nil {
			return err
		}
		earlier = append(earlier, one)
	}
	m.latest = field.Select(latest)
	for _, i := range latest {
		if field.Answered[i] == field.Y[i] {
			m.right++
		}
	}
	newest, err := samples(m.latest)
	if err != nil {
		return err
	}
	m.always, m.newest, err = train.Combine(original, earlier, newest)
	return err
}
