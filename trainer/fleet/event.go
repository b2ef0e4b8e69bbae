package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"

	"kedge/agent/drift"
	"kedge/telemetry/wire"
	"kedge/trainer/release"
	"kedge/trainer/store"
)

// An effect is what an event does within its transaction. What it returns is
// told once the transaction is done.
type effect func(f *Fleet, tx *store.Tx, t wire.Topic, e *wire.Event) (Notice, error)

var effects = map[string]effect{
	wire.KindDrift:     (*Fleet).drift,
	wire.KindUpdate:    (*Fleet).update,
	wire.KindReference: (*Fleet).reference,
	wire.KindHealth:    (*Fleet).health,
	wire.KindAudit:     (*Fleet).audit,
}

func (f *Fleet) event(ctx context.Context, t wire.Topic, payload []byte) error {
	var e wire.Event
	if err := wire.Decode(payload, &e); err != nil {
		return err
	}
	kind := t.Rest[0]
	effect, ok := effects[kind]
	if !ok || e.Type != wire.EventType(kind) || e.Source != "/kedge/"+t.Site+"/"+t.Device {
		return fmt.Errorf("event of type %.64q from %.160q: %w", e.Type, e.Source, errIgnored)
	}
	var n Notice
	err := f.store.Update(ctx, func(tx *store.Tx) error {
		if err := tx.SeeDevice(t.Site, t.Device, f.o.Now()); err != nil {
			return err
		}
		first, err := tx.FirstSight(t.Site, t.Device, e.ID, f.o.Now())
		if err != nil || !first {
			return err
		}
		n, err = effect(f, tx, t, &e)
		return err
	})
	if err != nil || n.Kind == "" {
		return err
	}
	f.notify(t, n)
	f.o.Changed()
	return nil
}

func (f *Fleet) drift(tx *store.Tx, t wire.Topic, e *wire.Event) (Notice, error) {
	var d wire.Drift
	if err := wire.Decode(e.Data, &d); err != nil {
		return Notice{}, err
	}
	if id, err := wire.ParseSampleID(d.Sample); err != nil || id.Device != t.Device {
		return Notice{}, fmt.Errorf("drift at sample %.160q of another device: %w", d.Sample, errIgnored)
	}
	// The device's name for its model may be anything; that of the release is ours.
	name := d.Model.Name
	if rel, err := tx.ReleaseOfModel(d.Model.SHA256); err == nil {
		name = rel.Name
	} else if !errors.Is(err, store.ErrNotFound) {
		return Notice{}, err
	}
	err := tx.AddDriftReport(store.DriftReport{
		Site: t.Site, Device: t.Device, Event: e.ID, Time: e.Time, Name: name, Model: d.Model.SHA256,
		Evidence: d.Evidence.ID, Before: d.Evidence.Before, After: d.Evidence.After, Report: e.Data,
		Received: f.o.Now(),
	})
	return Notice{
		Kind: Drift, Text: fmt.Sprintf("drift reported by %v after %d samples", d.Fired, d.N) + moved(d.Inputs),
		Name: name, Version: d.Model.Version, Release: d.Model.Release, Sample: d.Sample, Weak: d.Weak,
	}, err
}

// moved names the features that moved, the most important first.
func moved(in *wire.Inputs) string {
	if in == nil || len(in.Moved) == 0 {
		return ""
	}
	names := make([]string, len(in.Moved))
	for i, m := range in.Moved {
		names[i] = m.Name
	}
	return ", moved: " + strings.Join(names, ", ")
}

func (f *Fleet) update(tx *store.Tx, t wire.Topic, e *wire.Event) (Notice, error) {
	var u wire.Update
	if err := wire.Decode(e.Data, &u); err != nil {
		return Notice{}, err
	}
	err := tx.AddUpdate(store.Update{
		Site: t.Site, Device: t.Device, Event: e.ID, Time: e.Time, Release: u.Release,
		State: u.State, Code: u.Code, Reason: u.Reason, Bytes: u.Bytes,
	})
	if err != nil {
		return Notice{}, err
	}
	n := Notice{
		Kind: Progress, Text: "update " + u.State, Name: u.Name, Version: u.Version, Release: u.Release,
		Bytes: u.Bytes, Code: u.Code, State: u.State,
	}
	if u.Reason != "" {
		n.Text += ": " + u.Reason
	}
	switch u.State {
	case wire.UpdateRefused, wire.UpdateRolledBack:
		n.Kind = Refused
	case wire.UpdateCommitted:
		n.Kind = Committed
		rel, err := tx.Release(u.Release)
		if errors.Is(err, store.ErrNotFound) {
			return n, nil // installed from a file of another centre
		}
		if err != nil {
			return Notice{}, err
		}
		return n, tx.SetDeviceModel(t.Site, t.Device, rel.Model, rel.Digest)
	}
	return n, nil
}

// reference signs a device's first signals under a new model as its reference,
// if they may be. Deciding and noting the event are one transaction: the device
// sends them only once.
func (f *Fleet) reference(tx *store.Tx, t wire.Topic, e *wire.Event) (Notice, error) {
	var r wire.Reference
	if err := wire.Decode(e.Data, &r); err != nil {
		return Notice{}, err
	}
	n := Notice{Name: r.Model.Name, Version: r.Model.Version, Release: r.Model.Release, Samples: len(r.Signals)}
	ref, why, err := f.judge(tx, t, &r)
	if err != nil {
		return Notice{}, err
	}
	if why != nil {
		n.Kind, n.Text = ReferenceRefused, "reference refused: "+why.Error()
		return n, nil
	}
	if _, err := f.o.Registry.SignReference(tx, t.Site, t.Device, r.Model.SHA256, r.First, ref); err != nil {
		return Notice{}, err
	}
	n.Kind, n.Text = Referenced, fmt.Sprintf("new reference of %d samples signed, mean signal %.3f", ref.N, ref.Mean())
	return n, nil
}

// judge decides whether the signals may become the reference; why says why not.
func (f *Fleet) judge(tx *store.Tx, t wire.Topic, r *wire.Reference) (ref drift.Reference, why, err error) {
	device, err := tx.Device(t.Site, t.Device)
	if err != nil {
		return ref, nil, err
	}
	if device.Model != "" && device.Model != r.Model.SHA256 {
		return ref, fmt.Errorf("the device runs another model, %.8s, by now", device.Model), nil
	}
	// What a device saw before its alarm may be the drift's beginning, and a new
	// reference would make it forget the alarm.
	open, err := tx.OpenReports(t.Site, t.Device, r.Model.SHA256)
	if err != nil {
		return ref, nil, err
	}
	if open > 0 {
		return ref, errors.New("the device has reported drift"), nil
	}
	present, err := f.o.Registry.PresentReference(tx, t.Site, t.Device, r.Model.SHA256)
	if errors.Is(err, store.ErrNotFound) {
		return ref, fmt.Errorf("model %.8s is none of ours", r.Model.SHA256), nil
	}
	if err != nil {
		return ref, nil, err
	}
	ref, why = release.CheckReference(r.Signals, present)
	return ref, why, nil
}

func (f *Fleet) health(_ *store.Tx, t wire.Topic, e *wire.Event) (Notice, error) {
	var h wire.Health
	if err := wire.Decode(e.Data, &h); err != nil {
		return Notice{}, err
	}
	f.o.Log.Info("device health", slog.String("device", t.Device), slog.String("code", h.Code),
		slog.String("severity", h.Severity), slog.String("text", h.Text), slog.Uint64("count", h.Count))
	return Notice{Kind: Health, Text: h.Text, Code: h.Code}, nil
}

func (f *Fleet) audit(_ *store.Tx, t wire.Topic, e *wire.Event) (Notice, error) {
	var a wire.Audit
	if err := wire.Decode(e.Data, &a); err != nil {
		return Notice{}, err
	}
	f.o.Log.Info("device audit", slog.String("device", t.Device), slog.String("action", a.Action),
		slog.String("who", a.Who), slog.String("why", a.Why), slog.Uint64("samples", a.Samples))
	text := fmt.Sprintf("%s by %s", strings.ReplaceAll(a.Action, "_", " "), a.Who)
	if a.Why != "" {
		text += ": " + a.Why
	}
	return Notice{Kind: Audit, Text: text, Samples: int(min(a.Samples, math.MaxInt32))}, nil
}
