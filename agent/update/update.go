package update

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"kedge/runtime"
	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
)

// Installed is a model that has been verified on this board.
type Installed struct {
	Slot    string // "a" or "b"
	Release *trust.Release
	Digest  string // of the release document
	Bundle  *trust.Bundle
	Model   *runtime.Model
}

// Ref names the model in messages.
func (i *Installed) Ref() wire.ModelRef {
	return wire.ModelRef{Name: i.Release.Name, Version: i.Release.Version, SHA256: i.Release.Model, Release: i.Digest, Slot: i.Slot}
}

// An Updater owns the slots of one state directory.
type Updater struct {
	o     Options
	disk  disk
	inbox inbox

	// work is held by whoever changes slots or carries out a job: Run while it
	// handles what has arrived, and Install. It comes before mu.
	work    sync.Mutex
	job     *job
	held    [][]byte        // root envelopes that do not follow the present one yet
	unknown [][]byte        // assignments that no key of the present root signed
	told    map[string]bool // reports of refused assignments that need no repetition
	queued  []wire.Update   // reports from Open, which nobody could hear yet

	// mu guards what the getters return. Only a holder of work changes it.
	mu     sync.Mutex
	root   *trust.Root
	active *Installed
	state  state
}

// Open reads the state directory and verifies the model in service from disk:
// signature, digest, and that it loads. If that fails, the other slot takes its
// place, which Run or Install then reports; if neither verifies, Active returns ErrNoModel.
//
// Errors: ErrNotEnrolled, and those of trust.OpenRoot if the root document is damaged.
func Open(o Options) (*Updater, error) {
	o = o.withDefaults()
	u := &Updater{o: o, disk: disk{files: o.Files, dir: o.Dir}, inbox: newInbox(), told: make(map[string]bool)}
	root, envelope, err := u.disk.readRoot()
	if err != nil {
		return nil, err
	}
	doc, err := rootDocument(envelope)
	if err != nil {
		return nil, err
	}
	u.root = root
	if err := u.disk.prepare(); err != nil {
		return nil, storageError(o.Dir, err)
	}
	u.state = u.loadState(doc.Roles[trust.RoleAssign].KeyIDs)
	u.findActive()
	return u, nil
}

// Active returns the model in service, or ErrNoModel.
func (u *Updater) Active() (*Installed, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.active == nil {
		return nil, ErrNoModel
	}
	return u.active, nil
}

// Root returns the root document in force.
func (u *Updater) Root() *trust.Root {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.root
}

// AssignSequence returns the highest sequence number seen of the assignment
// that the device follows; 0 if it has none.
func (u *Updater) AssignSequence() uint64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	_, t := u.state.inEffect(u.o.Groups)
	return t.Sequence
}

// HandleAssign takes an assign envelope as it arrived. Retained ones may be
// handed over again after every connection; those that are not new change nothing.
func (u *Updater) HandleAssign(payload []byte) { u.inbox.document(&u.inbox.assigns, payload) }

// HandleRelease takes a release envelope as it arrived.
func (u *Updater) HandleRelease(payload []byte) { u.inbox.document(&u.inbox.releases, payload) }

// HandleRoot takes a root envelope as it arrived; versions may come in any order.
func (u *Updater) HandleRoot(payload []byte) { u.inbox.document(&u.inbox.roots, payload) }

// HandleChunk takes chunk n of a blob as it arrived. Chunks that were not asked
// for, and those for which there is no room, are dropped; the latter are asked for again.
func (u *Updater) HandleChunk(blob string, n int, data []byte) { u.inbox.chunk(blob, n, data) }

// Run carries out what the Handle methods bring until ctx ends, whose error it
// returns. It keeps trying as long as the centre or the disk may recover.
func (u *Updater) Run(ctx context.Context) error {
	u.begun()
	defer u.ended()
	for {
		wake := u.turn(ctx)
		var alarm <-chan time.Time
		if !wake.IsZero() {
			alarm = time.After(time.Until(wake))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-u.inbox.signal:
		case <-alarm:
		}
	}
}

// begun tells what Open found, and takes up what a restart interrupted without
// waiting for the assignment to come again.
func (u *Updater) begun() {
	u.work.Lock()
	defer u.work.Unlock()
	u.tellQueued()
	u.follow()
}

// ended leaves a download such that it can go on later.
func (u *Updater) ended() {
	u.work.Lock()
	defer u.work.Unlock()
	if j := u.job; j != nil && j.phase == wantChunks {
		if err := j.staging.save(); err != nil {
			u.o.Log.Warn("progress of download not saved", slog.Any("error", err))
		}
	}
	u.dropJob()
}
