package agent

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kedge/agent/buffer"
	"kedge/telemetry/wire"
)

// smallStore is a device with a model, whose outbox has no room for a report.
func smallStore(t *testing.T) Config {
	t.Helper()
	c := testConfig(t)
	c.Buffer.MaxBytes = 1 << 20
	c.Buffer.RingRecords = 200
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
	return c
}

// TestStoreFull: with an outbox that takes nothing more, samples are answered
// and it is said once.
func TestStoreFull(t *testing.T) {
	c := smallStore(t)
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

// TestAlarmWithoutRoom: an alarm whose report finds no room is raised again after a
// restart; while the agent runs, report and evidence wait for room and then go.
func TestAlarmWithoutRoom(t *testing.T) {
	c := smallStore(t)
	d := startDevice(t, c)
	for range 40 {
		d.sample(sound)
	}
	d.untilAlarm(40)
	if a := d.sample(drifted); a.Drift.String() != "latched" {
		t.Errorf("after the alarm: got %v, want latched", a.Drift)
	}
	d.finish()
	if got := d.logs.count("K0503"); got == 0 {
		t.Error("the report is lost with this run: want it said")
	}

	first, addr := startCentre(t, "")
	first.stop() // the address is known, and nobody listens
	c.MQTT.Broker = "mqtt://" + addr
	d = startDevice(t, c)
	for range 40 {
		d.sample(sound)
	}
	alarm := d.untilAlarm(40)
	for range 110 {
		d.sample(drifted)
	}
	centre, _ := startCentre(t, addr)
	var report wire.Drift
	var evidence []wire.Sample
	eventually(t, "report and evidence", func() bool {
		reports := events[wire.Drift](centre, wire.KindDrift)
		if len(reports) != 1 {
			return false
		}
		report, evidence = reports[0], samplesOf(centre.evidence(reports[0].Evidence.ID))
		return evidence != nil
	})
	if report.Sample != alarm.ID {
		t.Errorf("report: got sample %s, want %s", report.Sample, alarm.ID)
	}
	checkEvidence(t, evidence, report, d.boot())
	d.finish()

	d = startDevice(t, c)
	for range 40 {
		if a := d.sample(drifted); a.Alarm || a.Drift.String() != "latched" {
			t.Fatalf("with the report sent: got %+v, want latched", a)
		}
	}
	d.finish()
	if got := events[wire.Drift](centre, wire.KindDrift); len(got) != 1 {
		t.Errorf("got %d reports, want 1", len(got))
	}
	checkStore(t, c)
}

// TestEvidenceWithoutRoom: what the outbox did not take before a restart is read
// from the ring again, so that no part is missing.
func TestEvidenceWithoutRoom(t *testing.T) {
	c := testConfig(t)
	install(t, c, testRelease(t, 1))
	d := startDevice(t, c)
	for range 40 {
		d.sample(sound)
	}
	d.untilAlarm(40)
	d.stop()
	d.wait()
	// As if only the report had found room.
	b, err := buffer.Open(c.Device.State, buffer.Options{MaxSize: c.Buffer.MaxBytes})
	if err != nil {
		t.Fatal(err)
	}
	messages, err := b.Outbox.Next(100, nil)
	if err != nil {
		t.Fatal(err)
	}
	var id string
	for _, m := range messages {
		var e wire.Evidence
		if m.Class != buffer.ClassEvidence {
			continue
		}
		if err := wire.Decode(m.Payload, &e); err != nil {
			t.Fatal(err)
		}
		id = e.ID
		if err := b.Outbox.Ack(m.ID); err != nil {
			t.Fatal(err)
		}
	}
	a := &agent{buf: b, o: Options{}.withDefaults()}
	var progress capture
	if err := json.Unmarshal(a.get(keyCapture), &progress); err != nil || progress.Part == 0 {
		t.Fatalf("progress: got %+v, %v, want it behind the first parts", progress, err)
	}
	progress.Part, progress.From, progress.Left = 0, progress.From-32, progress.Left+32
	a.put(keyCapture, a.encodeCapture(&progress))
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}

	centre, addr := startCentre(t, "")
	c.MQTT.Broker = "mqtt://" + addr
	d = startDevice(t, c)
	for range 100 {
		d.sample(drifted)
	}
	var evidence []wire.Sample
	eventually(t, "the evidence", func() bool { evidence = samplesOf(centre.evidence(id)); return evidence != nil })
	if len(evidence) != 132 {
		t.Errorf("got %d samples, want 132", len(evidence))
	}
	d.finish()
}

// TestDroppedAdvice: who reads that records were dropped is told what helps.
func TestDroppedAdvice(t *testing.T) {
	for _, tt := range []struct {
		name            string
		cause           error
		reports, inputs uint64
		want            string
	}{
		{"full disk", buffer.ErrDisk, 3, 0, "free space on the disk of the state directory"},
		{"full outbox", buffer.ErrFull, 3, 0, "restore the connection or raise buffer.max_bytes"},
		{"slow model", nil, 0, 9, "send fewer samples or raise source.queue: the model does not keep up with them"},
	} {
		var l logs
		a := &agent{o: Options{Log: slog.New(slog.NewJSONHandler(&l, nil))}.withDefaults()}
		a.storeFailed(tt.cause)
		a.sayDropped(tt.reports, tt.inputs)
		a.sayDropped(1, 0) // the cause is not remembered for ever
		var got []string
		for line := range strings.Lines(l.String()) {
			var one struct{ Code, Do string }
			if json.Unmarshal([]byte(line), &one) == nil && one.Code == "K0503" {
				got = append(got, one.Do)
			}
		}
		if want := []string{tt.want, "restore the connection or raise buffer.max_bytes"}; !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, want)
		}
	}
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
	if !strings.Contains(d.logs.String(), `"inferences":500`) || d.logs.count("K0502") == 0 || !strings.Contains(d.logs.String(), "free space on the disk of output.answers") {
		t.Error("want 500 inferences and K0502 in the log, with advice on the answers' disk")
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
