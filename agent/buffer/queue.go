package buffer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"go.etcd.io/bbolt"
)

// queue is queue.db with what is pending for it.
//
// Invariant, checked by Buffer.Check: committed equals the ledger in the file, and
// each of its tallies equals the number of records in its bucket.
type queue struct {
	store
	o     Options
	state *State

	// wmu serializes commits. Order of locks: wmu, store.mu, mu.
	wmu sync.Mutex

	mu          sync.Mutex
	committed   ledger
	loaded      bool // committed was read from a file or begun
	nextSeq     uint64
	pending     []Record // not yet committed, ascending
	pendingSize int
	acks        map[uint64]struct{} // acknowledged, not yet deleted
	refused     refusals
	ended       bool

	dirty   chan struct{} // something became pending
	kick    chan struct{} // enough is pending for a commit
	flushes chan chan error
	stop    chan struct{}
	joined  chan struct{}

	wake chan struct{} // for Outbox.Wake
}

// refusals counts records that were offered and not taken, until a commit writes
// them down.
type refusals struct {
	ring   uint64
	outbox [Classes]uint64
}

// work is what one commit takes from the pending.
type work struct {
	records []Record
	acks    []uint64
	refused refusals
	ledger  ledger
}

func openQueue(path string, o Options, state *State) (*queue, error) {
	q := &queue{
		store:   store{path: path, maxSize: o.MaxSize, boot: o.Boot, log: o.Log, damage: o.OnDamage},
		o:       o,
		state:   state,
		acks:    map[uint64]struct{}{},
		dirty:   make(chan struct{}, 1),
		kick:    make(chan struct{}, 1),
		flushes: make(chan chan error),
		stop:    make(chan struct{}),
		joined:  make(chan struct{}),
		wake:    make(chan struct{}, 1),
	}
	q.store.prepare = q.prepare
	if err := q.store.open(nil); err != nil {
		return nil, err
	}
	q.writeFloor()
	go q.run()
	return q, nil
}

// signal wakes the receiver of a channel of capacity one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run commits what is pending when it is old or plenty enough.
func (q *queue) run() {
	defer close(q.joined)
	timer := time.NewTimer(q.o.BatchAge)
	defer timer.Stop()
	failing := false
	for {
		select {
		case <-q.stop:
			return
		case done := <-q.flushes:
			done <- q.commit(nil)
			continue
		case <-q.dirty:
		}
		timer.Reset(q.o.BatchAge)
		kick := q.kick
		if failing {
			// A commit that fails walks the whole file; more records pending are no
			// reason to try again sooner.
			kick = nil
		}
		select {
		case <-q.stop:
			return
		case done := <-q.flushes:
			done <- q.commit(nil)
			signal(q.dirty)
			continue
		case <-timer.C:
		case <-kick:
		}
		failing = q.commitAgain(failing)
	}
}

// commitAgain commits what is pending, tells the owner when failing begins and ends,
// and returns whether it failed.
func (q *queue) commitAgain(failing bool) bool {
	err := q.commit(nil)
	if failed := err != nil; failed != failing {
		q.o.OnFailing(err)
	}
	if err != nil {
		signal(q.dirty)
	}
	return err != nil
}

// commit writes what is pending and what fn adds in one transaction.
func (q *queue) commit(fn func(*txn) error) error {
	q.wmu.Lock()
	defer q.wmu.Unlock()
	db, err := q.tryCommit(fn)
	if unusable(err) {
		if again := q.replace(db, err); again != nil {
			return errors.Join(err, again)
		}
		_, err = q.tryCommit(fn)
	}
	return asFull(err)
}

// tryCommit is one attempt. It returns the handle that it used, so that the
// caller can replace it.
func (q *queue) tryCommit(fn func(*txn) error) (*bbolt.DB, error) {
	q.store.mu.RLock()
	defer q.store.mu.RUnlock()
	db := q.db
	if db == nil {
		return nil, ErrClosed
	}
	w := q.takeWork()
	t := &txn{o: &q.o, ledger: w.ledger}
	err := update(db, func(tx *bbolt.Tx) error {
		t.tx = tx
		return t.run(w, fn)
	})
	if err != nil {
		if unusable(err) || t.err != nil || !q.landed(db, t.ledger.serial) {
			return db, err
		}
		err = fmt.Errorf("%w: %w", ErrUncertain, err)
	}
	q.adopt(t.ledger, w)
	return db, err
}

// landed reports whether the transaction with this serial is what the file shows,
// although its commit failed.
func (q *queue) landed(db *bbolt.DB, serial uint64) bool {
	var l ledger
	err := guard(func() error {
		return db.View(func(tx *bbolt.Tx) error {
			var err error
			l, err = decodeLedger(tx.Bucket(metaBucket).Get(ledgerKey))
			return err
		})
	})
	return err == nil && l.serial == serial
}

// takeWork copies what is pending. Only commits remove from it, and they hold
// wmu, so that what was taken stays a prefix.
func (q *queue) takeWork() work {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.committed
	l.clean = false
	return work{
		records: q.pending[:len(q.pending):len(q.pending)],
		acks:    slices.Collect(maps.Keys(q.acks)),
		refused: q.refused,
		ledger:  l,
	}
}

// adopt takes over what a commit wrote.
func (q *queue) adopt(l ledger, w work) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.committed = l
	for _, r := range w.records {
		q.pendingSize -= len(r.Payload)
	}
	q.pending = slices.Clone(q.pending[len(w.records):])
	for _, id := range w.acks {
		delete(q.acks, id)
	}
	q.refused.ring -= w.refused.ring
	for c := range q.refused.outbox {
		q.refused.outbox[c] -= w.refused.outbox[c]
	}
}

// counters adds what is pending to what is committed.
func (q *queue) counters() Counters {
	q.mu.Lock()
	defer q.mu.Unlock()
	c := q.committed.Counters
	for _, r := range q.pending {
		c.Ring.add(cost(recordOverhead + len(r.Payload)))
	}
	q.refused.addTo(&c)
	return c
}

// addTo counts refused records as produced and dropped.
func (r refusals) addTo(c *Counters) {
	c.Ring.Produced += r.ring
	c.Ring.Dropped += r.ring
	for i, n := range r.outbox {
		c.Outbox[i].Produced += n
		c.Outbox[i].Dropped += n
	}
}

// flush has run commit what is pending.
func (q *queue) flush(ctx context.Context) error {
	done := make(chan error, 1)
	select {
	case q.flushes <- done:
	case <-q.stop:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close ends run, commits the rest and closes the file.
func (q *queue) close() error {
	q.mu.Lock()
	if q.ended {
		q.mu.Unlock()
		return nil
	}
	q.ended = true
	q.mu.Unlock()
	close(q.stop)
	<-q.joined
	var err error
	if q.unwritten() {
		err = q.commit(func(t *txn) error {
			t.clean, t.nextSeq = true, q.nextSeq
			return nil
		})
	}
	return errors.Join(err, q.store.close())
}

// unwritten reports whether the file is not yet as a clean end leaves it.
func (q *queue) unwritten() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !q.committed.clean || len(q.pending)+len(q.acks) > 0 || q.refused != refusals{}
}
