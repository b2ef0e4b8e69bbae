package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"syscall"
	"testing"

	"kedge/agent/update"
	"kedge/cmd/internal/cli"
)

// TestPermissionIsNotAbsence: who may not read the state directory is not told to
// enroll the device.
func TestPermissionIsNotAbsence(t *testing.T) {
	for _, tt := range []struct {
		err  error
		hint string
	}{
		{&fs.PathError{Op: "open", Path: "state/state.db", Err: syscall.EACCES}, "run it as the user that the agent runs as"},
		{fmt.Errorf("buffer: %w", syscall.EROFS), "mount the file system for writing"},
		{update.ErrNotEnrolled, "kedge enroll makes"},
	} {
		if got := cli.Hint(stateError("state", tt.err)); !strings.HasPrefix(got, tt.hint) {
			t.Errorf("%v: got hint %q, want %q", tt.err, got, tt.hint)
		}
	}
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(dir, 0); err != nil {
		t.Fatal(err)
	}
	err := asBoundUser(func() error { return checkEnrolled(dir) })
	if want := dir + ": permission denied"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// asBoundUser runs f as a user whom permissions bind: who is root becomes nobody
// for the file system, on a thread that ends with it.
func asBoundUser(f func() error) error {
	if os.Geteuid() != 0 {
		return f()
	}
	result := make(chan error)
	go func() {
		goruntime.LockOSThread() // and never unlocked: the thread is not used again
		const nobody = 65534
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0); errno != 0 {
			result <- errno
			return
		}
		result <- f()
	}()
	return <-result
}
