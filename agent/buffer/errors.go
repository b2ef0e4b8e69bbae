package buffer

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	bberrors "go.etcd.io/bbolt/errors"
)

// Returned by Open.
var (
	// ErrLocked says that another process has the directory open.
	ErrLocked = errors.New("buffer: in use by another process")
)

// Returned while storing.
var (
	// ErrFull says that there is no room: the disk is full, the file has reached
	// its bound, or the outbox holds only records that matter more. Nothing that
	// was stored is lost; the offered record counts as dropped.
	ErrFull = errors.New("buffer: full")
	// ErrDisk is the ErrFull of a disk, or of a quota on it, that has no room left.
	ErrDisk = fmt.Errorf("%w: no room on the disk", ErrFull)
	// ErrTooLarge says that a record exceeds MaxPayload or half its store's limit.
	ErrTooLarge = errors.New("buffer: record too large")
	// ErrUncertain says that the change is in the file but that the disk did not
	// confirm it. It is counted; do not offer the same record again.
	ErrUncertain = errors.New("buffer: stored, but not confirmed by the disk")
	// ErrClosed says that the Buffer was closed.
	ErrClosed = errors.New("buffer: closed")
)

// Returned while reading.
var (
	// ErrNotFound says that State holds no value under the key.
	ErrNotFound = errors.New("buffer: not found")
	// ErrDamaged says that a file or a record cannot be what was once written.
	ErrDamaged = errors.New("buffer: damaged")
)

// fileError puts the file before the finding, without the system call.
func fileError(path string, err error) error {
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		err = pe.Err
	}
	return fmt.Errorf("buffer: %s: %w", path, err)
}

// damaged makes an ErrDamaged with its cause.
func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}

// fullCauses are the errors that mean "no room" and pass by themselves once room
// is made.
var fullCauses = []struct{ cause, is error }{
	{bberrors.ErrMaxSizeReached, ErrFull}, {syscall.ENOSPC, ErrDisk}, {syscall.EDQUOT, ErrDisk}, {syscall.EFBIG, ErrDisk},
}

// asFull marks an error that means "no room" with ErrFull and leaves others alone.
func asFull(err error) error {
	if err == nil || errors.Is(err, ErrFull) {
		return err
	}
	for _, full := range fullCauses {
		// bbolt formats the errors of growing a file with %s, so that only the
		// text is left of the cause.
		if errors.Is(err, full.cause) || strings.Contains(err.Error(), full.cause.Error()) {
			return fmt.Errorf("%w: %w", full.is, err)
		}
	}
	return err
}
