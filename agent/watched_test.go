package agent

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"kedge/agent/drift"
	"kedge/agent/drift/inputs"
	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
)

// watching makes a bundle watch the margin and the inputs too. Its features lie about
// a = 18 and b = 0.
func watching(t testing.TB) func(*trust.Bundle) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	margins, rows := make([]float64, 600), inputs.NewBuilder([]inputs.Column{{Name: "a", Type: inputs.Float}, {Name: "b", Type: inputs.Float}})
	for i := range margins {
		margins[i] = 0.608 - 0.2*rng.Float64()
		if err := rows.Add([]float64{17.5 + rng.Float64(), rng.Float64() - 0.5}); err != nil {
			t.Fatal(err)
		}
	}
	margin, err := drift.NewReference(margins)
	if err != nil {
		t.Fatal(err)
	}
	watched, err := rows.Reference()
	if err != nil {
		t.Fatal(err)
	}
	encode := func(v any) []byte {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	return func(b *trust.Bundle) {
		b.Manifest.Signals = []trust.Signal{{Name: "top1"}, {Name: "margin", High: 10}}
		b.References, b.Inputs = encode(map[string]any{"margin": margin}), encode(watched)
	}
}

// rows are samples about a and b.
func rows(a, b float64) func() string {
	rng := rand.New(rand.NewPCG(3, 4))
	return func() string { return fmt.Sprintf("[%g, %g]", a-0.5+rng.Float64(), b-0.5+rng.Float64()) }
}

// TestInputsMove: a model that is surer than ever on inputs that it has not seen. The
// alarm survives a restart, as does who raised it.
func TestInputsMove(t *testing.T) {
	c := testConfig(t)
	centre, addr := startCentre(t, "")
	c.MQTT.Broker = "mqtt://" + addr
	install(t, c, testRelease(t, 1, watching(t)))
	d := startDevice(t, c)
	usual, other := rows(18, 0), rows(22, 0)
	for range 400 {
		if a := d.sample(usual()); a.Drift.String() != "stable" {
			t.Fatalf("before: got %+v", a)
		}
	}
	var alarm answer
	for i := 0; !alarm.Alarm; i++ {
		if alarm = d.sample(other()); i > 200 {
			t.Fatal("no alarm")
		}
	}
	eventually(t, "the report", func() bool { return len(events[wire.Drift](centre, wire.KindDrift)) == 1 })
	r := events[wire.Drift](centre, wire.KindDrift)[0]
	if !slices.Equal(r.Fired, []string{"inputs"}) || r.Sample != alarm.ID || r.Alarm != 1 || r.Inputs == nil || len(r.Signals) != 1 {
		t.Fatalf("report: got %+v", r)
	}
	if len(r.Inputs.Moved) != 1 || r.Inputs.Moved[0].Name != "a" || !r.Inputs.Fired || r.Inputs.Moved[0].After.Most < 21 || r.Inputs.Moved[0].Before.Most > 19 {
		t.Errorf("inputs: got %+v", r.Inputs)
	}
	var h inputs.Histogram
	if err := h.UnmarshalText([]byte(r.Inputs.Histograms["a"])); err != nil || h.N() == 0 || len(r.Inputs.Histograms) != 2 {
		t.Errorf("histograms: got %v of %d values, %v", r.Inputs.Histograms, h.N(), err)
	}
	if s := r.Signals[0]; s.Name != "margin" || s.N != r.N || len(s.Detectors) != 2 || s.ReferenceN != 600 || s.Detectors[0].Fired {
		t.Errorf("margin: got %+v", s)
	}
	// Three watches of two detectors, or five tests, share 10,000.
	if !strings.Contains(r.Promise, " 10000 ") || !strings.Contains(r.Inputs.Promise, " 30000 ") || !strings.Contains(r.Signals[0].Detectors[1].Promise, " 60000 ") {
		t.Errorf("promises: got %q, %q, %q", r.Promise, r.Inputs.Promise, r.Signals[0].Detectors[1].Promise)
	}
	if e := r.Estimate; e == nil || e.Kind != "doc" || e.N == 0 || e.Window != 500 || e.Accuracy != nil || e.Lost.Low > e.Lost.Value || e.Lost.High < e.Lost.Value {
		t.Errorf("estimate: got %+v", e)
	}
	if classes := r.After.Classes; classes["ok"] != r.After.N {
		t.Errorf("class mix: got %v of %d", classes, r.After.N)
	}
	d.finish()

	d = startDevice(t, c)
	for range 200 {
		if a := d.sample(other()); a.Alarm || a.Drift.String() != "latched" {
			t.Fatalf("after a restart: got %+v, want latched", a)
		}
	}
	// The answer: a reference of the first signal. The others learn anew.
	centre.reference(testRelease(t, 1, watching(t)).model, 5, 700, "", releaseKey)
	eventually(t, "the reference in force", func() bool { return d.logs.count("K0320") == 1 })
	for range 700 {
		if a := d.sample(other()); a.Alarm || a.Drift.String() == "latched" {
			t.Fatalf("after the answer: got %+v", a)
		}
	}
	d.finish()
	if got := len(events[wire.Drift](centre, wire.KindDrift)); got != 1 {
		t.Errorf("got %d reports, want 1", got)
	}
}

// TestFit: a report goes out however much there would be to say.
func TestFit(t *testing.T) {
	size := func(d *wire.Drift) int {
		data, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		return len(data)
	}
	classes := func(n int) map[string]uint64 {
		all := make(map[string]uint64)
		for i := range n {
			all[fmt.Sprintf("%0100d", i)] = uint64(i)
		}
		return all
	}
	for _, c := range []struct {
		histogram, course, classes           int
		hasHistogram, hasCourse, hasClassMix bool
	}{
		{100, 10, 10, true, true, true},
		{140_000, 10, 10, false, true, true},
		{140_000, 9000, 10, false, false, true},
		{100, 10, 2000, false, false, false},
	} {
		d := &wire.Drift{
			Signals: []wire.Signal{{Detectors: []wire.Detector{{Course: slices.Repeat([]float64{1.0 / 3}, c.course)}}}},
			Inputs:  &wire.Inputs{Histograms: map[string]string{"a": strings.Repeat("A", c.histogram)}},
			Before:  wire.Window{Classes: classes(c.classes)},
		}
		fit(d)
		if got := size(d); got > reportBytes || (d.Inputs.Histograms != nil) != c.hasHistogram ||
			(d.Signals[0].Detectors[0].Course != nil) != c.hasCourse || (d.Before.Classes != nil) != c.hasClassMix {
			t.Errorf("%+v: got %d bytes, histograms %v, course %v, classes %v", c, got,
				d.Inputs.Histograms != nil, d.Signals[0].Detectors[0].Course != nil, d.Before.Classes != nil)
		}
	}
}
