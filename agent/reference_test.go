package agent

import "testing"

// TestReferenceBeforeModel: a reference that came before its model is in force
// with it, and does not begin the watch anew when the broker sends it again.
func TestReferenceBeforeModel(t *testing.T) {
	c := testConfig(t)
	install(t, c, testRelease(t, 1))
	next := testRelease(t, 2)
	centre, addr := startCentre(t, "")
	c.MQTT.Broker = "mqtt://" + addr
	d := startDevice(t, c)
	eventually(t, "the device to be online", func() bool { return len(centre.states()) == 1 })
	centre.reference(next.model, 4, 700, "", releaseKey)
	centre.offer(next)
	centre.assign(next, 1)
	eventually(t, "the second model", func() bool { return d.logs.count("K0201") == 2 })
	d.sample(sound)
	d.untilAlarm(40)
	centre.stop()
	eventually(t, "the loss to be noticed", func() bool { return d.logs.count("K0603") == 1 })
	back, _ := startCentre(t, addr)
	eventually(t, "the device to be back", func() bool { return len(back.states()) == 1 })
	back.reference(next.model, 4, 700, "", releaseKey)
	back.reference(next.model, 5, 700, "", foreignKey) // refused after the first was judged
	eventually(t, "the refusal", func() bool { return d.logs.count("K0322") == 1 })
	if a := d.sample(drifted); a.Drift.String() != "latched" || d.logs.count("K0320") != 0 {
		t.Errorf("after the same reference again: got %v, want latched", a.Drift)
	}
	d.finish()
}
