package demo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// An answer is one line of `kedge run`'s output.
type answer struct {
	ID         string  `json:"id"`
	Label      string  `json:"label"`
	Confidence float64 `json:"confidence"`
	Model      struct {
		Version uint64 `json:"version"`
	} `json:"model"`
	Drift string `json:"drift"`
	Alarm bool   `json:"alarm"`
}

// A device is a real `kedge run` process that the demo feeds over its standard
// input, one sample at a time, and reads the answers from.
type device struct {
	name    string
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	out     *os.File
	answers *bufio.Reader
	stderr  *tail
	exited  chan struct{} // closed when the process has ended, with err
	err     error
}

// findKedge looks for the device's program: as told, beside this program, in PATH.
func findKedge(told string) (string, error) {
	if told != "" {
		return exec.LookPath(told)
	}
	if self, err := os.Executable(); err == nil {
		if beside, err := exec.LookPath(filepath.Join(filepath.Dir(self), "kedge")); err == nil {
			return beside, nil
		}
	}
	path, err := exec.LookPath("kedge")
	if err != nil {
		return "", errors.New("kedge: not found beside this program nor in PATH")
	}
	return path, nil
}

// runKedge runs a command of kedge to its end.
func runKedge(ctx context.Context, kedge string, args ...string) error {
	out, err := exec.CommandContext(ctx, kedge, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("kedge %s: %w: %s", args[0], err, bytes.TrimSpace(out))
	}
	return nil
}

// startDevice writes the configuration into the state directory's parent and starts the agent.
// An empty broker makes a device without a network.
func startDevice(ctx context.Context, kedge, name, state, broker string) (*device, error) {
	config := filepath.Join(filepath.Dir(state), name+".toml")
	if err := os.WriteFile(config, []byte(deviceConfig(name, state, broker)), 0o600); err != nil {
		return nil, err
	}
	d := &device{
		name: name, cmd: exec.CommandContext(ctx, kedge, "run", "--config", config), stderr: &tail{}, exited: make(chan struct{}),
	}
	d.cmd.Stderr = d.stderr
	d.cmd.Cancel = func() error { return d.cmd.Process.Signal(syscall.SIGTERM) }
	d.cmd.WaitDelay = 5 * time.Second
	var err error
	if d.stdin, err = d.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	// Not StdoutPipe: Wait would close it under whoever reads.
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	d.cmd.Stdout, d.answers = in, bufio.NewReader(out)
	if err := d.cmd.Start(); err != nil {
		out.Close()
		return nil, fmt.Errorf("device %s: %w", name, err)
	}
	d.out = out
	go func() {
		d.err = d.cmd.Wait()
		close(d.exited)
	}()
	return d, nil
}

// site is the demo's only site.
const site = "demo"

func deviceConfig(name, state, broker string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[device]\nsite = %q\nid = %q\nstate = %q\n\n", site, name, state)
	if broker != "" {
		fmt.Fprintf(&b, "[mqtt]\nbroker = %q\n\n", broker)
	}
	fmt.Fprintf(&b, "[source]\nkind = \"stdin\"\nformat = \"jsonl\"\n\n[output]\nanswers = \"-\"\n\n")
	fmt.Fprintf(&b, "[evidence]\nafter = %d\n", labelsPerAlarm)
	return b.String()
}

// infer sends one sample and waits for its answer.
func (d *device) infer(x []float32) (answer, error) {
	line, err := json.Marshal(struct {
		X []float32 `json:"x"`
	}{x})
	if err != nil {
		return answer{}, fmt.Errorf("device %s: %w", d.name, err)
	}
	if _, err := d.stdin.Write(append(line, '\n')); err != nil {
		return answer{}, d.failed(err)
	}
	reply, err := d.answers.ReadBytes('\n')
	if err != nil {
		return answer{}, d.failed(err)
	}
	var a answer
	if err := json.Unmarshal(reply, &a); err != nil {
		return answer{}, fmt.Errorf("device %s: answer %.200q: %w", d.name, reply, err)
	}
	return a, nil
}

// failed explains a broken pipe by what the process said last.
func (d *device) failed(err error) error {
	if last := d.stderr.String(); last != "" {
		return fmt.Errorf("device %s: %w; it said last: %s", d.name, err, last)
	}
	return fmt.Errorf("device %s: %w", d.name, err)
}

// stop ends the input, which ends the agent, and waits for it.
func (d *device) stop() error {
	d.stdin.Close()
	<-d.exited
	d.out.Close()
	if d.err != nil {
		return d.failed(d.err)
	}
	return nil
}

// A tail keeps the end of what was written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const tailBytes = 2000

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, b...)
	if over := len(t.b) - tailBytes; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.b))
}
