package agent

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"kedge/agent/buffer"
	"kedge/agent/update"
	"kedge/telemetry/wire"
)

// Samples: sure of ok, and unsure whether worn.
const (
	sound   = "[18, 0]"
	drifted = "[10, 0.5]"
)

// testConfig is for an enrolled device that reads standard input.
func testConfig(t *testing.T) Config {
	t.Helper()
	c := DefaultConfig()
	c.Device.Site, c.Device.ID, c.Device.State = topics.Site, topics.Device, filepath.Join(t.TempDir(), "state")
	c.Source.Kind, c.Output.Answers = SourceStdin, "-"
	c.Reference.Samples = 60
	c.MQTT.Drain.Duration = 10 * time.Second
	if err := os.MkdirAll(c.Device.State, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.Device.State, "root.json"), rootEnvelope(t), 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

// memory is an updater's store that is forgotten.
type memory map[string][]byte

func (m memory) Get(key string) ([]byte, error) { return m[key], nil }

func (m memory) Put(key string, value []byte) error { m[key] = value; return nil }

// install puts a release onto a device that does not run.
func install(t *testing.T, c Config, r *release) {
	t.Helper()
	u, err := update.Open(update.Options{
		Dir: c.Device.State, Site: c.Device.Site, Device: c.Device.ID, Platform: "linux/any", AgentVersion: "devel", Store: memory{},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Install(t.Context(), r.kedgeFile(t)); err != nil {
		t.Fatal(err)
	}
}

// logs keeps what is logged, as JSON lines.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// count returns how many lines have a code.
func (l *logs) count(code string) int { return strings.Count(l.String(), `"code":"`+code+`"`) }

// A device is an agent that a test feeds line by line.
type device struct {
	t       *testing.T
	logs    *logs
	stdin   *io.PipeWriter
	answers *bufio.Reader
	stop    context.CancelFunc // as a signal does
	done    chan error
	ended   bool
}

func startDevice(t *testing.T, c Config) *device {
	t.Helper()
	return startDeviceAt(t, c, nil)
}

// startDeviceAt starts a device with a clock of its own.
func startDeviceAt(t *testing.T, c Config, now func() time.Time) *device {
	t.Helper()
	in, stdin := io.Pipe()
	out, stdout := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	d := &device{t: t, logs: &logs{}, stdin: stdin, answers: bufio.NewReader(out), stop: cancel, done: make(chan error, 1)}
	log := slog.New(slog.NewJSONHandler(d.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	go func() {
		err := Run(ctx, c, Options{Log: log, Stdin: in, Stdout: stdout, Version: "devel", Now: now})
		in.Close() // as the end of a process does
		stdout.Close()
		d.done <- err
	}()
	t.Cleanup(func() {
		cancel()
		d.wait()
		if t.Failed() {
			t.Logf("log:\n%s", d.logs)
		}
	})
	return d
}

// wait joins the agent, wants no error, and checks that no goroutine is left.
func (d *device) wait() {
	d.t.Helper()
	if d.ended {
		return
	}
	d.ended = true
	select {
	case err := <-d.done:
		if err != nil {
			d.t.Errorf("Run: got %v, want nil", err)
		}
	case <-time.After(20 * time.Second):
		buf := make([]byte, 1<<20)
		d.t.Fatalf("Run does not return:\n%s", buf[:goruntime.Stack(buf, true)])
	}
	checkLeaks(d.t)
}

// finish ends the input and joins the agent.
func (d *device) finish() {
	d.t.Helper()
	d.stdin.Close()
	d.wait()
}

// line sends a line and returns the line that answers it.
func (d *device) line(text string) string {
	d.t.Helper()
	if _, err := io.WriteString(d.stdin, text+"\n"); err != nil {
		d.t.Fatalf("standard input: %v", err)
	}
	reply, err := d.answers.ReadString('\n')
	if err != nil {
		d.t.Fatalf("standard output: %v", err)
	}
	return reply
}

func (d *device) sample(text string) answer {
	d.t.Helper()
	var a answer
	if reply := d.line(text); json.Unmarshal([]byte(reply), &a) != nil || a.ID == "" {
		d.t.Fatalf("answer: got %s", reply)
	}
	return a
}

// untilAlarm sends drifted samples until one raises the alarm.
func (d *device) untilAlarm(most int) answer {
	d.t.Helper()
	for range most {
		if a := d.sample(drifted); a.Alarm {
			return a
		}
	}
	d.t.Fatalf("no alarm within %d samples", most)
	return answer{}
}

// checkLeaks fails if goroutines of the agent or of what it uses remain. The
// last ones of paho end by themselves a moment after the connection.
func checkLeaks(t *testing.T) {
	t.Helper()
	var left []string
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		buf := make([]byte, 1<<20)
		buf = buf[:goruntime.Stack(buf, true)]
		left = left[:0]
		for g := range strings.SplitSeq(string(buf), "\n\n") {
			for _, pkg := range []string{"kedge/agent.(*agent)", "kedge/agent/buffer.", "kedge/agent/update.", "kedge/agent/source.", "kedge/telemetry/mqtt.", "paho.mqtt.golang."} {
				if strings.Contains(g, pkg) {
					left = append(left, g)
					break
				}
			}
		}
		if len(left) == 0 {
			return
		}
	}
	t.Errorf("%d goroutines are left:\n%s", len(left), strings.Join(left, "\n\n"))
}

// checkStore opens the store of a device that has ended, and checks that every
// record is accounted for.
func checkStore(t *testing.T, c Config) buffer.Counters {
	t.Helper()
	b, err := buffer.Open(c.Device.State, buffer.Options{MaxSize: c.Buffer.MaxBytes})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Check(); err != nil {
		t.Error(err)
	}
	return b.Counters()
}

// boot returns the boot id from the log.
func (d *device) boot() string {
	_, rest, _ := strings.Cut(d.logs.String(), `"boot":"`)
	id, _, _ := strings.Cut(rest, `"`)
	if wire.CheckName(id) != nil {
		d.t.Fatalf("boot id: got %q", id)
	}
	return id
}
