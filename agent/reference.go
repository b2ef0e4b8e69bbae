package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"kedge/agent/buffer"
	"kedge/agent/drift"
	"kedge/agent/pipeline"
	"kedge/telemetry/event"
	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
)

// A collection gathers the first signals of a model, for the centre to sign.
type collection struct {
	first   string // id of the first sample
	signals []byte
}

// beginCollection starts one unless that of the model in service has ended in an
// earlier run; with mu held.
func (a *agent) beginCollection() {
	a.collect = nil
	if string(a.get(keyCollected)) != a.serving.installed.Release.Model {
		a.collect = &collection{}
	}
}

// endCollection ends it for good; with mu held.
func (a *agent) endCollection() {
	if a.collect != nil {
		a.collect = nil
		a.put(keyCollected, []byte(a.serving.installed.Release.Model))
	}
}

// collectSignal adds a signal, and sends them when they are enough; with mu
// held. An alarm ends the collection elsewhere: after it the signals are those
// of a drift.
func (a *agent) collectSignal(got pipeline.Answer, id string) {
	c := a.collect
	if c == nil || got.Alarm {
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
		a.collect = &collection{} // there may be room for the next ones
		return
	}
	a.say(event.ReferenceSent, slog.Int("samples", len(c.signals)), slog.String("first", c.first))
	a.endCollection()
}

// An offer is a signed reference for this device that has been verified.
type offer struct {
	doc      *trust.ReferenceDocument
	envelope []byte
}

// errReference: a reference is signed but not to be used.
var errReference = errors.New("not usable")

// verifyReference checks an envelope and whether it is for this device.
func (a *agent) verifyReference(envelope []byte) (*offer, error) {
	doc, err := a.updater.Root().VerifyReference(envelope)
	if err != nil {
		return nil, err
	}
	if doc.Site != a.c.Device.Site || doc.Device != a.c.Device.ID {
		return nil, fmt.Errorf("reference for device %.64q of site %.64q: %w", doc.Device, doc.Site, errReference)
	}
	ref, err := parseReference(doc.Reference)
	if err != nil {
		return nil, err
	}
	if ref.N < drift.MinReference {
		return nil, fmt.Errorf("reference of %d samples, want %d or more: %w", ref.N, drift.MinReference, errReference)
	}
	return &offer{doc, envelope}, nil
}

// storedReference is what keyReference holds. Sequence stays when the envelope
// is no longer of use.
type storedReference struct {
	Sequence uint64 `json:"sequence"`
	Envelope []byte `json:"envelope"`
}

// loadReference takes up the reference accepted in an earlier run.
func (a *agent) loadReference() {
	var stored storedReference
	if json.Unmarshal(a.get(keyReference), &stored) != nil {
		return
	}
	a.floor = stored.Sequence
	if o, err := a.verifyReference(stored.Envelope); err == nil {
		a.offered = o
	}
}

// offerFor returns the signed reference for a model, nil if there is none.
func (a *agent) offerFor(model string) *offer {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.offered == nil || a.offered.doc.Model != model {
		return nil
	}
	return a.offered
}

// handleReference takes a reference envelope as it arrived; retained ones come
// again with every connection.
func (a *agent) handleReference(envelope []byte) {
	if len(envelope) == 0 {
		return // that is how a retained message is deleted, and nobody signs it
	}
	o, err := a.verifyReference(envelope)
	if err == nil {
		err = a.acceptReference(o)
	}
	if err == nil {
		return
	}
	digest := trust.Digest(envelope)
	a.mu.Lock()
	again := a.refused == digest
	a.refused = digest
	a.mu.Unlock()
	if !again {
		a.say(event.ReferenceRefused, slog.Any("error", err))
		a.putHealth(event.ReferenceRefused, err.Error(), 0)
	}
}

// acceptReference puts a reference in force that is newer than the last and for
// the model in service. One for another model is kept in mind: that model may
// be on its way.
func (a *agent) acceptReference(o *offer) error {
	a.mu.Lock()
	switch {
	case o.doc.Sequence == a.floor:
		a.mu.Unlock()
		return nil
	case o.doc.Sequence < a.floor:
		defer a.mu.Unlock()
		return fmt.Errorf("reference with sequence %d after %d: %w", o.doc.Sequence, a.floor, errReference)
	}
	now := a.serving
	if now == nil || now.installed.Release.Model != o.doc.Model {
		a.offered = o
		a.mu.Unlock()
		return nil
	}
	a.mu.Unlock()
	ref, err := parseReference(o.doc.Reference)
	if err != nil {
		return err
	}
	// The thresholds take a while; inference goes on meanwhile.
	inForce, err := a.pipe.SetReference(now.model, ref, o.doc.First == "")
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.offered = o
	switch {
	case inForce:
		a.referenceTaken(now, o)
	case a.serving == now:
		a.say(event.ReferencePutOff, slog.Uint64("sequence", o.doc.Sequence), slog.String("model", o.doc.Model[:8]))
	}
	return nil
}

// referenceTaken notes that a reference is in force; with mu held.
func (a *agent) referenceTaken(s *serving, o *offer) {
	a.endCollection()
	s.reference = trust.Digest(o.doc.Reference)
	a.state = drift.Stable
	a.noteReference(o)
	a.persistMonitor()
	a.say(event.ReferenceTaken, slog.Uint64("sequence", o.doc.Sequence), slog.String("model", o.doc.Model[:8]))
	a.stateChanged()
}

// noteReference remembers a reference that is in force, over restarts and when it
// comes again.
func (a *agent) noteReference(o *offer) {
	a.floor = o.doc.Sequence
	value, err := json.Marshal(storedReference{Sequence: o.doc.Sequence, Envelope: o.envelope})
	if err != nil {
		a.o.Log.Error("reference cannot be encoded", slog.Any("error", err))
		return
	}
	a.put(keyReference, value)
}
