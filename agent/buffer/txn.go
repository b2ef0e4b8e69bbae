package buffer

import (
	"bytes"
	"fmt"

	"go.etcd.io/bbolt"
)

// The buckets of queue.db.
var (
	metaBucket    = []byte("meta")
	ringBucket    = []byte("ring")
	outboxBuckets = [Classes][]byte{
		ClassTelemetry: []byte("outbox-telemetry"),
		ClassEvent:     []byte("outbox-event"),
		ClassReport:    []byte("outbox-report"),
		ClassEvidence:  []byte("outbox-evidence"),
	}
)

// shelf is a bucket of numbered records with its tally.
type shelf struct {
	name  []byte
	tally *Tally
}

// shelves lists the buckets in the order of ledger.tallies.
func (l *ledger) shelves() []shelf {
	s := []shelf{{ringBucket, &l.Ring}}
	for c, name := range outboxBuckets {
		s = append(s, shelf{name, &l.Outbox[c]})
	}
	return s
}

// txn is one transaction of queue.db with its copy of the ledger.
type txn struct {
	ledger
	tx  *bbolt.Tx
	o   *Options
	err error // what run returned; nil if only the commit after it failed
}

// run does the pending work, then fn, then writes the ledger.
func (t *txn) run(w work, fn func(*txn) error) error {
	t.err = t.steps(w, fn)
	return t.err
}

func (t *txn) steps(w work, fn func(*txn) error) error {
	t.serial = uint64(t.tx.ID())
	w.refused.addTo(&t.Counters)
	if err := t.appendRing(w.records); err != nil {
		return err
	}
	for _, id := range w.acks {
		s := t.outbox(idClass(id))
		gone, err := t.take(s, seqKey(id))
		if err != nil {
			return err
		}
		if gone != nil {
			s.tally.Done++
		}
	}
	if fn != nil {
		if err := fn(t); err != nil {
			return err
		}
	}
	return t.bucket(metaBucket).Put(ledgerKey, t.ledger.encode())
}

// bucket returns a bucket that is filled in ascending order: pages are left
// nearly full, where bbolt's default leaves half of each unused.
func (t *txn) bucket(name []byte) *bbolt.Bucket {
	b := t.tx.Bucket(name)
	b.FillPercent = 0.9
	return b
}

func (t *txn) ring() shelf          { return shelf{ringBucket, &t.Ring} }
func (t *txn) outbox(c Class) shelf { return shelf{outboxBuckets[c], &t.Outbox[c]} }

// put stores an encoded value and counts it.
func (t *txn) put(s shelf, key, value []byte) error {
	if err := t.bucket(s.name).Put(key, value); err != nil {
		return fmt.Errorf("buffer: %s: %w", s.name, err)
	}
	s.tally.add(cost(len(value)))
	return nil
}

// take removes a record and returns a copy of its value, nil if there is none.
// The caller counts it as done or dropped.
func (t *txn) take(s shelf, key []byte) ([]byte, error) {
	b := t.bucket(s.name)
	value := bytes.Clone(b.Get(key))
	if value == nil {
		return nil, nil
	}
	if err := b.Delete(key); err != nil {
		return nil, fmt.Errorf("buffer: %s: %w", s.name, err)
	}
	s.tally.remove(cost(len(value)))
	return value, nil
}

// evict drops the oldest records of a shelf while over says so of the tally that
// remains, and returns how many.
func (t *txn) evict(s shelf, over func(Tally) bool) (int, error) {
	rest := *s.tally
	var keys [][]byte
	c := t.bucket(s.name).Cursor()
	// Keys first, deletions after: a bbolt cursor may skip an element when it
	// deletes under itself.
	for k, v := c.First(); k != nil && over(rest); k, v = c.Next() {
		keys = append(keys, bytes.Clone(k))
		rest.remove(cost(len(v)))
	}
	for _, k := range keys {
		if _, err := t.take(s, k); err != nil {
			return 0, err
		}
		s.tally.Dropped++
	}
	return len(keys), nil
}

// over reports whether a store exceeds its limit.
func (l Limit) over(t Tally) bool {
	return t.Bytes > uint64(l.Bytes) || l.Records > 0 && t.Queued > uint64(l.Records)
}
