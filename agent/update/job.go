package update

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/bits"
	"time"

	"kedge/telemetry/event"
	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
)

const (
	// A failed disk is tried again after storageWait, then twice that, up to maxStorageWait.
	storageWait    = time.Minute
	maxStorageWait = time.Hour
	// maxSilent requests in a row without an answer are told, once.
	maxSilent = 5
)

// A phase is what a job waits for.
type phase int

const (
	wantRelease phase = iota // the release document
	spreading                // its turn among many devices
	wantIndex                // the digests of the chunks
	wantChunks
	blocked // the disk
)

// A job is an assignment being carried out. It is dropped when it has ended one
// way or the other, or another assignment takes its place.
type job struct {
	target   string // key of the assignment
	release  string // digest of the document
	sequence uint64
	phase    phase
	wake     time.Time // when to act if nothing arrives

	begun    bool           // a restart interrupted the download
	rel      *trust.Release // from phase spreading on
	envelope []byte
	staging  *staging // in wantChunks

	pace        pace
	bad         int
	rescanned   bool // the disk has lost chunks before
	storageWait time.Duration
	told        string // the reason told last for not getting on
}

// turn handles what has arrived and what is due, and returns when to come back
// even if nothing arrives; zero for never.
func (u *Updater) turn(ctx context.Context) time.Time {
	u.work.Lock()
	defer u.work.Unlock()
	in := u.inbox.take()
	// Keys before what they sign, and documents before the data they promise.
	for _, envelope := range in.roots {
		u.gotRoot(envelope)
	}
	for _, envelope := range in.assigns {
		u.gotAssign(envelope)
	}
	for _, envelope := range in.releases {
		u.gotRelease(envelope)
	}
	for _, c := range in.chunks {
		u.gotChunk(ctx, c)
	}
	if u.job != nil && !time.Now().Before(u.job.wake) {
		u.act(ctx)
	}
	if u.job == nil {
		return time.Time{}
	}
	return u.job.wake
}

// act does what a job's phase asks for when its time has come.
func (u *Updater) act(ctx context.Context) {
	switch j := u.job; j.phase {
	case wantRelease:
		u.request(ctx, func(ctx context.Context) error { return u.o.Transport.WantRelease(ctx, j.release) })
	case spreading:
		if t := u.state.Targets[j.target]; !j.begun && u.state.expired(t.NotAfter, u.o.Now()) {
			u.refuse(expiredError(t.NotAfter, u.o.Now()))
			return
		}
		u.begin(ctx)
	case blocked:
		u.begin(ctx)
	case wantIndex:
		get := wire.Get{V: wire.Version, Blob: j.rel.Bundle.Index, Want: 1}
		u.request(ctx, func(ctx context.Context) error { return u.o.Transport.Request(ctx, get) })
	case wantChunks:
		get := j.staging.want()
		j.pace.open = bits.OnesCount16(get.Want)
		u.request(ctx, func(ctx context.Context) error { return u.o.Transport.Request(ctx, get) })
	}
}

// request sends one request and sets the time of the next.
func (u *Updater) request(ctx context.Context, send func(context.Context) error) {
	j := u.job
	bounded, cancel := context.WithTimeout(ctx, u.o.RequestTimeout)
	defer cancel()
	err := send(bounded)
	if ctx.Err() != nil {
		return
	}
	j.wake = time.Now().Add(j.pace.asked(time.Now(), u.o.Rand()))
	j.pace.failed = err != nil
	if j.pace.silent == maxSilent {
		reason := "no answer from the centre"
		if err != nil {
			reason = fmt.Sprintf("cannot ask the centre: %v", err)
		}
		u.unfinished(reason)
	}
}

// nudge asks again at once if the waits have grown long: the connection was away.
func (u *Updater) nudge() {
	if j := u.job; j != nil && j.phase != spreading && j.phase != blocked && j.pace.reset() {
		j.wake = time.Now()
	}
}

// startJob begins an assignment, or goes on with it after a restart.
func (u *Updater) startJob(key string, t target) {
	j := &job{
		target: key, release: t.Release, sequence: t.Sequence, wake: time.Now(),
		pace: newPace(u.o.RequestTimeout), storageWait: storageWait,
	}
	u.job = j
	u.report(u.jobUpdate(wire.UpdateOffered, event.UpdateOffered, ""))
	rel, envelope := u.disk.readStaged(u.idleSlot(), u.root, t.Release)
	if j.begun = rel != nil; rel == nil {
		rel, envelope = u.disk.readWhole(u.idleSlot(), u.root, t.Release)
	}
	if rel != nil {
		u.haveRelease(rel, envelope, 0)
	}
}

// gotRelease takes the release document that the job waits for. Others that
// were asked for earlier may still arrive; one that no trusted key signed is
// what somebody made of the wanted one.
func (u *Updater) gotRelease(envelope []byte) {
	j := u.job
	if j == nil || j.phase != wantRelease || len(envelope) == 0 {
		return
	}
	rel, digest, err := u.root.VerifyRelease(envelope)
	if err != nil {
		u.refuse(err)
		return
	}
	if digest != j.release {
		return
	}
	spread := spreadDelay(u.o.Device, j.release, u.state.Targets[j.target].Spread)
	u.haveRelease(rel, envelope, spread)
}

func (u *Updater) haveRelease(rel *trust.Release, envelope []byte, delay time.Duration) {
	j := u.job
	j.rel, j.envelope = rel, envelope
	u.change(func(s *state) { s.learn(rel) })
	if err := admit(rel, u.o, u.state.Floors); err != nil {
		u.refuse(err)
		return
	}
	j.phase, j.wake = spreading, time.Now().Add(delay)
}

// verified proves a candidate and puts it into service. seal is the release
// envelope if the slot still has to be sealed, nil if the slot is whole.
func (u *Updater) verified(ctx context.Context, c *candidate, seal []byte) {
	i, err := c.prove(ctx, u.o, u.idleSlot())
	if ctx.Err() != nil {
		return // it goes on from the staged bundle after the restart
	}
	if err != nil {
		u.refuse(err)
		return
	}
	u.report(u.jobUpdate(wire.UpdateVerified, event.UpdateVerified, ""))
	err = u.takeOver(ctx, i, seal)
	switch {
	case err == nil:
		u.dropJob()
		u.commit(i)
	case ctx.Err() != nil:
	case errors.Is(err, ErrActivate):
		u.end(wire.UpdateRolledBack, event.UpdateRolledBack, err)
	default:
		u.block(err)
	}
}

// block waits for the disk.
func (u *Updater) block(err error) {
	j := u.job
	u.closeStaging()
	j.phase, j.wake = blocked, time.Now().Add(j.storageWait)
	u.unfinished(storageError(u.o.Dir, err).Error())
	j.storageWait = min(2*j.storageWait, maxStorageWait)
}

// unfinished tells once why a job does not get on.
func (u *Updater) unfinished(reason string) {
	if u.job.told != reason {
		u.job.told = reason
		u.report(u.jobUpdate(wire.UpdateDownloading, event.UpdateFailed, reason))
	}
}

// refuse ends a job with the old model in service, for good.
func (u *Updater) refuse(err error) { u.end(wire.UpdateRefused, event.UpdateRefused, err) }

func (u *Updater) end(how string, code event.Code, err error) {
	update := u.jobUpdate(how, code, err.Error())
	if j := u.job; j.staging != nil {
		u.closeStaging()
		u.discard(j.staging.slot)
	}
	u.dropJob()
	// Told before it is settled: a power cut between brings it twice rather than never.
	u.report(update)
	u.change(func(s *state) { s.settle(update.Release, refused, errors.Is(err, trust.ErrSignature)) })
}

func (u *Updater) dropJob() {
	if u.job == nil {
		return
	}
	u.closeStaging()
	u.inbox.want("")
	u.job = nil
}

// discard empties a slot that holds nothing of use.
func (u *Updater) discard(slot string) {
	if err := u.disk.empty(slot); err != nil {
		u.o.Log.Warn("useless update not removed", slog.String("slot", slot), slog.Any("error", err))
	}
}

func (u *Updater) closeStaging() {
	if j := u.job; j.staging != nil {
		if err := j.staging.close(); err != nil {
			u.o.Log.Warn("staging file not closed", slog.Any("error", err))
		}
	}
}
