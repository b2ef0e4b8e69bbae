package agent

import (
	"slices"
	"strings"
	"testing"

	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
)

// TestUnservable: a release that is signed and computes what it should, but that
// the agent could not serve, is refused before the switch.
func TestUnservable(t *testing.T) {
	cases := []struct {
		name   string
		change func(*trust.Bundle)
		reason string
	}{
		{"no labels", func(b *trust.Bundle) { b.Manifest.Labels = nil }, "0 labels"},
		{"a label too few", func(b *trust.Bundle) { b.Manifest.Labels = b.Manifest.Labels[:1] }, "1 labels for 2 outputs"},
		{"a feature too few", func(b *trust.Bundle) { b.Features = []byte(`[{"name":"a","scale":1}]`) }, "1 features for 2 inputs"},
		{"scale 0", func(b *trust.Bundle) {
			b.Features = []byte(strings.Replace(string(b.Features), `"scale":2`, `"scale":0`, 1))
		}, "scale 0: must be above 0"},
		{"unknown signal", func(b *trust.Bundle) { b.Manifest.Signal = "mood" }, `signal "mood": this version knows top1, margin`},
		{"a signal without its range", func(b *trust.Bundle) { b.Manifest.Signal = "margin" }, `signal "margin"`},
		{"an unknown further signal", func(b *trust.Bundle) {
			b.Manifest.Signals = []trust.Signal{{Name: "top1"}, {Name: "mood"}}
		}, `signal "mood"`},
		{"a further signal without a reference", func(b *trust.Bundle) {
			b.Manifest.Signals = []trust.Signal{{Name: "top1"}, {Name: "entropy"}}
		}, `references.json: no reference of signal "entropy"`},
		{"inputs of other features", func(b *trust.Bundle) {
			watching(t)(b)
			b.Inputs = []byte(strings.Replace(string(b.Inputs), `"name":"a"`, `"name":"c"`, 1))
		}, `feature 0 is "c"`},
		{"an unknown context", func(b *trust.Bundle) { b.Manifest.Context = &trust.Context{Key: "moon"} }, `context "moon": this version knows hour`},
		{"bad inputs", func(b *trust.Bundle) { b.Inputs = []byte(`{"n":3}`) }, "inputs.json: inputs: invalid reference"},
		{"bad reference", func(b *trust.Bundle) { b.Reference = []byte(`{"n":1}`) }, "invalid reference"},
	}
	c := testConfig(t)
	install(t, c, testRelease(t, 1))
	centre, addr := startCentre(t, "")
	c.MQTT.Broker = "mqtt://" + addr
	d := startDevice(t, c)
	eventually(t, "the device to be online", func() bool { return len(centre.states()) == 1 })
	for i, tt := range cases {
		r := testRelease(t, uint64(i+2), tt.change)
		centre.offer(r)
		centre.assign(r, uint64(i+1))
		eventually(t, "the refusal of "+tt.name, func() bool {
			return slices.ContainsFunc(events[wire.Update](centre, wire.KindUpdate), func(u wire.Update) bool {
				return u.Release == r.digest && u.State == wire.UpdateRefused && strings.Contains(u.Reason, tt.reason)
			})
		})
		if a := d.sample(sound); a.Model.Version != 1 {
			t.Errorf("%s: version %d answers, want 1", tt.name, a.Model.Version)
		}
	}
	d.finish()
	if got := d.logs.count("K0201"); got != 1 {
		t.Errorf("got %d models loaded, want 1", got)
	}
	if got := d.logs.count("K0406"); got != 0 {
		t.Errorf("got %d rollbacks, want 0", got)
	}
}
