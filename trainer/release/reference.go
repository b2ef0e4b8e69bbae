package release

import (
	"encoding/json"
	"errors"
	"fmt"

	"kedge/agent/drift"
	"kedge/telemetry/trust"
	"kedge/trainer/store"
)

// Refusals of a reference that a device offers.
var (
	// ErrTooFew: fewer samples than a reference has to have.
	ErrTooFew = errors.New("too few samples for a reference")
	// ErrImplausible: the signal is lower than the present reference allows.
	ErrImplausible = errors.New("signal lower than the present reference allows")
)

// CheckReference decides whether the first signals of a new model may become
// its reference. present is the one that the model was released with, usually a
// weak one. Signals whose mean lies below what the e-detector still takes for
// undrifted are no picture of a healthy device: to sign them would make the
// device blind to a drift that is already there.
func CheckReference(signals []byte, present drift.Reference) (drift.Reference, error) {
	if len(signals) < drift.FullReference {
		return drift.Reference{}, fmt.Errorf("%d signals, want at least %d: %w", len(signals), drift.FullReference, ErrTooFew)
	}
	// Half a step above the lattice value, so that rounding cannot change the step.
	xs := make([]float64, len(signals))
	for i, s := range signals {
		xs[i] = (float64(s) + 0.5) / drift.LatticeSize
	}
	offered, err := drift.NewReference(xs)
	if err != nil {
		return drift.Reference{}, err
	}
	if present.N < drift.MinReference {
		return offered, nil // nothing to compare with
	}
	floor := present.ESRMean(drift.DefaultARL) - 2*offered.StdErr()
	if offered.Mean() < floor {
		return drift.Reference{}, fmt.Errorf("mean %.4f, at least %.4f: %w", offered.Mean(), floor, ErrImplausible)
	}
	return offered, nil
}

// NewReference condenses the signal on samples that the model was not trained
// on, in the order in which they were taken.
func NewReference(signal []float64) (drift.Reference, error) { return drift.NewReference(signal) }

// NewContextReference is NewReference with the context in which each sample was taken.
func NewContextReference(signal []float64, contexts []string) (drift.Reference, error) {
	return drift.NewContextReference(signal, contexts)
}

// SignReference signs and keeps a reference for the model on one device, under
// the device's next sequence, together with whatever else tx does. first is the
// id of the first sample if ref is made of a reference event's signals, else "".
func (r *Registry) SignReference(tx *store.Tx, site, device, model, first string, ref drift.Reference) (store.Reference, error) {
	encoded, err := json.Marshal(ref)
	if err != nil {
		return store.Reference{}, fmt.Errorf("reference: %w", err)
	}
	sequence, err := tx.NextReference(site, device)
	if err != nil {
		return store.Reference{}, err
	}
	doc := trust.ReferenceDocument{
		Type: "reference", Site: site, Device: device, Model: model,
		Sequence: sequence, Issued: r.now(), First: first, Reference: encoded,
	}
	envelope, err := trust.Sign(trust.TypeReference, doc, r.Keys.release)
	if err != nil {
		return store.Reference{}, err
	}
	if _, err := r.Keys.root.VerifyReference(envelope); err != nil {
		return store.Reference{}, err
	}
	kept := store.Reference{
		Site: site, Device: device, Model: model, Sequence: sequence, Envelope: envelope, Created: doc.Issued,
	}
	return kept, tx.AddReference(kept)
}

// PresentReference returns the reference that a device has for the model: the
// newest that was signed for it, or else the one in the model's release.
func (r *Registry) PresentReference(tx *store.Tx, site, device, model string) (drift.Reference, error) {
	var ref drift.Reference
	kept, err := tx.Reference(site, device, model)
	if err == nil {
		doc, err := r.Keys.root.VerifyReference(kept.Envelope)
		if err == nil {
			err = json.Unmarshal(doc.Reference, &ref)
			return ref, err
		}
		// Signed by a key that was replaced since: devices refuse it too.
	} else if !errors.Is(err, store.ErrNotFound) {
		return ref, err
	}
	rel, err := tx.ReleaseOfModel(model)
	if err != nil {
		return ref, err
	}
	data, err := r.Store.Blob(rel.Bundle)
	if err != nil {
		return ref, err
	}
	bundle, err := trust.OpenBundle(data)
	if err != nil {
		return ref, fmt.Errorf("release %s version %d: %w", rel.Name, rel.Version, err)
	}
	err = json.Unmarshal(bundle.Reference, &ref)
	return ref, err
}
