package agent

import (
	"testing"

	"kedge/telemetry/wire"
)

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
	again.reference(model.model, 1, 700, "", releaseKey)
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
