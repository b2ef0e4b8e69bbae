package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"kedge/agent/drift"
	"kedge/telemetry/event"
	"kedge/telemetry/trust"
)

// An offer is a signed reference for this device that has been verified.
type offer struct {
	doc      *trust.ReferenceDocument
	envelope []byte
}

// references are the signed references for this device so far.
type references struct {
	offered *offer // the newest, perhaps for a model that is still on its way
	floor   uint64 // sequence of the newest that came into force
	refused string // digest of the last that was refused, which is told once
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
	a.references.floor = stored.Sequence
	if o, err := a.verifyReference(stored.Envelope); err == nil {
		a.references.offered = o
	}
}

// offerFor returns the signed reference for a model, nil if there is none.
func (a *agent) offerFor(model string) *offer {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.references.offered == nil || a.references.offered.doc.Model != model {
		return nil
	}
	return a.references.offered
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
	again := a.references.refused == digest
	a.references.refused = digest
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
	case o.doc.Sequence == a.references.floor:
		a.mu.Unlock()
		return nil
	case o.doc.Sequence < a.references.floor:
		defer a.mu.Unlock()
		return fmt.Errorf("reference with sequence %d after %d: %w", o.doc.Sequence, a.references.floor, errReference)
	}
	now := a.serving
	if now == nil || now.installed.Release.Model != o.doc.Model {
		a.references.offered = o
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
	a.references.offered = o
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
	s.state = drift.Stable
	s.unreported = "" // the alarm has ended, and its report may still come
	a.noteReference(o)
	a.persistMonitor()
	a.say(event.ReferenceTaken, slog.Uint64("sequence", o.doc.Sequence), slog.String("model", o.doc.Model[:8]))
	a.stateChanged()
}

// noteReference remembers a reference that is in force, over restarts and when it
// comes again.
func (a *agent) noteReference(o *offer) {
	a.references.floor = o.doc.Sequence
	value, err := json.Marshal(storedReference{Sequence: o.doc.Sequence, Envelope: o.envelope})
	if err != nil {
		a.o.Log.Error("reference cannot be encoded", slog.Any("error", err))
		return
	}
	a.put(keyReference, value)
}
