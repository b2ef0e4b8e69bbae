package buffer

import (
	"bytes"
	"encoding/binary"
	"errors"

	"go.etcd.io/bbolt"
)

// floorKey holds in state.db the queue's next numbers as of its last opening. They
// are used when queue.db is lost together with its ledger.
const floorKey = "buffer.floor"

// floorStep is added to the floor: more than any run takes (a thousand samples a
// second for 34 years), and a 2^24th of the numbers there are.
const floorStep = 1 << 40

// prepare reads the ledger of a file just opened and verifies every record, or
// begins a new file.
func (q *queue) prepare(db *bbolt.DB, gone *Recovered) error {
	fresh := false
	err := db.View(func(tx *bbolt.Tx) error {
		fresh = tx.Bucket(metaBucket) == nil
		return nil
	})
	if err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if fresh {
		return q.begin(db, gone)
	}
	return q.load(db)
}

// begin writes the first ledger of a new file, carrying on from the old one's if
// there was one.
func (q *queue) begin(db *bbolt.DB, gone *Recovered) error {
	l := q.inherit(gone)
	err := update(db, func(tx *bbolt.Tx) error {
		names := [][]byte{metaBucket}
		for _, s := range l.shelves() {
			names = append(names, s.name)
		}
		for _, name := range names {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		l.serial, l.clean = uint64(tx.ID()), false
		return tx.Bucket(metaBucket).Put(ledgerKey, l.encode())
	})
	if err != nil {
		return asFull(err)
	}
	clear(q.acks) // of messages that are gone
	q.take(l)
	return nil
}

// inherit is the ledger to begin a new file with; what the old file held is lost,
// and gone says how much that was.
func (q *queue) inherit(gone *Recovered) ledger {
	l, found, exact := q.committed, q.loaded, q.loaded
	if !q.loaded && gone != nil {
		l, found, exact = salvageLedger(gone.Aside)
		l.nextSeq += maxPending
	}
	if !exact {
		floor := q.floor()
		if gone == nil && floor.nextSeq > 0 {
			q.report(Recovered{File: QueueFile, Cause: damaged("%s was in use and is missing or empty", q.path)})
		}
		l.nextSeq, l.nextID = max(l.nextSeq, floor.nextSeq), max(l.nextID, floor.nextID)
	}
	lost := l.loseAll()
	if gone != nil {
		gone.Lost, gone.Exact = lost, found && exact
	}
	return l
}

// take adopts a ledger that was read or begun. Numbers that were handed out since
// the process began stay handed out.
func (q *queue) take(l ledger) {
	if !q.loaded {
		q.nextSeq = l.nextSeq
	}
	q.committed, q.loaded = l, true
}

// load verifies a file that has been in use: bad records are removed, and a ledger
// that does not agree with the records is put right.
func (q *queue) load(db *bbolt.DB) error {
	var l ledger
	var ledgerErr error
	bad := map[string][][]byte{}
	var found []Tally
	err := db.View(func(tx *bbolt.Tx) error {
		for _, s := range l.shelves() {
			b := tx.Bucket(s.name)
			if b == nil {
				return damaged("bucket %q is missing", s.name)
			}
			t, corrupt := survey(b, isOutbox(s.name))
			found = append(found, t)
			if len(corrupt) > 0 {
				bad[string(s.name)] = corrupt
			}
		}
		l, ledgerErr = decodeLedger(bytes.Clone(tx.Bucket(metaBucket).Get(ledgerKey)))
		return nil
	})
	if err != nil {
		return err
	}
	if ledgerErr != nil {
		l = q.floor()
	}
	if !l.clean {
		l.nextSeq += maxPending
	}
	lost, reconcileErr := l.reconcile(found)
	corrupt := 0
	for _, keys := range bad {
		corrupt += len(keys)
	}
	cause := errors.Join(ledgerErr, reconcileErr, badError(bad))
	if cause != nil {
		if err := q.repair(db, &l, bad); err != nil {
			return err
		}
		q.report(Recovered{File: QueueFile, Cause: cause, Lost: lost, Exact: ledgerErr == nil, Corrupt: uint64(corrupt)})
	}
	q.take(l)
	return nil
}

// reconcile makes the tallies agree with the records that were found: a page may have
// lost some and still be a sound page. It returns the number of those that are
// missing, and an error if anything had to be changed.
func (l *ledger) reconcile(found []Tally) (uint64, error) {
	var lost uint64
	var errs []error
	for i, t := range l.tallies() {
		f := found[i]
		if t.Queued == f.Queued && t.Bytes == f.Bytes {
			continue
		}
		errs = append(errs, damaged("%s: %d records of %d bytes, want %d of %d",
			l.shelves()[i].name, f.Queued, f.Bytes, t.Queued, t.Bytes))
		if f.Queued < t.Queued {
			lost += t.Queued - f.Queued
			t.Dropped += t.Queued - f.Queued
		} else {
			t.Produced += f.Queued - t.Queued
		}
		t.Queued, t.Bytes = f.Queued, f.Bytes
	}
	l.Lost += lost
	return lost, errors.Join(errs...)
}

// badError describes records whose checksum failed, nil if there are none.
func badError(bad map[string][][]byte) error {
	var errs []error
	for name, keys := range bad {
		errs = append(errs, damaged("%s: the checksum of %d records fails", name, len(keys)))
	}
	return errors.Join(errs...)
}

// repair removes bad records and writes the ledger. If the disk takes nothing, memory
// still has the true numbers and reading passes over the records. A file that bbolt
// cannot correct is an ErrDamaged.
func (q *queue) repair(db *bbolt.DB, l *ledger, bad map[string][][]byte) error {
	t := &txn{o: &q.o, ledger: *l}
	err := update(db, func(tx *bbolt.Tx) error {
		t.tx = tx
		if err := t.dropCorrupt(bad); err != nil {
			return err
		}
		t.serial = uint64(tx.ID())
		return t.bucket(metaBucket).Put(ledgerKey, t.ledger.encode())
	})
	switch {
	case unusable(err):
		return err
	case err != nil:
		q.log.Error("cannot remove damaged records", "file", q.path, "cause", err)
	default:
		*l = t.ledger
	}
	return nil
}

// survey counts the records of a bucket and lists the keys of the bad ones, which
// are counted too.
func survey(b *bbolt.Bucket, outbox bool) (Tally, [][]byte) {
	var t Tally
	var bad [][]byte
	c := b.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		t.Queued++
		t.Bytes += uint64(cost(len(v)))
		var err error
		if outbox {
			_, err = readMessage(k, v)
		} else {
			_, err = readRecord(k, v)
		}
		if err != nil {
			bad = append(bad, bytes.Clone(k))
		}
	}
	return t, bad
}

func isOutbox(name []byte) bool { return bytes.HasPrefix(name, []byte("outbox-")) }

// dropCorrupt deletes records and counts them as dropped and corrupt.
func (t *txn) dropCorrupt(bad map[string][][]byte) error {
	for _, s := range t.shelves() {
		for _, key := range bad[string(s.name)] {
			gone, err := t.take(s, key)
			if err != nil {
				return err
			}
			if gone != nil {
				s.tally.Dropped++
				t.Corrupt++
			}
		}
	}
	return nil
}

// floor is the ledger to begin with when none is left.
func (q *queue) floor() ledger {
	var l ledger
	v, err := q.state.Get(floorKey)
	if err != nil || len(v) != 16 {
		return l
	}
	l.nextSeq = binary.LittleEndian.Uint64(v) + floorStep
	l.nextID = binary.LittleEndian.Uint64(v[8:]) + floorStep
	return l
}

// writeFloor notes the next numbers in state.db, once per opening.
func (q *queue) writeFloor() {
	v := binary.LittleEndian.AppendUint64(nil, q.nextSeq)
	v = binary.LittleEndian.AppendUint64(v, q.committed.nextID)
	if err := q.state.Put(floorKey, v); err != nil {
		q.log.Error("cannot note the sequence floor", "cause", err)
	}
}
