package buffer

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bberrors "go.etcd.io/bbolt/errors"
)

// store is one bbolt file that replaces itself when it is damaged.
type store struct {
	path    string
	maxSize int64
	boot    string
	log     *slog.Logger
	damage  func(Recovered) // Options.OnDamage

	// prepare makes a file ready that was just opened: it creates the buckets and
	// reads what has to be in memory. gone is what was lost if the file before it
	// was set aside, else nil; prepare fills in its numbers. It runs under the
	// guard, with mu held.
	prepare func(db *bbolt.DB, gone *Recovered) error

	// mu is held for reading while db is in use, and for writing while it is
	// replaced.
	mu sync.RWMutex
	db *bbolt.DB // nil: closed

	recMu     sync.Mutex
	recovered []Recovered
}

// report adds to what Buffer.Recovered returns and tells the owner.
func (s *store) report(r Recovered) {
	s.recMu.Lock()
	s.recovered = append(s.recovered, r)
	s.recMu.Unlock()
	s.damage(r)
}

// open opens the file; with mu held or before the store is shared. A file beyond
// use is set aside, twice at most: a new file that cannot be prepared either is a
// failure of the disk. bad is the reason why an earlier handle was given up, else
// nil.
func (s *store) open(bad error) error {
	var gone *Recovered
	for range 3 {
		db, err := openBolt(s.path, s.maxSize)
		if err == nil {
			err = guard(func() error { return s.prepare(db, gone) })
			if err == nil {
				s.db = db
				if gone != nil {
					s.report(*gone)
				}
				return nil
			}
			abandon(db)
		}
		// A handle that could not be closed keeps its lock; the lock goes with the
		// file that is renamed, so a new one is free of it.
		stuck := bad != nil && errors.Is(err, ErrLocked)
		if !errors.Is(err, ErrDamaged) && !stuck {
			return err
		}
		aside, asideErr := setAside(s.path, s.boot)
		if asideErr != nil {
			return errors.Join(err, asideErr)
		}
		if gone == nil {
			gone = &Recovered{File: filepath.Base(s.path), Aside: aside, Cause: errors.Join(bad, err)}
		}
		bad = nil
	}
	return damaged("%s: new files are damaged too", s.path)
}

// view runs fn over a snapshot. If fn meets damage the file is opened anew, which
// removes what is bad or sets the file aside, and fn runs once more with strict
// false: what is bad still, because the disk takes no correction, is to be passed
// over.
func (s *store) view(fn func(tx *bbolt.Tx, strict bool) error) error {
	again, err := s.tryView(func(tx *bbolt.Tx) error { return fn(tx, true) })
	if again {
		_, err = s.tryView(func(tx *bbolt.Tx) error { return fn(tx, false) })
	}
	return err
}

// tryView runs fn once. again says that the file was opened anew because of its error.
func (s *store) tryView(fn func(*bbolt.Tx) error) (again bool, err error) {
	s.mu.RLock()
	db := s.db
	if db == nil {
		s.mu.RUnlock()
		return false, ErrClosed
	}
	err = guard(func() error { return db.View(fn) })
	s.mu.RUnlock()
	if !unusable(err) {
		return false, err
	}
	if replaceErr := s.replace(db, err); replaceErr != nil {
		return false, errors.Join(err, replaceErr)
	}
	return true, err
}

// unusable reports whether err means that the handle must not be used again.
func unusable(err error) bool {
	_, isFault := errors.AsType[*fault](err)
	return isFault || errors.Is(err, bberrors.ErrInvalidMapping)
}

// replace opens the file anew after its handle bad failed with cause, unless
// another goroutine has done so.
func (s *store) replace(bad *bbolt.DB, cause error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db != bad || bad == nil {
		return nil
	}
	s.log.Error("buffer file failed and is opened anew", "file", s.path, "cause", cause)
	s.db = nil
	abandon(bad)
	if err := s.open(cause); err != nil {
		return fmt.Errorf("buffer: reopen %s: %w", s.path, err)
	}
	return nil
}

// abandonTimeout bounds the wait for a handle that may hold its own locks.
const abandonTimeout = 2 * time.Second

// abandon closes a handle that failed. bbolt may have lost one of its locks to a
// panic; then Close never returns, and the handle is left alone.
func abandon(db *bbolt.DB) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = guard(db.Close)
	}()
	select {
	case <-done:
	case <-time.After(abandonTimeout):
	}
}

// close closes the file; later calls return ErrClosed.
func (s *store) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db == nil {
		return nil
	}
	db := s.db
	s.db = nil
	return guard(db.Close)
}
