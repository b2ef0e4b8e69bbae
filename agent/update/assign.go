package update

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"kedge/telemetry/event"
	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
)

const (
	// maxUnknown assignments signed by unknown keys are kept for the next root.
	maxUnknown = 4
	// maxTold refusals are remembered, so that each is told once.
	maxTold = 256
)

// gotAssign judges an assignment and, if it is new, follows it.
func (u *Updater) gotAssign(envelope []byte) {
	if len(envelope) == 0 {
		return // that is how a retained message is deleted, and nobody signs it
	}
	key, a, err := u.judge(envelope)
	if err != nil {
		u.refuseAssign(envelope, err)
		return
	}
	if t, ok := u.state.Targets[key]; ok && t.Sequence == a.Sequence {
		u.nudge() // a retained one came again: there is a connection
		return
	}
	if u.o.Now().Before(u.state.Clock) {
		u.o.Log.Warn("clock not set, validity of assignment not checked",
			slog.Time("clock", u.o.Now()), slog.Time("signed", u.state.Clock), slog.Time("not_after", a.NotAfter))
	}
	u.change(func(s *state) {
		s.sawTime(a.Issued)
		s.Targets[key] = target{
			Sequence: a.Sequence, Release: a.Release, Issued: a.Issued, NotAfter: a.NotAfter,
			Spread: time.Duration(a.SpreadSeconds) * time.Second, Status: pending,
		}
	})
	u.follow()
}

// refuseAssign tells of an assignment that cannot be followed. One that no
// trusted key signed may be ahead of the root document that brings its key.
func (u *Updater) refuseAssign(envelope []byte, err error) {
	if !u.tellOnce(envelope, err) {
		return
	}
	if errors.Is(err, trust.ErrSignature) {
		if len(u.unknown) == maxUnknown {
			u.unknown = u.unknown[1:]
		}
		u.unknown = append(u.unknown, envelope)
	}
	u.report(wire.Update{State: wire.UpdateRefused, Code: string(event.UpdateRefused), Reason: err.Error()})
}

// judge decides whether an assignment may be followed, and whose it is.
func (u *Updater) judge(envelope []byte) (key string, a *trust.Assign, err error) {
	a, err = u.root.VerifyAssign(envelope)
	if err != nil {
		return "", nil, err
	}
	switch {
	case a.Site != u.o.Site:
		return "", nil, fmt.Errorf("assignment for site %.64q: %w", a.Site, ErrForeign)
	case a.Device == u.o.Device:
		key = keyDevice
	case a.Device != "":
		return "", nil, fmt.Errorf("assignment for device %.64q: %w", a.Device, ErrForeign)
	case slices.Contains(u.o.Groups, a.Group):
		key = prefixGroup + a.Group
	default:
		return "", nil, fmt.Errorf("assignment for group %.64q: %w", a.Group, ErrForeign)
	}
	t, seen := u.state.Targets[key]
	switch {
	case seen && a.Sequence < t.Sequence:
		return "", nil, fmt.Errorf("sequence %d after %d: %w", a.Sequence, t.Sequence, ErrReplayed)
	case seen && a.Sequence == t.Sequence && a.Release != t.Release:
		return "", nil, fmt.Errorf("sequence %d was release %.8s, now it is %.8s: %w", a.Sequence, t.Release, a.Release, ErrReplayed)
	case seen && a.Sequence == t.Sequence:
		return key, a, nil
	case u.state.expired(a.NotAfter, u.o.Now()):
		return "", nil, expiredError(a.NotAfter, u.o.Now())
	}
	return key, a, nil
}

func expiredError(notAfter, now time.Time) error {
	return fmt.Errorf("valid until %s, the clock says %s: %w",
		notAfter.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339), ErrExpired)
}

// tellOnce reports whether this refusal of these bytes is new: retained
// documents come again with every connection.
func (u *Updater) tellOnce(envelope []byte, err error) bool {
	key := trust.Digest(envelope) + err.Error()
	if u.told[key] {
		return false
	}
	if len(u.told) == maxTold {
		clear(u.told)
	}
	u.told[key] = true
	return true
}

// follow makes the job the one that the assignment in effect asks for.
func (u *Updater) follow() {
	key, t := u.state.inEffect(u.o.Groups)
	switch {
	case key == "" || t.Status != pending:
		u.dropJob()
	case u.active != nil && u.active.Digest == t.Release:
		// The power went after the switch, or a file brought it first.
		u.dropJob()
		u.commit(u.active)
	case u.job != nil && u.job.release == t.Release && u.job.sequence == t.Sequence:
		u.job.target = key
	default:
		u.dropJob()
		u.startJob(key, t)
	}
}
