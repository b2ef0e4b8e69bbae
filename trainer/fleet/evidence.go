package fleet

import (
	"context"
	"fmt"
	"strconv"

	"kedge/telemetry/wire"
	"kedge/trainer/store"
)

func (f *Fleet) evidence(ctx context.Context, t wire.Topic, payload []byte) error {
	var e wire.Evidence
	if err := wire.Decode(payload, &e); err != nil {
		return err
	}
	if e.ID != t.Rest[0] || strconv.Itoa(e.Part) != t.Rest[1] {
		return fmt.Errorf("part %d of evidence %s: %w", e.Part, e.ID, errIgnored)
	}
	for _, s := range e.Samples {
		if id, err := wire.ParseSampleID(s.ID); err != nil || id.Device != t.Device {
			return fmt.Errorf("sample %.160q of another device: %w", s.ID, errIgnored)
		}
	}
	var first bool
	var labeled int
	var count store.EvidenceCount
	err := f.store.Update(ctx, func(tx *store.Tx) (err error) {
		first, labeled, count, err = f.addEvidence(tx, t, &e)
		return err
	})
	if err != nil || !first {
		return err
	}
	if count.Complete {
		f.notify(t, Notice{Kind: Evidence, Text: fmt.Sprintf("evidence %s complete", e.ID), Samples: count.Samples})
	}
	if labeled > 0 {
		f.notify(t, Notice{Kind: Labeled, Text: "samples labeled: " + strconv.Itoa(labeled), Labels: labeled})
	}
	f.o.Changed()
	return nil
}

func (f *Fleet) addEvidence(tx *store.Tx, t wire.Topic, e *wire.Evidence) (first bool, labeled int, count store.EvidenceCount, err error) {
	if err := tx.SeeDevice(t.Site, t.Device, f.o.Now()); err != nil {
		return false, 0, count, err
	}
	if first, err = tx.AddPart(t.Site, t.Device, e.ID, e.Part, e.Last, f.o.Now()); err != nil || !first {
		return first, 0, count, err
	}
	for _, s := range e.Samples {
		got, err := tx.AddSample(store.Sample{
			ID: s.ID, Site: t.Site, Device: t.Device, Time: s.Time, Model: e.Model,
			X: s.X, Answered: s.Label, Confidence: s.Confidence, Evidence: e.ID,
		}, f.o.Tolerance)
		if err != nil {
			return first, 0, count, err
		}
		if got {
			labeled++
		}
	}
	count, err = tx.CountEvidence(t.Site, t.Device, e.ID)
	return first, labeled, count, err
}

func (f *Fleet) labels(ctx context.Context, t wire.Topic, payload []byte) error {
	var l wire.Labels
	if err := wire.Decode(payload, &l); err != nil {
		return err
	}
	joined, changed := 0, 0
	err := f.store.Update(ctx, func(tx *store.Tx) error {
		for _, one := range l.Labels {
			got, err := tx.AddLabel(store.Label{
				Site: t.Site, Source: t.Source, Sample: one.Sample, Device: one.Device, Time: one.Time,
				Label: one.Label, Received: f.o.Now(),
			}, f.o.Tolerance)
			if err != nil {
				return err
			}
			switch got {
			case store.JoinedNew:
				joined++
			case store.JoinedChanged:
				changed++
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if joined > 0 {
		f.notify(t, Notice{Kind: Labeled, Text: "samples labeled: " + strconv.Itoa(joined), Labels: joined})
	}
	if changed > 0 {
		f.notify(t, Notice{Kind: Corrected, Text: "labels corrected: " + strconv.Itoa(changed), Labels: changed})
	}
	f.o.Changed()
	return nil
}
