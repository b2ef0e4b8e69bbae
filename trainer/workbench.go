package trainer

import (
	"context"
	"fmt"

	"kedge/telemetry/wire"
	"kedge/trainer/dataset"
	"kedge/trainer/jobs"
	"kedge/trainer/release"
	"kedge/trainer/store"
)

// A Workbench is the store and the keys, and what can be done with them by hand.
type Workbench struct {
	store    *store.Store
	keys     *release.Keys
	registry *release.Registry
	pipeline *jobs.Pipeline
}

// OpenWorkbench opens the store in o.Dir, which is made if it is absent, and
// loads the keys, which have to be there (release.Init).
func OpenWorkbench(ctx context.Context, o Options) (*Workbench, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	keys, err := release.LoadKeys(o.Keys)
	if err != nil {
		return nil, err
	}
	s, err := store.Open(ctx, o.Dir)
	if err != nil {
		return nil, err
	}
	registry := &release.Registry{Store: s, Keys: keys, Now: o.Now}
	return &Workbench{
		store: s, keys: keys, registry: registry,
		pipeline: &jobs.Pipeline{
			Registry: registry, Fresh: o.Fresh, Warm: o.Warm, Command: o.Command, Params: o.Params, Seed: o.Seed, Log: o.Log,
		},
	}, nil
}

// Close closes the store.
func (w *Workbench) Close() error { return w.store.Close() }

// Registry gives access to releases and assignments.
func (w *Workbench) Registry() *release.Registry { return w.registry }

// Store gives access to all that the centre keeps.
func (w *Workbench) Store() *store.Store { return w.store }

// RootEnvelope returns the newest root document, with which devices are enrolled.
func (w *Workbench) RootEnvelope() []byte { return w.keys.RootEnvelope() }

// quarantineSuffix follows the name of a base set in that of the rows that were
// set aside. No model has a slash in its name.
const quarantineSuffix = "/quarantine"

// ImportBase cleans a table and keeps it as the base set of the model's name, in
// place of an earlier one. What was set aside is kept under the name followed by
// "/quarantine".
func (w *Workbench) ImportBase(ctx context.Context, name string, t *dataset.Table) (dataset.Report, error) {
	if err := wire.CheckName(name); err != nil {
		return dataset.Report{}, fmt.Errorf("model %w", err)
	}
	if err := t.Validate(); err != nil {
		return dataset.Report{}, fmt.Errorf("base set %s: %w", name, err)
	}
	kept, aside, report := t.Clean()
	if err := kept.Validate(); err != nil {
		return report, fmt.Errorf("base set %s after cleaning (%v): %w", name, report, err)
	}
	return report, w.store.Update(ctx, func(tx *store.Tx) error {
		if err := tx.PutBaseSet(aside.BaseSet(name+quarantineSuffix, w.registry.Now())); err != nil {
			return err
		}
		return tx.PutBaseSet(kept.BaseSet(name, w.registry.Now()))
	})
}

// TrainFirst trains a model of the name from scratch on its base set and
// releases it. It is assigned to nobody.
func (w *Workbench) TrainFirst(ctx context.Context, name string) (jobs.Outcome, error) {
	return w.pipeline.First(ctx, name)
}

// Assign assigns a release to a device or a group of a site for
// release.DefaultValidity.
func (w *Workbench) Assign(ctx context.Context, target store.Target, digest string) (store.Assignment, error) {
	return w.registry.Assign(ctx, target, digest, 0)
}
