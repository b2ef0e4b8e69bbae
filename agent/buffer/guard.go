package buffer

import (
	"fmt"
	"runtime/debug"

	"go.etcd.io/bbolt"
)

// fault is a memory fault or a panic that guard caught.
type fault struct{ cause any }

func (f *fault) Error() string        { return fmt.Sprintf("buffer: fault: %v", f.cause) }
func (f *fault) Is(target error) bool { return target == ErrDamaged }

// guard runs fn so that a fault in a memory-mapped file (a card that no longer
// gives a page: SIGBUS) or a panic of bbolt over what it read becomes an error. A
// handle that it happened to must not be used again: bbolt may still hold its
// locks.
func guard(fn func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &fault{r}
		}
	}()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	return fn()
}

// update runs fn in a transaction of db under the guard. It is not DB.Update because
// that answers a panic by walking the whole file in a goroutine of its own, where a
// second fault could not be caught; a plain Rollback forgets the transaction and lets
// go of bbolt's lock.
func update(db *bbolt.DB, fn func(*bbolt.Tx) error) error {
	var tx *bbolt.Tx
	err := guard(func() error {
		var err error
		if tx, err = db.Begin(true); err != nil {
			return err
		}
		if err = fn(tx); err != nil {
			return err
		}
		return tx.Commit()
	})
	if err != nil && tx != nil {
		_ = guard(tx.Rollback) // already closed if Commit failed by itself
	}
	return err
}
