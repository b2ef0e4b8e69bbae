// Package e2e tests the two programs as their users run them: processes, a real
// mosquitto between them, and nothing of ours in the same process but the keys
// that a test needs to play a centre or a forger.
package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// bin holds both programs, built once for all tests.
var bin string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "kedge-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	bin = dir
	build := exec.Command("go", "build", "-o", bin+"/", "kedge/cmd/kedge", "kedge/cmd/kedge-trainer")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// needMosquitto skips, or fails where it has to be there.
func needMosquitto(t *testing.T) {
	t.Helper()
	if _, err := mosquittoPath(); err != nil {
		if os.Getenv("KEDGE_REQUIRE_MOSQUITTO") == "1" {
			t.Fatal("mosquitto is not installed, and KEDGE_REQUIRE_MOSQUITTO=1")
		}
		t.Skip("mosquitto is not installed")
	}
}

// run runs a program to its end and returns what it printed; it has to succeed.
func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(bin, program), args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, stderr.Bytes())
	}
	return string(out)
}

// A process is a program that runs while the test goes on.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	log    lockedBuffer
	done   bool
}

func start(t *testing.T, program string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(filepath.Join(bin, program), args...)}
	p.cmd.Stderr = &p.log
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdout = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("%s said:\n%s", program, p.log.String())
		}
	})
	return p
}

// stop asks the process to end and waits; what hangs is killed and fails the test.
func (p *process) stop() {
	if p.done {
		return
	}
	p.done = true
	kill := time.AfterFunc(15*time.Second, func() {
		p.t.Errorf("%s did not end when asked", p.cmd.Path)
		_ = p.cmd.Process.Kill()
	})
	defer kill.Stop()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	p.stdin.Close()
	_, _ = io.Copy(io.Discard, p.stdout)
	_ = p.cmd.Wait()
}

// finish ends the process's input and waits until it has ended by itself, without an error.
func (p *process) finish() {
	p.t.Helper()
	p.done = true
	kill := time.AfterFunc(30*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer kill.Stop()
	p.stdin.Close()
	_, _ = io.Copy(io.Discard, p.stdout)
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("%s, at the end of its input: %v", p.cmd.Path, err)
	}
}

// line reads one JSON line of the process's output.
func (p *process) line(v any) error {
	line, err := p.stdout.ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(line, v)
}

// A lockedBuffer collects what a process says while a test may read it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
