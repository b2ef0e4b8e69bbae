package update

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"kedge/telemetry/event"
	"kedge/telemetry/wire"
)

// findActive puts into service what the pointer names, or else the other slot.
func (u *Updater) findActive() {
	pointer := u.disk.readPointer()
	slot := pointer
	if slot == "" {
		slot = u.state.Slot // the pointer is lost or damaged; the store remembers
	}
	if slot == "" {
		u.noModel(nil)
		return
	}
	i, err := u.loadSlot(slot)
	if err == nil {
		u.inService(i, pointer)
		return
	}
	other, otherErr := u.loadSlot(otherSlot(slot))
	if otherErr == nil && other.Release.Version < u.state.Floors[other.Release.Name] {
		otherErr = fmt.Errorf("slot %s: %s version %d: %w", other.Slot, other.Release.Name, other.Release.Version, ErrFloor)
	}
	if otherErr != nil {
		u.noModel(errors.Join(err, otherErr))
		return
	}
	u.fallBack(slot, other, pointer, err)
}

// fallBack puts the other slot into service because of what is wrong with this one.
func (u *Updater) fallBack(slot string, other *Installed, pointer string, why error) {
	w := wire.Update{State: wire.UpdateRolledBack, Code: string(event.UpdateRolledBack), Reason: why.Error()}
	rel, digest, err := u.disk.readRelease(slot, u.root)
	if w.Release = digest; u.state.Slot == slot {
		w.Release = u.state.Release // which a damaged disk cannot have changed
	}
	if err == nil && digest == w.Release {
		w.Name, w.Version = rel.Name, rel.Version
	}
	u.queued = append(u.queued, w)
	u.inService(other, pointer)
	u.change(func(s *state) {
		s.reopen(func(t target) bool { return t.Release == w.Release && t.Status == done })
		s.settle(w.Release, refused, false)
	})
}

// noModel leaves the device without one. What was assigned is then wanted again
// even if it was once in service.
func (u *Updater) noModel(err error) {
	if err != nil {
		u.log(event.ModelAbsent, slog.Any("error", err))
	}
	u.change(func(s *state) {
		s.Slot, s.Release = "", ""
		s.reopen(func(t target) bool { return t.Status == done })
	})
}

// loadSlot verifies a slot and loads its model. It was proved when it was
// installed; here the question is whether the disk kept it.
func (u *Updater) loadSlot(slot string) (*Installed, error) {
	c, err := u.disk.readSlot(slot, u.root)
	if err != nil {
		return nil, err
	}
	i, err := c.load(u.o, slot)
	if err != nil {
		return nil, fmt.Errorf("slot %s: %w", slot, err)
	}
	return i, nil
}

// inService makes pointer and state say what is in service.
func (u *Updater) inService(i *Installed, pointer string) {
	if pointer != i.Slot {
		if err := u.disk.writePointer(i.Slot); err != nil {
			u.log(event.StoreFull, slog.Any("error", storageError(u.o.Dir, err)))
		}
	}
	u.setActive(i)
}

// setActive changes the model in service in memory, and its shadow in the store.
func (u *Updater) setActive(i *Installed) {
	u.mu.Lock()
	u.active = i
	u.mu.Unlock()
	slot, release := "", ""
	if i != nil {
		slot, release = i.Slot, i.Digest
	}
	if u.state.Slot != slot || u.state.Release != release {
		u.change(func(s *state) { s.Slot, s.Release = slot, release })
	}
}

// idleSlot is the one that is not in service.
func (u *Updater) idleSlot() string {
	if u.active == nil {
		return slotNames[0]
	}
	return otherSlot(u.active.Slot)
}

// takeOver switches to a proved model. seal is the release envelope if the slot
// has still to be sealed, nil if it is whole. An error wraps ErrActivate if the
// switch was undone, and is one of storage otherwise.
func (u *Updater) takeOver(ctx context.Context, i *Installed, seal []byte) error {
	if seal != nil {
		if err := u.disk.seal(i.Slot, seal); err != nil {
			return err
		}
	}
	if err := u.disk.writePointer(i.Slot); err != nil {
		return err
	}
	old := u.active
	u.setActive(i)
	err := u.o.Activate(ctx, i)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%w: %w", ErrActivate, err)
	back := ""
	if old != nil {
		back = old.Slot
	}
	if pointerErr := u.disk.writePointer(back); pointerErr != nil {
		err = errors.Join(err, storageError(u.o.Dir, pointerErr))
	}
	u.setActive(old)
	if ctx.Err() == nil {
		u.discard(i.Slot)
	}
	return err
}

// commit ends the assignments of the release in service.
func (u *Updater) commit(i *Installed) {
	u.report(wire.Update{
		Release: i.Digest, Name: i.Release.Name, Version: i.Release.Version, State: wire.UpdateCommitted,
		Code: string(event.UpdateCommitted), Slot: i.Slot, Bytes: i.Release.Bundle.Size,
	})
	u.change(func(s *state) { s.settle(i.Digest, done, false) })
}
