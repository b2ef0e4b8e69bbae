package agent

import (
	"strings"
	"testing"

	"kedge/agent/buffer"
	"kedge/telemetry/wire"
)

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
