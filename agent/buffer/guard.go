package buffer

import (
	"fmt"
	"runtime/debug"
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
