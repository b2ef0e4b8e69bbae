package train

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestKilledParent kills a process that waits for a training command: the command
// has to end too. The process is this test's own binary.
func TestKilledParent(t *testing.T) {
	const variable = "KEDGE_TEST_TRAINING_DIR"
	if dir := os.Getenv(variable); dir != "" {
		c := Command{Args: []string{"/bin/sh", "-c", "echo $$ >pid.new; mv pid.new pid; exec sleep 60"}}
		_, err := c.Run(context.Background(), dir, job())
		t.Fatalf("the command ended: %v", err)
	}
	dir := t.TempDir()
	parent := exec.Command(os.Args[0], "-test.run=^TestKilledParent$")
	parent.Env = append(os.Environ(), variable+"="+dir)
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	await := func(what string, done func() bool) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal(what)
			}
		}
	}
	defer parent.Wait()
	defer parent.Process.Kill()
	child := 0
	await("no command was started", func() bool {
		data, err := os.ReadFile(filepath.Join(dir, "pid"))
		if err == nil {
			child, err = strconv.Atoi(strings.TrimSpace(string(data)))
		}
		return err == nil
	})
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	await("the command outlives its parent", func() bool { return ended(child) })
}

// ended reports whether a process is gone, or dead and not yet collected by
// whoever took it over.
func ended(pid int) bool {
	if syscall.Kill(pid, 0) == syscall.ESRCH {
		return true
	}
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	_, state, _ := strings.Cut(string(stat), ") ")
	return err != nil || strings.HasPrefix(state, "Z")
}
