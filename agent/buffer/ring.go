package buffer

import (
	"bytes"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"
)

// Ring holds the latest samples, so that those from before an alarm can be sent
// as evidence. When it is full the oldest are evicted and count as dropped.
type Ring struct{ q *queue }

// Append adds a sample and returns its sequence number. Numbers ascend for the
// whole life of the directory, restarts and damaged files included; after an end
// without Close some are skipped. The payload is copied.
//
// Append never waits for the disk: the sample is pending until BatchRecords are
// or BatchAge has passed, and a power cut loses what is pending. If the disk takes
// nothing for so long that 4096 samples or 1 MiB are pending, the sample is not
// taken, counts as dropped, and the error is ErrFull.
func (r *Ring) Append(payload []byte) (uint64, error) {
	q := r.q
	if len(payload) > MaxPayload || cost(recordOverhead+len(payload)) > q.o.Ring.Bytes/2 {
		return 0, fmt.Errorf("%w: sample of %d bytes", ErrTooLarge, len(payload))
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ended {
		return 0, ErrClosed
	}
	if len(q.pending) >= maxPending || q.pendingSize+len(payload) > maxPendingSize {
		q.refused.ring++
		return 0, fmt.Errorf("%w: %d samples wait for the disk", ErrFull, len(q.pending))
	}
	seq := q.nextSeq
	q.nextSeq++
	q.pending = append(q.pending, Record{Seq: seq, Payload: bytes.Clone(payload)})
	q.pendingSize += len(payload)
	signal(q.dirty)
	if len(q.pending) >= q.o.BatchRecords || q.pendingSize >= maxPendingSize/2 {
		signal(q.kick)
	}
	return seq, nil
}

// appendRing stores pending samples and evicts the oldest.
func (t *txn) appendRing(records []Record) error {
	for _, r := range records {
		key := seqKey(r.Seq)
		if err := t.put(t.ring(), key, encodeRecord(key, r.Payload)); err != nil {
			return err
		}
		t.nextSeq = r.Seq + 1
	}
	_, err := t.evict(t.ring(), t.o.Ring.over)
	return err
}

// Next returns the number that the next sample will get.
func (r *Ring) Next() uint64 {
	r.q.mu.Lock()
	defer r.q.mu.Unlock()
	return r.q.nextSeq
}

// Read returns the samples numbered from up to and excluding to that are still
// held, pending ones included, in ascending order.
func (r *Ring) Read(from, to uint64) ([]Record, error) {
	q := r.q
	q.mu.Lock()
	// Taken first: a sample that is committed meanwhile is then found twice, never
	// missed.
	pending := slices.Clone(q.pending)
	q.mu.Unlock()
	records, err := q.readRing(from, to)
	if err != nil {
		return nil, err
	}
	for _, p := range pending {
		if p.Seq >= from && p.Seq < to {
			records = append(records, Record{p.Seq, bytes.Clone(p.Payload)})
		}
	}
	slices.SortStableFunc(records, func(a, b Record) int {
		if a.Seq < b.Seq {
			return -1
		} else if a.Seq > b.Seq {
			return 1
		}
		return 0
	})
	return slices.CompactFunc(records, func(a, b Record) bool { return a.Seq == b.Seq }), nil
}

// readRing copies the records of the file in [from, to).
func (q *queue) readRing(from, to uint64) ([]Record, error) {
	var records []Record
	err := q.view(func(tx *bbolt.Tx, strict bool) error {
		records = nil
		c, end := tx.Bucket(ringBucket).Cursor(), seqKey(to)
		for k, v := c.Seek(seqKey(from)); k != nil && bytes.Compare(k, end) < 0; k, v = c.Next() {
			r, err := readRecord(k, v)
			if err != nil && strict {
				return &fault{err}
			}
			if err == nil {
				records = append(records, r)
			}
		}
		return nil
	})
	return records, err
}

// readRecord decodes a sample with its number.
func readRecord(key, value []byte) (Record, error) {
	seq, err := keySeq(key)
	if err != nil {
		return Record{}, err
	}
	body, err := decodeRecord(key, value)
	return Record{seq, bytes.Clone(body)}, err
}
