package fleet

import (
	"context"
	"fmt"

	"kedge/telemetry/wire"
	"kedge/trainer/store"
)

// Publish publishes, retained, the root documents, the assignments and
// references in force, and the releases that are assigned, as far as it has not
// done so. It stops at the first that the broker does not take and goes on there
// next time.
func (f *Fleet) Publish(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for roots := f.o.Registry.Keys.RootEnvelopes(); f.roots < len(roots); f.roots++ {
		if err := f.o.Publish(ctx, wire.Root(uint64(f.roots)+1), roots[f.roots], true); err != nil {
			return fmt.Errorf("root %d: %w", f.roots+1, err)
		}
	}
	var assignments []store.Assignment
	var references []store.Reference
	err := f.store.View(ctx, func(tx *store.Tx) (err error) {
		if assignments, err = tx.AssignmentsAfter(f.assignments); err != nil {
			return err
		}
		references, err = tx.ReferencesAfter(f.references)
		return err
	})
	if err != nil {
		return err
	}
	for _, a := range assignments {
		if err := f.publishAssignment(ctx, a); err != nil {
			return fmt.Errorf("assignment to %s %s: %w", a.Target.Kind, a.Target.Name, err)
		}
		f.assignments = a.ID
	}
	for _, r := range references {
		topics := wire.DeviceTopics{Site: r.Site, Device: r.Device}
		if err := f.o.Publish(ctx, topics.Reference(), r.Envelope, true); err != nil {
			return fmt.Errorf("reference of %s: %w", r.Device, err)
		}
		f.references = r.ID
	}
	return nil
}

// publishAssignment publishes the release first, so that a device that gets the
// assignment finds it.
func (f *Fleet) publishAssignment(ctx context.Context, a store.Assignment) error {
	if !f.released[a.Release] {
		var rel store.Release
		err := f.store.View(ctx, func(tx *store.Tx) (err error) {
			rel, err = tx.Release(a.Release)
			return err
		})
		if err != nil {
			return err
		}
		if err := f.o.Publish(ctx, wire.Release(a.Release), rel.Envelope, true); err != nil {
			return err
		}
		f.released[a.Release] = true
	}
	topic := wire.GroupAssign(a.Target.Site, a.Target.Name)
	if a.Target.Kind == store.TargetDevice {
		topic = wire.DeviceTopics{Site: a.Target.Site, Device: a.Target.Name}.Assign()
	}
	return f.o.Publish(ctx, topic, a.Envelope, true)
}

// Forget makes Publish publish everything again: the broker may have lost its
// retained messages.
func (f *Fleet) Forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.roots, f.assignments, f.references = 0, 0, 0
	clear(f.released)
}
