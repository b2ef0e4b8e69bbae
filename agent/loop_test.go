package agent

import (
	"slices"
	"strings"
	"testing"

	"kedge/telemetry/wire"
)

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
	centre.offer(testRelease(t, 9)) // of no concern
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

	// The signed form of the device's first signals comes late: they are from
	// before the alarm, which therefore stands.
	centre.reference(first.model, 5, 700, signals.First, releaseKey)
	eventually(t, "the stale reference to be put off", func() bool { return d.logs.count("K0323") == 1 })
	if a := d.sample(sound); a.Drift.String() != "latched" {
		t.Errorf("after a reference from before the alarm: got %v, want latched", a.Drift)
	}

	// A new reference ends the alarm; a forged or an older one changes nothing.
	centre.reference(first.model, 5, 700, "", foreignKey)
	eventually(t, "the refusal", func() bool { return d.logs.count("K0322") == 1 })
	centre.reference(first.model, 5, 700, "", releaseKey)
	eventually(t, "the reference in force", func() bool { return d.logs.count("K0320") == 1 })
	if a := d.sample(sound); a.Drift.String() != "stable" {
		t.Errorf("after a new reference: got %v, want stable", a.Drift)
	}
	centre.reference(first.model, 4, 800, "", releaseKey)
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
