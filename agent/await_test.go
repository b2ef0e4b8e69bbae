package agent

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestInputEndsUnread: whoever closes the input before there is a model is told
// how much was not answered.
func TestInputEndsUnread(t *testing.T) {
	_, addr := startCentre(t, "")
	run := func(t *testing.T, stdin *os.File) error {
		t.Helper()
		c := testConfig(t)
		c.MQTT.Broker, c.MQTT.Drain.Duration = "mqtt://"+addr, 10*time.Millisecond
		defer checkLeaks(t)
		return Run(t.Context(), c, Options{Stdin: stdin})
	}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := in.WriteString("[1, 2]\n[3, 4]\n"); err != nil {
		t.Fatal(err)
	}
	in.Close()
	want := "no model to answer with: the input ended before one came, 2 lines were not answered"
	if err := run(t, out); !errors.Is(err, ErrNoModel) || err.Error() != want {
		t.Errorf("pipe: got %v, want %s", err, want)
	}
	path := filepath.Join(t.TempDir(), "x.jsonl")
	if err := os.WriteFile(path, []byte("[1, 2]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := run(t, file); !errors.Is(err, ErrNoModel) || !strings.Contains(err.Error(), " 1 lines ") {
		t.Errorf("file: got %v, want ErrNoModel and the number of lines", err)
	}
}

// TestModelComesInTime: samples that were written before there was a model are
// answered by the first one, also if nobody writes any more.
func TestModelComesInTime(t *testing.T) {
	centre, addr := startCentre(t, "")
	c := testConfig(t)
	c.MQTT.Broker, c.MQTT.Drain.Duration = "mqtt://"+addr, time.Minute
	c.Output.Answers = filepath.Join(t.TempDir(), "answers.jsonl")
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := in.WriteString(sound + "\n" + sound + "\n"); err != nil {
		t.Fatal(err)
	}
	in.Close()
	done := make(chan error, 1)
	go func() { done <- Run(t.Context(), c, Options{Stdin: out}) }()
	eventually(t, "the device to be online", func() bool { return len(centre.states()) == 1 })
	time.Sleep(2 * endPoll) // the end of the input is known by now
	r := testRelease(t, 1)
	centre.offer(r)
	centre.assign(r, 1)
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("Run: got %v, want nil", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("Run does not return")
	}
	answers, err := os.ReadFile(c.Output.Answers)
	if n := strings.Count(string(answers), `"label":"ok"`); err != nil || n != 2 {
		t.Errorf("got %d answers, %v, want 2", n, err)
	}
	checkLeaks(t)
}

// TestNoModelOffline: without a model, and without a broker that could bring one,
// there is nothing to wait for, whatever the source.
func TestNoModelOffline(t *testing.T) {
	c := testConfig(t)
	want := "no model to answer with: no model installed, and mqtt.broker is empty"
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close() // whose other end is never read
	defer out.Close()
	if err := Run(t.Context(), c, Options{Stdin: out}); !errors.Is(err, ErrNoModel) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
