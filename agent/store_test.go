package agent

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/agent/buffer"
	"kedge/telemetry/wire"
)

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
