package update

import (
	"context"
	"errors"
	"fmt"

	"kedge/telemetry/event"
	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
)

// Install takes an update from a .kedge file. It passes the same checks as one
// from the air; only the assignment is that of whoever holds the file. If its
// release is in service already, nothing changes.
//
// The model in service stays if it fails. Errors: those of Verify, ErrFloor,
// ErrStorage, ErrActivate.
func (u *Updater) Install(ctx context.Context, kedgeFile []byte) (*Installed, error) {
	u.work.Lock()
	defer u.work.Unlock()
	u.tellQueued()
	p, c, err := openFile(u.root, kedgeFile)
	if err != nil {
		u.report(wire.Update{State: wire.UpdateRefused, Code: string(event.UpdateRefused), Reason: err.Error()})
		return nil, err
	}
	i, err := u.install(ctx, p, c)
	if err == nil {
		u.commit(i)
	} else if ctx.Err() == nil {
		u.report(fileUpdate(c, err))
	}
	// The slot is free again for what was assigned meanwhile.
	u.follow()
	return i, err
}

func (u *Updater) install(ctx context.Context, p *trust.Package, c *candidate) (*Installed, error) {
	u.change(func(s *state) { s.learn(c.release) })
	if err := admit(c.release, u.o, u.state.Floors); err != nil {
		return nil, err
	}
	if u.active != nil && u.active.Digest == c.digest {
		return u.active, nil
	}
	slot := u.idleSlot()
	i, err := c.prove(ctx, u.o, slot)
	if err != nil {
		return nil, err
	}
	u.dropJob()
	if err := u.disk.stage(slot, p.Bundle); err != nil {
		return nil, storageError(u.o.Dir, err)
	}
	data, err := u.o.Files.ReadFile(u.disk.slot(slot, fileBundle))
	if err != nil {
		return nil, storageError(u.o.Dir, err)
	}
	if _, err := c.release.Open(data); err != nil {
		u.discard(slot)
		return nil, fmt.Errorf("%s does not keep what is written: %w: %w", u.o.Dir, ErrStorage, err)
	}
	err = u.takeOver(ctx, i, p.Release)
	if err != nil && !errors.Is(err, ErrActivate) {
		err = storageError(u.o.Dir, err)
	}
	if err != nil {
		return nil, err
	}
	return i, nil
}

// stage empties a slot and writes a whole bundle into it.
func (d disk) stage(slot string, bundle []byte) error {
	if err := d.empty(slot); err != nil {
		return err
	}
	return writeSynced(d.files, d.slot(slot, fileBundle), bundle)
}

func fileUpdate(c *candidate, err error) wire.Update {
	w := wire.Update{
		Release: c.digest, Name: c.release.Name, Version: c.release.Version,
		State: wire.UpdateRefused, Code: string(event.UpdateRefused), Reason: err.Error(),
	}
	switch {
	case errors.Is(err, ErrActivate):
		w.State, w.Code = wire.UpdateRolledBack, string(event.UpdateRolledBack)
	case errors.Is(err, ErrStorage):
		w.State, w.Code = wire.UpdateDownloading, string(event.UpdateFailed)
	}
	return w
}
