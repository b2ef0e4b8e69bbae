package agent

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kedge/telemetry/wire"
)

// request asks for maintenance and waits until the agent has taken it.
func (d *device) request(c Config, r MaintenanceRequest) {
	d.t.Helper()
	r.Time = time.Now()
	if err := RequestMaintenance(c.Device.State, r); err != nil {
		d.t.Fatal(err)
	}
	eventually(d.t, "the request to be taken", func() bool {
		m, err := ReadMaintenance(c.Device.State)
		return err == nil && m.Active == r.Start && m.Who == r.Who
	})
}

// TestMaintenance: an alarm stands, a technician begins and ends, with a restart in
// between; then the alarm is over, nothing was reported meanwhile, and the centre gets
// signals to sign.
func TestMaintenance(t *testing.T) {
	c := testConfig(t)
	centre, addr := startCentre(t, "")
	c.MQTT.Broker = "mqtt://" + addr
	install(t, c, testRelease(t, 1))
	d := startDevice(t, c)
	for range 70 {
		d.sample(sound)
	}
	d.untilAlarm(40)
	d.request(c, MaintenanceRequest{Start: true, Who: "ann", Why: "new bearing"})
	for range 300 {
		if a := d.sample(drifted); a.Alarm || a.Drift != inMaintenance {
			t.Fatalf("in maintenance: got %+v", a)
		}
	}
	eventually(t, "the state to be reported", func() bool {
		r := centre.reported()
		return r.Maintenance != nil && r.Maintenance.Who == "ann" && r.Drift != nil && r.Drift.State == "maintenance"
	})
	d.finish()

	d = startDevice(t, c)
	for range 300 {
		if a := d.sample(drifted); a.Alarm || a.Drift != inMaintenance {
			t.Fatalf("after a restart: got %+v", a)
		}
	}
	d.request(c, MaintenanceRequest{Who: "bob", Why: "done"})
	for range 200 {
		if a := d.sample(drifted); a.Alarm || a.Drift.String() != "stable" { // what it has learned is that
			t.Fatalf("afterwards: got %+v", a)
		}
	}
	eventually(t, "the signals for a reference", func() bool { return len(events[wire.Reference](centre, wire.KindReference)) == 2 })
	d.finish()

	d = startDevice(t, c)
	for range 100 {
		if a := d.sample(drifted); a.Alarm || a.Drift.String() != "stable" {
			t.Fatalf("after another restart: got %+v", a)
		}
	}
	d.finish()
	audits := events[wire.Audit](centre, wire.KindAudit)
	if len(audits) != 2 || audits[0].Action != wire.MaintenanceStarted || audits[0].Who != "ann" || audits[0].Why != "new bearing" ||
		audits[1].Action != wire.MaintenanceEnded || audits[1].Who != "bob" || audits[1].Samples != 600 {
		t.Errorf("audit: got %+v", audits)
	}
	if got := len(events[wire.Drift](centre, wire.KindDrift)); got != 1 {
		t.Errorf("got %d drift reports, want the one before", got)
	}
}

// TestMaintenanceEndsByItself: also when the agent did not run as the time was over.
func TestMaintenanceEndsByItself(t *testing.T) {
	c := testConfig(t)
	c.Maintenance.Limit.Duration = time.Hour
	install(t, c, testRelease(t, 1))
	d := startDevice(t, c)
	d.sample(sound)
	d.request(c, MaintenanceRequest{Start: true, Who: "ann", Why: "test", Seconds: 1e9})
	m, err := ReadMaintenance(c.Device.State)
	if err != nil || m.Until.Sub(m.Since) != time.Hour {
		t.Errorf("got %v to %v, %v, want the limit of an hour", m.Since, m.Until, err)
	}
	d.finish()
	d = startDeviceAt(t, c, func() time.Time { return time.Now().Add(61 * time.Minute) })
	eventually(t, "the end", func() bool { return d.logs.count("K0331") == 1 })
	if a := d.sample(sound); a.Drift == inMaintenance {
		t.Errorf("after the limit: got %+v", a)
	}
	d.finish()
	if m, err := ReadMaintenance(c.Device.State); err != nil || m.Active || m.Who != "kedge" {
		t.Errorf("got %+v, %v, want it ended by kedge", m, err)
	}
}

func TestMaintenanceRefused(t *testing.T) {
	for name, r := range map[string]MaintenanceRequest{
		"nobody":    {Start: true, Why: "x"},
		"no reason": {Start: true, Who: "x"},
		"long name": {Who: strings.Repeat("x", maxWho+1)},
		"long why":  {Who: "x", Why: strings.Repeat("x", maxWhy+1)},
		"not UTF-8": {Who: "\xff"},
		"backwards": {Start: true, Who: "x", Why: "x", Seconds: -1},
	} {
		if err := RequestMaintenance(t.TempDir(), r); !errors.Is(err, ErrMaintenance) {
			t.Errorf("%s: got %v, want ErrMaintenance", name, err)
		}
	}
	c := testConfig(t)
	install(t, c, testRelease(t, 1))
	d := startDevice(t, c)
	for i, text := range []string{"{", `{"start":true,"who":"x"}`, strings.Repeat(" ", maxRequest+1)} {
		if err := os.WriteFile(filepath.Join(c.Device.State, fileRequest), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the refusal", func() bool { return d.logs.count("K0332") == i+1 })
		if a := d.sample(sound); a.Drift == inMaintenance {
			t.Errorf("%.40q: got %+v", text, a)
		}
	}
	d.finish()
}
