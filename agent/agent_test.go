package agent

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kedge/agent/buffer"
	"kedge/agent/update"
	"kedge/telemetry/trust"
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

func (m memory) Get(key string) ([]byte, error)     { return m[key], nil }
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
	in, stdin := io.Pipe()
	out, stdout := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	d := &device{t: t, logs: &logs{}, stdin: stdin, answers: bufio.NewReader(out), stop: cancel, done: make(chan error, 1)}
	log := slog.New(slog.NewJSONHandler(d.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	go func() {
		err := Run(ctx, c, Options{Log: log, Stdin: in, Stdout: stdout, Version: "devel"})
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

// TestLoop is the whole life of a device: no model, the first one over the air,
// its reference, drift with report and evidence, a new reference, an update.
func TestLoop(t *testing.T) {
	c := testConfig(t)
	centre, addr := startCentre(t, "")
	c.MQTT.Broker = "mqtt://" + addr
	d := startDevice(t, c)

	eventually(t, "the device to be online", func() bool { return slices.Equal(centre.states(), []string{"session 1 online true"}) })
	if d.logs.count("K0202") != 1 {
		t.Error("without a model: want one line K0202")
	}
	first := testRelease(t, 1)
	centre.offer(testRelease(t, 9)) // of no concern, and not to be refused
	centre.offer(first)
	centre.assign(first, 1)
	committed := func(version uint64) func() bool {
		return func() bool {
			return slices.ContainsFunc(events[wire.Update](centre, wire.KindUpdate), func(u wire.Update) bool {
				return u.State == wire.UpdateCommitted && u.Version == version
			})
		}
	}
	eventually(t, "the first model to be committed", committed(1))

	// The first signals of the model become its reference.
	for i := range 60 {
		a := d.sample(sound)
		if a.Label != "ok" || a.Confidence != 254.0/256 || a.Model != (answerModel{"pump", 1}) || a.Drift.String() != "stable" {
			t.Fatalf("sample %d: got %+v", i, a)
		}
	}
	eventually(t, "the first signals", func() bool { return len(events[wire.Reference](centre, wire.KindReference)) == 1 })
	signals := events[wire.Reference](centre, wire.KindReference)[0]
	boot := d.boot()
	if signals.First != "pump-1/"+boot+"/1" || len(signals.Signals) != 60 || signals.Model.SHA256 != first.model || signals.Signals[0] < 250 {
		t.Errorf("reference: got first %s, %d signals of model %.8s, the first %d", signals.First, len(signals.Signals), signals.Model.SHA256, signals.Signals[0])
	}

	// A row that is no sample gets its line too.
	if reply := d.line("[1]"); !strings.HasPrefix(reply, `{"error":"stdin:61: got 1, want 2: wrong number of features"}`) {
		t.Errorf("bad row: got %s", reply)
	}

	// Drift: one alarm, one report, its evidence.
	alarm := d.untilAlarm(40)
	for range 99 {
		if a := d.sample(drifted); a.Alarm || a.Drift.String() != "latched" {
			t.Fatalf("after the alarm: got %+v, want latched", a)
		}
	}
	eventually(t, "the drift report", func() bool { return len(events[wire.Drift](centre, wire.KindDrift)) == 1 })
	report := events[wire.Drift](centre, wire.KindDrift)[0]
	checkReport(t, report, alarm.ID, first.model)
	if samplesOf(centre.evidence(report.Evidence.ID)) != nil {
		t.Error("evidence is complete before the last sample")
	}
	d.sample(`{"x": [10, 0.5], "ref": "last"}`)
	var evidence []wire.Sample
	eventually(t, "the evidence", func() bool { evidence = samplesOf(centre.evidence(report.Evidence.ID)); return evidence != nil })
	checkEvidence(t, evidence, report, boot)
	eventually(t, "the state to be reported", func() bool { m := centre.reported().Drift; return m != nil && m.State == "latched" })

	// A new reference ends the alarm; a forged or an older one changes nothing.
	centre.reference(first.model, 5, 700, foreignKey)
	eventually(t, "the refusal", func() bool { return d.logs.count("K0322") == 1 })
	centre.reference(first.model, 5, 700, releaseKey)
	eventually(t, "the reference in force", func() bool { return d.logs.count("K0320") == 1 })
	if a := d.sample(sound); a.Drift.String() != "stable" {
		t.Errorf("after a new reference: got %v, want stable", a.Drift)
	}
	centre.reference(first.model, 4, 800, releaseKey)
	eventually(t, "the older one to be refused", func() bool { return d.logs.count("K0322") == 2 })

	// An update takes effect between two samples, with a reference of its own.
	second := testRelease(t, 2)
	centre.offer(second)
	centre.assign(second, 2)
	eventually(t, "the second model to be committed", committed(2))
	if a := d.sample(sound); a.Model.Version != 2 || a.Drift.String() != "stable" {
		t.Errorf("after the update: got %+v", a)
	}
	eventually(t, "the update to be reported", func() bool {
		r := centre.reported()
		return r.Model != nil && r.Model.Version == 2 && r.Assign == 2 && r.Root == 1
	})
	if health := events[wire.Health](centre, wire.KindHealth); len(health) != 2 || health[0].Code != "K0322" {
		t.Errorf("health events: got %+v, want the two refusals", health)
	}

	d.finish()
	if got, want := centre.states(), []string{"session 1 online true", "session 1 online false"}; !slices.Equal(got, want) {
		t.Errorf("states: got %q, want %q", got, want)
	}
	counters := checkStore(t, c)
	if total := counters.OutboxTotal(); total.Queued != 0 || total.Dropped != 0 || !total.Balanced() {
		t.Errorf("outbox: got %v, want all sent", total)
	}
	for code, want := range map[string]int{"K0101": 1, "K0102": 1, "K0201": 2, "K0311": 1, "K0321": 1, "K0601": 1, "K0602": 0, "K0603": 0, "K0701": 1, "K0702": 1} {
		if got := d.logs.count(code); got != want {
			t.Errorf("log lines %s: got %d, want %d", code, got, want)
		}
	}
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

func checkReport(t *testing.T, r wire.Drift, sample, model string) {
	t.Helper()
	if r.Sample != sample || r.Model.SHA256 != model || r.Model.Name != "pump" || r.Alarm != 1 || r.Weak || len(r.Fired) == 0 || len(r.Detectors) != 2 {
		t.Errorf("report: got %+v", r)
	}
	for _, d := range r.Detectors {
		if d.Fired != slices.Contains(r.Fired, d.Name) || d.Fired != (d.Statistic >= d.Threshold) || len(d.Course) == 0 || d.Promise == "" {
			t.Errorf("detector: got %+v, fired %v", d, r.Fired)
		}
	}
	if r.Before.N != 600 || r.Before.SignalMean < 0.99 || r.After.SignalMean >= r.Before.SignalMean || r.After.Classes["worn"] == 0 {
		t.Errorf("windows: got %+v and %+v", r.Before, r.After)
	}
	if len(r.After.Inputs) != 2 || r.After.Inputs[0].Name != "a" {
		t.Errorf("inputs: got %+v, want a before b", r.After.Inputs)
	}
	if r.Evidence.Before != 32 || r.Evidence.After != 100 {
		t.Errorf("evidence: got %+v, want 32 and 100 samples", r.Evidence)
	}
}

// checkEvidence wants 32 samples up to the alarm's and 100 after it, in order.
func checkEvidence(t *testing.T, samples []wire.Sample, r wire.Drift, boot string) {
	t.Helper()
	alarm, err := wire.ParseSampleID(r.Sample)
	if err != nil || len(samples) != 132 {
		t.Fatalf("got %d samples, %v, want 132", len(samples), err)
	}
	for i, s := range samples {
		want := wire.SampleID{Device: "pump-1", Boot: boot, Sequence: alarm.Sequence - 31 + uint64(i)}.String()
		x, err := s.X.Unpack()
		if s.ID != want || err != nil || s.Time.IsZero() {
			t.Fatalf("sample %d: got %s at %v, %v, want %s", i, s.ID, s.Time, err, want)
		}
		if i >= 31 && (!slices.Equal(x, []float32{10, 0.5}) || s.Label != "worn") {
			t.Fatalf("sample %d: got %v, %s", i, x, s.Label)
		}
	}
}

// TestBrokerAway: samples are answered without a broker, reports wait for it.
func TestBrokerAway(t *testing.T) {
	c := testConfig(t)
	model := testRelease(t, 1)
	install(t, c, model)
	first, addr := startCentre(t, "")
	first.stop() // the address is known, and nobody listens
	c.MQTT.Broker = "mqtt://" + addr
	d := startDevice(t, c)
	for range 20 {
		d.sample(sound)
	}
	alarm := d.untilAlarm(40)
	for range 100 {
		d.sample(drifted)
	}
	if d.logs.count("K0602") != 1 {
		t.Errorf("got %d lines K0602, want 1", d.logs.count("K0602"))
	}
	back, _ := startCentre(t, addr)
	eventually(t, "report and evidence", func() bool {
		reports := events[wire.Drift](back, wire.KindDrift)
		return len(reports) == 1 && reports[0].Sample == alarm.ID && samplesOf(back.evidence(reports[0].Evidence.ID)) != nil
	})

	// Lost in the middle: the next reports wait again.
	back.stop()
	eventually(t, "the loss to be noticed", func() bool { return d.logs.count("K0603") == 1 })
	for range 50 {
		d.sample(sound)
	}
	again, _ := startCentre(t, addr)
	again.reference(model.model, 1, 700, releaseKey)
	eventually(t, "the reference in force", func() bool { return d.logs.count("K0320") == 1 })
	d.untilAlarm(40)
	eventually(t, "the second report", func() bool { return len(events[wire.Drift](again, wire.KindDrift)) == 1 })
	d.finish()
	if total := checkStore(t, c).OutboxTotal(); total.Queued != 0 || total.Dropped != 0 || !total.Balanced() {
		t.Errorf("outbox: got %v, want all sent", total)
	}
	if n := d.logs.count("K0602") + d.logs.count("K0603"); n != 2 {
		t.Errorf("got %d lines about the broker, want 2", n)
	}
}

// TestRestart: an alarm survives a restart, and so does its evidence.
func TestRestart(t *testing.T) {
	c := testConfig(t)
	install(t, c, testRelease(t, 1))
	d := startDevice(t, c)
	for range 40 {
		d.sample(sound)
	}
	d.untilAlarm(40)
	for range 30 {
		d.sample(drifted)
	}
	d.stop()
	d.wait()
	firstBoot := d.boot()

	d = startDevice(t, c)
	for range 80 {
		if a := d.sample(drifted); a.Alarm || a.Drift.String() != "latched" {
			t.Fatalf("after a restart: got %+v, want latched", a)
		}
	}
	secondBoot := d.boot()
	d.finish()
	if !strings.HasPrefix(firstBoot, "1-") || !strings.HasPrefix(secondBoot, "2-") {
		t.Errorf("boots: got %s and %s, want them counted", firstBoot, secondBoot)
	}

	b, err := buffer.Open(c.Device.State, buffer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	messages, err := b.Outbox.Next(100, nil)
	if err != nil {
		t.Fatal(err)
	}
	reports, parts := 0, map[int]wire.Evidence{}
	for _, m := range messages {
		if m.Topic == topics.Event(wire.KindDrift) {
			reports++
		}
		if m.Class == buffer.ClassEvidence {
			var e wire.Evidence
			if err := wire.Decode(m.Payload, &e); err != nil {
				t.Fatal(err)
			}
			parts[e.Part] = e
		}
	}
	samples := samplesOf(parts)
	if reports != 1 || len(samples) != 132 {
		t.Fatalf("got %d reports and %d samples in %d parts, want 1 and 132", reports, len(samples), len(parts))
	}
	boots := map[string]int{}
	seen := map[string]bool{}
	for _, s := range samples {
		id, _ := wire.ParseSampleID(s.ID)
		boots[id.Boot]++
		if seen[s.ID] {
			t.Errorf("%s stands twice", s.ID)
		}
		seen[s.ID] = true
	}
	if boots[firstBoot] != 62 || boots[secondBoot] != 70 {
		t.Errorf("samples by boot: got %v, want 62 and 70", boots)
	}
}

// TestReplayToFile answers a file without a network.
func TestReplayToFile(t *testing.T) {
	c := testConfig(t)
	install(t, c, testRelease(t, 1))
	dir := t.TempDir()
	c.Source = SourceConfig{Kind: SourceReplay, Path: filepath.Join(dir, "x.csv")}
	c.Output.Answers = filepath.Join(dir, "answers.jsonl")
	if err := os.WriteFile(c.Source.Path, []byte("b,class,a,ref\n0,ok,18,r1\n0,ok,x,r2\n0.5,worn,10,r3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := startDevice(t, c)
	d.wait()
	got, err := os.ReadFile(c.Output.Answers)
	if err != nil {
		t.Fatal(err)
	}
	boot := d.boot()
	want := `{"id":"pump-1/` + boot + `/1","ref":"r1","label":"ok","confidence":0.9921875,"model":{"name":"pump","version":1},"drift":"stable","alarm":false}
{"error":"` + c.Source.Path + `:3: column 3: \"x\": not a number"}
{"id":"pump-1/` + boot + `/2","ref":"r3","label":"worn","confidence":0.73046875,"model":{"name":"pump","version":1},"drift":"stable","alarm":false}
`
	if string(got) != want {
		t.Errorf("answers: got\n%swant\n%s", got, want)
	}
	if d.logs.count("K0702") != 1 || d.logs.count("K0602") != 0 {
		t.Error("want the end of the input in the log, and nothing about a broker")
	}
}

// TestMQTTSource takes samples from the centre's broker and from another one.
func TestMQTTSource(t *testing.T) {
	for _, own := range []bool{false, true} {
		t.Run(fmt.Sprintf("own broker %v", own), func(t *testing.T) {
			c := testConfig(t)
			install(t, c, testRelease(t, 1))
			centre, addr := startCentre(t, "")
			sensors := centre
			c.MQTT.Broker = "mqtt://" + addr
			c.Source = SourceConfig{Kind: SourceMQTT, Topic: "sensors/+/x", Queue: 8}
			if own {
				sensors, addr = startCentre(t, "")
				c.Source.Broker = "mqtt://" + addr
			}
			c.Output.Answers = "-"
			d := startDevice(t, c)
			eventually(t, "the connections", func() bool { return d.logs.count("K0601") == map[bool]int{false: 1, true: 2}[own] })
			sensors.publish("sensors/7/x", []byte(`{"x":[18,0],"ref":"m1"}`), false)
			// Without a process that waits, answers come within a second.
			reply, err := d.answers.ReadString('\n')
			var a answer
			if err != nil || json.Unmarshal([]byte(reply), &a) != nil || a.Ref != "m1" || a.Label != "ok" {
				t.Errorf("got %s, %v, want the answer to m1", reply, err)
			}
			d.stop()
			d.wait()
		})
	}
}

// TestStoreFull: with an outbox that takes nothing more, samples are answered
// and it is said once.
func TestStoreFull(t *testing.T) {
	c := testConfig(t)
	c.Buffer.MaxBytes = 1 << 20
	c.Buffer.RingRecords = 100
	install(t, c, testRelease(t, 1))
	b, err := buffer.Open(c.Device.State, buffer.Options{MaxSize: c.Buffer.MaxBytes})
	if err != nil {
		t.Fatal(err)
	}
	// Evidence is worth more than a report, so it does not make room for one.
	for {
		room, size := c.Buffer.MaxBytes/4-int64(b.Counters().OutboxTotal().Bytes), 10
		if room > 9000 {
			size = 7000
		} else if room > 1000 {
			size = 700
		} else if room < 200 {
			break
		}
		if err := b.Outbox.Put(buffer.Message{Class: buffer.ClassEvidence, Topic: "t", Payload: make([]byte, size), QoS: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	d := startDevice(t, c)
	for range 60 {
		d.sample(sound)
	}
	d.untilAlarm(40)
	for range 120 {
		d.sample(drifted)
	}
	d.finish()
	if got := d.logs.count("K0502"); got != 1 {
		t.Errorf("got %d lines K0502, want 1", got)
	}
	checkStore(t, c)
}

// TestAnswersDiskFull: a full disk costs answers, not inference.
func TestAnswersDiskFull(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	c := testConfig(t)
	install(t, c, testRelease(t, 1))
	c.Source = SourceConfig{Kind: SourceReplay, Path: filepath.Join(t.TempDir(), "x.csv")}
	c.Output.Answers = "/dev/full"
	if err := os.WriteFile(c.Source.Path, []byte(strings.Repeat("18,0\n", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	d := startDevice(t, c)
	d.wait()
	if !strings.Contains(d.logs.String(), `"inferences":500`) || d.logs.count("K0502") == 0 {
		t.Error("want 500 inferences and K0502 in the log")
	}
}

// TestDamagedQueue: a damaged file is set aside, said, and reported.
func TestDamagedQueue(t *testing.T) {
	c := testConfig(t)
	install(t, c, testRelease(t, 1))
	if err := os.WriteFile(filepath.Join(c.Device.State, buffer.QueueFile), bytes.Repeat([]byte("damage"), 5000), 0o600); err != nil {
		t.Fatal(err)
	}
	centre, addr := startCentre(t, "")
	c.MQTT.Broker = "mqtt://" + addr
	d := startDevice(t, c)
	d.sample(sound)
	eventually(t, "the health event", func() bool {
		health := events[wire.Health](centre, wire.KindHealth)
		return len(health) == 1 && health[0].Code == "K0501" && health[0].Severity == "E" && strings.Contains(health[0].Text, "queue.db")
	})
	d.finish()
	if d.logs.count("K0501") != 1 {
		t.Errorf("got %d lines K0501, want 1", d.logs.count("K0501"))
	}
}

func TestRunRefuses(t *testing.T) {
	run := func(c Config) error { return Run(t.Context(), c, Options{}) }
	c := testConfig(t)
	b, err := buffer.Open(c.Device.State, buffer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := run(c); !errors.Is(err, buffer.ErrLocked) {
		t.Errorf("a store in use: got %v, want ErrLocked", err)
	}
	b.Close()

	absent := testConfig(t)
	if err := os.Remove(filepath.Join(absent.Device.State, "root.json")); err != nil {
		t.Fatal(err)
	}
	if err := run(absent); !errors.Is(err, update.ErrNotEnrolled) {
		t.Errorf("not enrolled: got %v, want ErrNotEnrolled", err)
	}
	foreign := testConfig(t)
	if err := os.WriteFile(filepath.Join(foreign.Device.State, "root.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(foreign); !errors.Is(err, trust.ErrMalformed) && !errors.Is(err, trust.ErrPayloadType) {
		t.Errorf("a damaged root document: got %v", err)
	}
	for _, change := range []func(*Config){
		func(c *Config) { c.Source = SourceConfig{Kind: SourceReplay, Path: "absent.csv"} },
		func(c *Config) { c.MQTT.Broker, c.MQTT.Username, c.MQTT.PasswordFile = "mqtt://h", "u", "absent" },
		func(c *Config) { c.MQTT.Broker, c.MQTT.CA = "mqtts://h", "absent" },
		func(c *Config) { c.Output.Answers = "absent/dir" },
	} {
		c := testConfig(t)
		change(&c)
		if err := run(c); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("got %v, want os.ErrNotExist", err)
		}
	}
	checkLeaks(t)
}
