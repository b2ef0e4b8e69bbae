package buffer

import (
	"bytes"
)

// Evidence holds samples that were taken out of the ring's reach: they stay until
// their owner deletes them, which it does once the centre has them. Under its own
// limit the oldest go first.
type Evidence struct{ q *queue }

// Keep moves the samples numbered from up to and excluding to out of the ring and
// returns how many of them the evidence now holds, those kept earlier included.
// When it returns without error they are on disk.
func (e *Evidence) Keep(from, to uint64) (int, error) {
	kept := 0
	err := e.q.commit(func(t *txn) error {
		if err := t.keep(from, to); err != nil {
			return err
		}
		if _, err := t.evict(t.evidence(), t.o.Evidence.over); err != nil {
			return err
		}
		kept = len(t.keysIn(evidenceBucket, from, to))
		return nil
	})
	return kept, err
}

// keep moves records as they are: key and body stay, so the checksum does.
func (t *txn) keep(from, to uint64) error {
	for _, key := range t.keysIn(ringBucket, from, to) {
		value, err := t.take(t.ring(), key)
		if err != nil {
			return err
		}
		if _, err := decodeRecord(key, value); err != nil {
			return &fault{err} // the commit is tried again after the file was put right
		}
		t.Ring.Done++
		if err := t.put(t.evidence(), key, value); err != nil {
			return err
		}
	}
	return nil
}

// keysIn lists the keys of a bucket in [from, to).
func (t *txn) keysIn(bucket []byte, from, to uint64) [][]byte {
	var keys [][]byte
	c, end := t.tx.Bucket(bucket).Cursor(), seqKey(to)
	for k, _ := c.Seek(seqKey(from)); k != nil && bytes.Compare(k, end) < 0; k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	return keys
}

// Read returns the evidence numbered from up to and excluding to, ascending.
func (e *Evidence) Read(from, to uint64) ([]Record, error) {
	return e.q.read([][]byte{evidenceBucket}, from, to)
}

// Delete removes the evidence numbered from up to and excluding to and returns how
// many records that were.
func (e *Evidence) Delete(from, to uint64) (int, error) {
	n := 0
	err := e.q.commit(func(t *txn) error {
		keys := t.keysIn(evidenceBucket, from, to)
		for _, key := range keys {
			if _, err := t.take(t.evidence(), key); err != nil {
				return err
			}
			t.Evidence.Done++
		}
		n = len(keys)
		return nil
	})
	return n, err
}
