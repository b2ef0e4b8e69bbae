package buffer

import (
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
)

var stateBucket = []byte("state")

// State is a small durable map for what is written rarely: the version floor, the
// detectors' state, numbers that must never go back. Keep it below a few hundred
// kilobytes; the file is bounded at 1 MiB.
type State struct {
	s store
}

// Get returns a copy of the value under key. It returns ErrNotFound if there is
// none, and ErrDamaged if there is one whose checksum fails: the caller decides
// whether its default is safe.
func (st *State) Get(key string) ([]byte, error) {
	var value []byte
	err := st.s.view(func(tx *bbolt.Tx, _ bool) error {
		v := tx.Bucket(stateBucket).Get([]byte(key))
		if v == nil {
			return fmt.Errorf("%w: %q", ErrNotFound, key)
		}
		body, err := decodeRecord([]byte(key), v)
		if err != nil {
			return fmt.Errorf("state %q: %w", key, err)
		}
		value = append([]byte{}, body...)
		return nil
	})
	return value, err
}

// Put stores value under key; when it returns nil the value is on disk. key must
// not be empty.
func (st *State) Put(key string, value []byte) error {
	return st.PutAll(map[string][]byte{key: value})
}

// PutAll stores several values, all or none. A nil value deletes its key.
func (st *State) PutAll(values map[string][]byte) error {
	size := 0
	for key, value := range values {
		if key == "" || len(key) > 255 {
			return fmt.Errorf("buffer: state key of %d bytes, want 1 to 255", len(key))
		}
		size += len(value)
	}
	if size > MaxPayload {
		return fmt.Errorf("%w: %d bytes of state, want at most %d", ErrTooLarge, size, MaxPayload)
	}
	return st.update(func(b *bbolt.Bucket) error {
		for key, value := range values {
			k := []byte(key)
			if value == nil {
				if err := b.Delete(k); err != nil {
					return err
				}
				continue
			}
			if err := b.Put(k, encodeRecord(k, value)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Delete removes key; that it is absent is no error.
func (st *State) Delete(key string) error {
	return st.PutAll(map[string][]byte{key: nil})
}

// update runs fn in a transaction. Writing the same values again is harmless, so
// that an error that left them in place needs no reading back.
func (st *State) update(fn func(*bbolt.Bucket) error) error {
	st.s.mu.RLock()
	db := st.s.db
	if db == nil {
		st.s.mu.RUnlock()
		return ErrClosed
	}
	err := update(db, func(tx *bbolt.Tx) error { return fn(tx.Bucket(stateBucket)) })
	st.s.mu.RUnlock()
	if unusable(err) {
		return errors.Join(err, st.s.replace(db, err))
	}
	if err != nil {
		return asFull(fmt.Errorf("buffer: write state: %w", err))
	}
	return nil
}

// prepare creates the bucket, and drops values whose checksum fails: what is gone
// is reported once.
func (st *State) prepare(db *bbolt.DB, _ *Recovered) error {
	var bad [][]byte
	exists := false
	err := db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(stateBucket)
		if exists = b != nil; !exists {
			return nil
		}
		return b.ForEach(func(k, v []byte) error {
			if _, err := decodeRecord(k, v); err != nil {
				bad = append(bad, append([]byte(nil), k...))
			}
			return nil
		})
	})
	if err != nil || exists && len(bad) == 0 {
		return err
	}
	err = update(db, func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(stateBucket)
		for _, k := range bad {
			err = errors.Join(err, b.Delete(k))
		}
		return err
	})
	if len(bad) > 0 {
		st.s.report(Recovered{File: StateFile, Corrupt: uint64(len(bad)), Exact: true,
			Cause: damaged("state %q", bad)})
	}
	if exists && err != nil {
		return nil // a full disk: Get refuses the values that could not be deleted
	}
	return asFull(err)
}
