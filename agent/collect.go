package agent

import (
	"log/slog"

	"kedge/agent/buffer"
	"kedge/agent/drift"
	"kedge/agent/pipeline"
	"kedge/telemetry/event"
	"kedge/telemetry/wire"
)

// A collection gathers the first signals of a model, for the centre to sign.
type collection struct {
	first   string // id of the first sample
	signals []byte
}

// beginCollection starts one unless that of the model in service has ended in an
// earlier run; with mu held. Signals without their contexts would make a reference
// that is worse than the bundle's.
func (a *agent) beginCollection() {
	if a.serving.installed.Bundle.Manifest.Context != nil {
		return
	}
	if string(a.get(keyCollected)) != a.serving.installed.Release.Model {
		a.serving.collect = &collection{}
	}
}

// endCollection ends it for good; with mu held.
func (a *agent) endCollection() {
	if a.serving.collect != nil {
		a.serving.collect = nil
		a.put(keyCollected, []byte(a.serving.installed.Release.Model))
	}
}

// collectSignal adds a signal, and sends them when they are enough; with mu
// held. An alarm ends the collection elsewhere: after it the signals are those
// of a drift.
func (a *agent) collectSignal(got pipeline.Answer, id string) {
	c := a.serving.collect
	if c == nil || got.Alarm || got.Muted {
		return
	}
	if len(c.signals) == 0 {
		c.first = id
	}
	c.signals = append(c.signals, drift.Quantize(got.Signal))
	if len(c.signals) < a.c.Reference.Samples {
		return
	}
	if !a.putEvent(wire.KindReference, buffer.ClassEvent, &wire.Reference{
		Model: a.serving.installed.Ref(), First: c.first, Signals: c.signals,
	}) {
		a.serving.collect = &collection{} // there may be room for the next ones
		return
	}
	a.say(event.ReferenceSent, slog.Int("samples", len(c.signals)), slog.String("first", c.first))
	a.endCollection()
}
