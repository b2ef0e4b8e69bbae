package source

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// interruptible reads a file whose Read may wait for ever, as that of a terminal
// or a pipe does: closing such a file does not end the Read, and switching it to
// non-blocking would change it for the process at the other end of a shared
// terminal too. So it polls the file together with a pipe of its own.
type interruptible struct {
	f         *os.File
	wake, end *os.File // the pipe: closing end makes wake readable
	mu        sync.Mutex
	closed    bool
	reading   bool
}

// Interruptible wraps f so that Close ends a Read that waits. Close does not
// close f itself, which is usually the process's standard input.
func Interruptible(f *os.File) (io.ReadCloser, error) {
	wake, end, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("source: %s: %w", f.Name(), err)
	}
	return &interruptible{f: f, wake: wake, end: end}, nil
}

func (r *interruptible) Read(p []byte) (int, error) {
	if !r.enter() {
		return 0, os.ErrClosed
	}
	defer r.leave()
	fds := []unix.PollFd{
		{Fd: int32(r.f.Fd()), Events: unix.POLLIN},
		{Fd: int32(r.wake.Fd()), Events: unix.POLLIN},
	}
	for {
		_, err := unix.Poll(fds, -1)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return 0, fmt.Errorf("poll %s: %w", r.f.Name(), err)
		case fds[1].Revents != 0:
			return 0, os.ErrClosed
		}
		return r.f.Read(p)
	}
}

// ended implements what Reader.Ended asks for.
func (r *interruptible) ended() bool {
	if !r.enter() {
		return true
	}
	defer r.leave()
	if info, err := r.f.Stat(); err == nil && info.Mode().IsRegular() {
		return true
	}
	fds := []unix.PollFd{{Fd: int32(r.f.Fd())}} // hanging up needs no asking for
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0 && fds[0].Revents&unix.POLLHUP != 0
}

// enter and leave keep the pipe open while a Read polls it: the number of a
// closed file may be another file's the next moment.
func (r *interruptible) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.reading = true
	return true
}

func (r *interruptible) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reading = false
	if r.closed {
		r.wake.Close()
	}
}

// Close ends a Read that waits and makes further ones fail with os.ErrClosed.
func (r *interruptible) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	if !r.reading {
		r.wake.Close()
	}
	return r.end.Close()
}
