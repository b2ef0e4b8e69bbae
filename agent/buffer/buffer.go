package buffer

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
)

// The files of a Buffer's directory.
const (
	StateFile = "state.db"
	QueueFile = "queue.db"
)

// Buffer is a device's durable storage. Make one with Open.
type Buffer struct {
	State  *State
	Ring   *Ring
	Outbox *Outbox

	queue *queue
}

// Open opens or makes the two files in dir, which it creates with mode 0700. It
// returns ErrLocked if another process has them, ErrFull if the disk has no room
// to begin a file, and an error for a file that it may not read or for options
// that cannot work; a damaged file is no error, see Recovered.
func Open(dir string, o Options) (*Buffer, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fileError(dir, err)
	}
	state := &State{s: store{path: filepath.Join(dir, StateFile), maxSize: stateMaxSize, boot: o.Boot, log: o.Log, damage: o.OnDamage}}
	state.s.prepare = state.prepare
	if err := state.s.open(nil); err != nil {
		return nil, err
	}
	q, err := openQueue(filepath.Join(dir, QueueFile), o, state)
	if err != nil {
		return nil, errors.Join(err, state.s.close())
	}
	return &Buffer{
		State:  state,
		Ring:   &Ring{q},
		Outbox: &Outbox{q},
		queue:  q,
	}, nil
}

// Recovered lists what was found damaged since Open began: files set aside and
// records removed. It is empty in a normal life.
func (b *Buffer) Recovered() []Recovered {
	var all []Recovered
	for _, s := range []*store{&b.State.s, &b.queue.store} {
		s.recMu.Lock()
		all = append(all, slices.Clone(s.recovered)...)
		s.recMu.Unlock()
	}
	return all
}

// Counters returns the tallies of the queue, pending records included.
func (b *Buffer) Counters() Counters { return b.queue.counters() }

// Flush commits what is pending and waits for it, or for ctx. The commit goes on
// if ctx ends first.
func (b *Buffer) Flush(ctx context.Context) error { return b.queue.flush(ctx) }

// Close commits what is pending, joins the goroutine and closes both files. If
// the commit fails (a full disk) the files are closed all the same and what was
// pending is lost; the error says so.
func (b *Buffer) Close() error {
	return errors.Join(b.queue.close(), b.State.s.close())
}
