package fleet

import (
	"context"
	"fmt"

	"kedge/telemetry/wire"
	"kedge/trainer/store"
)

func (f *Fleet) state(ctx context.Context, t wire.Topic, payload []byte) error {
	var s wire.State
	if err := wire.Decode(payload, &s); err != nil {
		return err
	}
	if s.Device != t.Device {
		return fmt.Errorf("state of %s on the topic of %s: %w", s.Device, t.Device, errIgnored)
	}
	news := false
	err := f.store.Update(ctx, func(tx *store.Tx) error {
		if err := tx.SeeDevice(t.Site, t.Device, f.o.Now()); err != nil {
			return err
		}
		before, err := tx.Device(t.Site, t.Device)
		if err != nil {
			return err
		}
		taken, err := tx.SetDeviceState(t.Site, t.Device, s.Boot, s.Session, s.Online)
		news = taken && before.Online != s.Online
		return err
	})
	if err != nil || !news {
		return err
	}
	if s.Online {
		f.notify(t, Notice{Kind: Online, Text: "device online"})
	} else {
		f.notify(t, Notice{Kind: Offline, Text: "device offline"})
	}
	return nil
}

func (f *Fleet) reported(ctx context.Context, t wire.Topic, payload []byte) error {
	var r wire.Reported
	if err := wire.Decode(payload, &r); err != nil {
		return err
	}
	if r.Device != t.Device {
		return fmt.Errorf("report of %s on the topic of %s: %w", r.Device, t.Device, errIgnored)
	}
	return f.store.Update(ctx, func(tx *store.Tx) error {
		if err := tx.SeeDevice(t.Site, t.Device, f.o.Now()); err != nil {
			return err
		}
		if err := tx.SetDeviceReport(t.Site, t.Device, payload); err != nil || r.Model == nil {
			return err
		}
		return tx.SetDeviceModel(t.Site, t.Device, r.Model.SHA256, r.Model.Release)
	})
}
