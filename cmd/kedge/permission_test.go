package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	if os.Geteuid() == 0 {
		t.Skip("the rest needs a user whom permissions bind")
	}
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(dir, 0); err != nil {
		t.Fatal(err)
	}
	err := checkEnrolled(dir)
	if want := dir + ": permission denied"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
