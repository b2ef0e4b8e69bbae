package update

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kedge/telemetry/event"
	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
)

// maxBad chunks beyond one for every real one end a download: whoever sends
// them will not stop by being asked again.
const maxBad = 64

// begin goes on from whatever the idle slot holds.
func (u *Updater) begin(ctx context.Context) {
	j, slot := u.job, u.idleSlot()
	if c, err := u.disk.readSlot(slot, u.root); err == nil && c.digest == j.release {
		u.verified(ctx, c, nil)
		return
	}
	s, err := u.disk.resumeStaging(slot, u.root, j.release)
	if err != nil {
		u.block(err)
		return
	}
	j.pace = newPace(u.o.RequestTimeout)
	if s == nil {
		j.phase, j.wake = wantIndex, time.Now()
		u.inbox.want(j.rel.Bundle.Index)
		u.report(u.jobUpdate(wire.UpdateDownloading, event.UpdateDownloading, ""))
		u.act(ctx)
		return
	}
	u.download(ctx, s)
}

// download asks for the chunks that staging lacks.
func (u *Updater) download(ctx context.Context, s *staging) {
	j := u.job
	fresh := j.phase == wantIndex // then it has been told already
	j.phase, j.staging = wantChunks, s
	u.inbox.want(j.rel.Bundle.SHA256)
	if !fresh {
		u.report(u.jobUpdate(wire.UpdateDownloading, event.UpdateDownloading, ""))
	}
	if s.missing == 0 {
		u.downloaded(ctx)
		return
	}
	u.act(ctx)
}

func (u *Updater) gotChunk(ctx context.Context, c chunk) {
	j := u.job
	switch {
	case j == nil:
	case j.phase == wantIndex && c.blob == j.rel.Bundle.Index:
		u.gotIndex(ctx, c.data)
	case j.phase == wantChunks && c.blob == j.rel.Bundle.SHA256:
		u.gotPart(ctx, c)
	}
}

func (u *Updater) gotIndex(ctx context.Context, data []byte) {
	j := u.job
	index, err := trust.OpenChunkIndex(data, j.rel.Bundle)
	if err != nil {
		u.badChunk(err)
		return
	}
	s, err := u.disk.createStaging(u.idleSlot(), j.rel, j.envelope, index)
	if err != nil {
		u.block(err)
		return
	}
	j.pace.arrived(time.Now())
	u.download(ctx, s)
}

func (u *Updater) gotPart(ctx context.Context, c chunk) {
	j := u.job
	err := j.staging.put(c.n, c.data)
	switch {
	case errors.Is(err, errDuplicate):
		// Asked for twice because the first answer took longer than the wait.
		j.pace.tooShort()
		return
	case errors.Is(err, trust.ErrDigest) || errors.Is(err, trust.ErrMalformed):
		u.badChunk(err)
		return
	case err != nil:
		u.block(err)
		return
	}
	j.wake = time.Now().Add(j.pace.arrived(time.Now()))
	j.told = ""
	if j.pace.open--; j.pace.open > 0 && j.staging.missing > 0 {
		return
	}
	if j.staging.missing == 0 {
		u.downloaded(ctx)
		return
	}
	if err := j.staging.save(); err != nil {
		u.block(err)
		return
	}
	u.act(ctx)
}

// badChunk counts chunks that are not the signed ones. They are asked for again
// when the wait is over, not at once: whoever sends garbage shall not set the pace.
func (u *Updater) badChunk(err error) {
	j := u.job
	if j.bad++; j.bad > maxBad+trust.Chunks(j.rel.Bundle.Size) {
		u.refuse(fmt.Errorf("%d bad chunks: %w: %w", j.bad, ErrChunks, err))
	}
}

// downloaded verifies the whole from disk. If the disk did not keep what it was
// given, the damaged chunks are fetched again, once.
func (u *Updater) downloaded(ctx context.Context) {
	j := u.job
	u.inbox.want("")
	if err := j.staging.save(); err != nil {
		u.block(err)
		return
	}
	u.report(u.jobUpdate(wire.UpdateStaged, event.UpdateDownloading, ""))
	data, err := u.o.Files.ReadFile(u.disk.slot(j.staging.slot, fileBundle))
	if err != nil {
		u.block(err)
		return
	}
	bundle, err := j.rel.Open(data)
	if errors.Is(err, trust.ErrDigest) && !j.rescanned {
		j.rescanned = true
		if j.staging.believe(j.staging.have); j.staging.missing > 0 {
			u.download(ctx, j.staging)
			return
		}
	}
	if err != nil {
		u.refuse(err)
		return
	}
	u.verified(ctx, &candidate{release: j.rel, digest: j.release, bundle: bundle}, j.envelope)
}
