package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kedge/telemetry/wire"
)

// A notice is one JSON line of `kedge-trainer serve`.
type notice struct {
	Kind    string
	Device  string
	Text    string
	Version uint64
	Samples int
}

// A centre is a running `kedge-trainer serve`.
type centre struct {
	*process
	dir     string
	notices chan notice
}

// startCentre makes keys and a first model from the world as it was, and serves it by the broker.
func startCentre(t *testing.T, w *world, broker string) *centre {
	t.Helper()
	c := &centre{dir: t.TempDir(), notices: make(chan notice, 1000)}
	table := filepath.Join(c.dir, "base.csv")
	w.writeCSV(t, table, 600)
	run(t, "kedge-trainer", "keys", "init", filepath.Join(c.dir, "keys"))
	run(t, "kedge-trainer", "train", table, "--dir", c.dir, "--name", "clouds", "--label", "class")
	run(t, "kedge-trainer", "assign", "--dir", c.dir, "--site", site, "--device", device, "--name", "clouds", "--version", "1")
	c.process = start(t, "kedge-trainer", "serve", "--dir", c.dir, "--broker", broker, "--json")
	go func() {
		defer close(c.notices)
		for {
			var n notice
			if c.line(&n) != nil {
				return
			}
			c.notices <- n
		}
	}()
	return c
}

func (c *centre) root() string { return filepath.Join(c.dir, "keys", "roots", "1.json") }

// wait returns the next notice of a kind.
func (c *centre) wait(kind string) notice {
	c.t.Helper()
	limit := time.After(60 * time.Second)
	for {
		select {
		case n, ok := <-c.notices:
			if !ok {
				c.t.Fatalf("the centre ended before %q", kind)
			}
			if n.Kind == kind {
				return n
			}
			if n.Kind == "rejected" || n.Kind == "refused" {
				c.t.Fatalf("%s: %s", n.Kind, n.Text)
			}
		case <-limit:
			c.t.Fatalf("no notice %q", kind)
		}
	}
}

// The main job: drift is noticed, reported, answered with labels, a new model
// comes, and answers are right again; and the broker is away in the middle.
func TestLoopOverAnOutage(t *testing.T) {
	needMosquitto(t)
	b := startBroker(t)
	w := newWorld(1)
	c := startCentre(t, w, b.url())
	_, config := enroll(t, c.root(), b.url())
	operator := connect(t, b.url(), "kedge/v1/d/+/+/rep")
	d := start(t, "kedge", "run", "--config", config)
	c.wait("committed")

	var before score
	for range 300 {
		x, label := w.sample(0)
		a := d.infer(x)
		if a.Alarm {
			t.Fatal("alarm before drift")
		}
		before.add(a, label)
	}
	if before.accuracy() < .97 {
		t.Errorf("accuracy before drift: got %.3f, want at least 0.97", before.accuracy())
	}

	const drift = .9
	samples := 0
	for alarm := false; !alarm; samples++ {
		if samples == 300 {
			t.Fatal("no alarm within 300 drifted samples")
		}
		x, _ := w.sample(drift)
		alarm = d.infer(x).Alarm
	}
	b.stop()
	var during score
	labels := wire.Labels{V: wire.Version}
	for range 100 { // what the device captures, while nobody hears it
		x, label := w.sample(drift)
		a := d.infer(x)
		during.add(a, label)
		labels.Labels = append(labels.Labels, wire.Label{Sample: a.ID, Label: label})
	}
	b.start()
	if n := c.wait("evidence"); n.Samples < 101 {
		t.Errorf("evidence: got %d samples, want the alarm's and the 100 behind it at least", n.Samples)
	}
	payload, err := json.Marshal(&labels)
	if err != nil {
		t.Fatal(err)
	}
	operator.publish(wire.Truth(site, "lab"), payload, false)
	if n := c.wait("committed"); n.Version != 2 {
		t.Fatalf("committed: got version %d, want 2", n.Version)
	}

	var after score
	for range 600 {
		x, label := w.sample(drift)
		a := d.infer(x)
		if a.Model.Version != 2 {
			t.Fatalf("answered by version %d, want 2", a.Model.Version)
		}
		after.add(a, label)
	}
	t.Logf("alarm after %d samples; accuracy before %.3f, drifted %.3f, updated %.3f", samples, before.accuracy(), during.accuracy(), after.accuracy())
	if after.accuracy() < during.accuracy()+.05 || after.accuracy() < .9 {
		t.Errorf("accuracy: got %.3f after the update, %.3f before it", after.accuracy(), during.accuracy())
	}
	// 500 unlabeled signals of the new model become its signed reference.
	c.wait("referenced")
	eventually(t, 20*time.Second, "the device reports that its reference is a full one", func() bool {
		r, ok := lastReported(t, operator)
		return ok && r.Model.Version == 2 && !r.Drift.Weak
	})
	// The account that it leaves is exact.
	d.finish()
	want := wire.Counters{Inferences: uint64(300 + samples + 100 + 600)}
	eventually(t, 10*time.Second, "the device's last account", func() bool {
		r, ok := lastReported(t, operator)
		want.Produced, want.Sent = r.Counters.Produced, r.Counters.Produced
		return ok && r.Counters == want && want.Produced > 0
	})
}

// lastReported is the device's newest account of itself.
func lastReported(t *testing.T, c *client) (wire.Reported, bool) {
	t.Helper()
	var r wire.Reported
	all := c.received(func(topic string) bool { return strings.HasSuffix(topic, "/rep") })
	if len(all) == 0 {
		return r, false
	}
	if err := wire.Decode(all[len(all)-1], &r); err != nil {
		t.Fatal(err)
	}
	return r, r.Model != nil && r.Drift != nil
}

// A device without a broker infers all the same, and says so once.
func TestBrokerAbsent(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(2)
	table, pack := filepath.Join(dir, "base.csv"), filepath.Join(dir, "clouds.kedge")
	w.writeCSV(t, table, 300)
	run(t, "kedge-trainer", "keys", "init", filepath.Join(dir, "keys"))
	run(t, "kedge-trainer", "train", table, "--dir", dir, "--name", "clouds", "--label", "class", "--package", pack)
	state, config := enroll(t, filepath.Join(dir, "keys", "roots", "1.json"), "tcp://"+freeAddr(t))
	run(t, "kedge", "install", pack, "--state", state)
	d := start(t, "kedge", "run", "--config", config)
	for range 200 {
		x, _ := w.sample(0)
		d.infer(x)
	}
	eventually(t, 10*time.Second, "the log says that the broker cannot be reached", func() bool {
		return strings.Contains(d.log.String(), "K0602")
	})
	if n := strings.Count(d.log.String(), "K0602"); n != 1 {
		t.Errorf("broker unreachable: said %d times, want once", n)
	}
	d.stop()
	if _, err := os.Stat(filepath.Join(state, "queue.db")); err != nil {
		t.Errorf("the queue: %v", err)
	}
}
