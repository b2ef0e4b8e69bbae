package buffer

import (
	"errors"
	"fmt"
	"os"

	"go.etcd.io/bbolt"
)

// Check counts every record of queue.db and compares the counts with the ledger in
// the file and in memory. It returns nil if all records are accounted for. It reads
// the whole file.
func (b *Buffer) Check() error {
	q := b.queue
	q.wmu.Lock() // no commit may come between memory and file
	defer q.wmu.Unlock()
	q.mu.Lock()
	l := q.committed
	q.mu.Unlock()
	errs := []error{q.checkPages()}
	err := q.view(func(tx *bbolt.Tx, _ bool) error {
		stored, err := decodeLedger(tx.Bucket(metaBucket).Get(ledgerKey))
		if err != nil {
			return err
		}
		if stored.serial != l.serial || stored.Counters != l.Counters {
			errs = append(errs, fmt.Errorf("ledger in the file %+v, in memory %+v", stored, l))
		}
		for _, s := range stored.shelves() {
			t, bad := survey(tx.Bucket(s.name), isOutbox(s.name))
			if !s.tally.Balanced() {
				errs = append(errs, fmt.Errorf("%s: %v does not add up", s.name, *s.tally))
			}
			if t.Queued != s.tally.Queued || t.Bytes != s.tally.Bytes || len(bad) > 0 {
				errs = append(errs, fmt.Errorf("%s: %d records of %d bytes, %d bad; the ledger has %d of %d",
					s.name, t.Queued, t.Bytes, len(bad), s.tally.Queued, s.tally.Bytes))
			}
		}
		return nil
	})
	if err = errors.Join(append(errs, err)...); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil
}

// checkPages walks the file as Open does; not by bbolt's Check, which reads the map in
// a goroutine of its own.
func (q *queue) checkPages() error {
	f, err := os.Open(q.path)
	if err != nil {
		return err
	}
	defer f.Close()
	return probeFile(f)
}
