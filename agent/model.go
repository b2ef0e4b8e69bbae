package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"kedge/agent/drift"
	"kedge/agent/drift/estimate"
	"kedge/agent/pipeline"
	"kedge/agent/update"
	"kedge/telemetry/event"
	"kedge/telemetry/trust"
)

// serving is the model in service, and what goes with it when another takes its
// place. agent.mu guards what changes: first, reference, state, unreported, collect, capture.
type serving struct {
	installed  *update.Installed
	model      *pipeline.Model
	name       answerModel
	first      uint64      // the ring's number of the first sample that it answered
	reference  string      // digest of the reference in force
	signed     *offer      // the reference that it came into service with, nil if the bundle's
	state      drift.State // at the latest sample
	unreported string      // id of the alarm whose report is not in the outbox yet
	collect    *collection // nil if its first signals are not being collected
	capture    *capture    // nil if no evidence is being captured
}

// serve takes an installed model into service from the next sample on. If it
// fails, the model before it stays.
func (a *agent) serve(i *update.Installed) error {
	s, err := a.prepare(i)
	if err != nil {
		return fmt.Errorf("model %s version %d: %w", i.Release.Name, i.Release.Version, err)
	}
	a.mu.Lock()
	a.endCapture()
	if !a.restore(s) {
		s.first = a.buf.Ring.Next()
	}
	a.pipe.Swap(s.model)
	a.serving = s
	a.resumeMaintenance(s)
	if s.signed != nil && s.signed.doc.Sequence > a.references.floor {
		a.noteReference(s.signed)
	}
	if e, ok := a.pipe.Explain(); ok {
		s.state = e.State
	}
	if !a.maintenance.Active {
		a.beginCollection()
	}
	a.mu.Unlock()
	a.say(event.ModelLoaded, slog.String("slot", i.Slot), slog.String("name", i.Release.Name),
		slog.Uint64("version", i.Release.Version), slog.String("model", i.Release.Model[:8]),
		slog.Int("arena", i.Model.ArenaBytes()), slog.String("kernels", i.Model.Kernels()))
	wake(a.loaded)
	a.stateChanged()
	return nil
}

// prepare puts the parts of a bundle together, with the newest reference that
// was signed for the model.
func (a *agent) prepare(i *update.Installed) (*serving, error) {
	reference, signed := i.Bundle.Reference, a.offerFor(i.Release.Model)
	if signed != nil {
		reference = signed.doc.Reference
	}
	m, err := newModel(i, reference, a.c.Drift)
	if err != nil {
		return nil, err
	}
	return &serving{
		installed: i, model: m, reference: trust.Digest(reference), signed: signed,
		name: answerModel{Name: i.Release.Name, Version: i.Release.Version},
	}, nil
}

// CheckModel says why Run could not serve a model that package update has
// verified: its bundle has no labels, say, or asks for another signal. It is for
// update.Options.Check where no agent runs.
func CheckModel(i *update.Installed) error {
	_, err := newModel(i, i.Bundle.Reference, DefaultConfig().Drift)
	return err
}

// newModel makes what answers samples of a bundle's parts and a reference.
func newModel(i *update.Installed, reference []byte, c DriftConfig) (*pipeline.Model, error) {
	signals, err := signalsOf(i.Bundle, reference)
	if err != nil {
		return nil, err
	}
	watched, err := inputsOf(i.Bundle)
	if err != nil {
		return nil, err
	}
	context, err := contextOf(i.Bundle)
	if err != nil {
		return nil, err
	}
	invoker, logits, err := pipeline.Open(i.Model, signals)
	if err != nil {
		return nil, err
	}
	return pipeline.NewModel(pipeline.ModelOptions{
		Invoker: invoker, Logits: logits, Features: i.Bundle.Features, Labels: i.Bundle.Manifest.Labels,
		Signals: signals, Inputs: watched, ATC: (*estimate.ATC)(i.Bundle.Manifest.Accuracy),
		Context: context,
		Drift:   drift.Options{ARL: c.runLength(), Detectors: c.Detectors},
	})
}

func parseReference(data []byte) (drift.Reference, error) {
	var ref drift.Reference
	if err := json.Unmarshal(data, &ref); err != nil {
		return ref, fmt.Errorf("reference: %w", err)
	}
	return ref, ref.Validate()
}

// monitorState is what keyMonitor holds: it means something only for the same
// model and reference.
type monitorState struct {
	Model     string `json:"model"`
	Reference string `json:"reference"`
	Snapshot  []byte `json:"snapshot"`
}

// restore continues the watch that the last run stored, if it was of the same
// model and reference, and reports whether it was.
func (a *agent) restore(s *serving) bool {
	var m monitorState
	if json.Unmarshal(a.get(keyMonitor), &m) != nil || m.Model != s.installed.Release.Model || m.Reference != s.reference {
		return false
	}
	if err := s.model.Restore(m.Snapshot); err != nil {
		if !errors.Is(err, drift.ErrSnapshotParameters) { // the configuration may have changed
			a.o.Log.Warn("state of the drift monitor not usable, it begins anew", slog.Any("error", err))
		}
		return false
	}
	return true
}

// persistMonitor stores the state of the watch; with mu held. An alarm is stored
// only when its report is: else a restart would find it raised, and nobody told.
func (a *agent) persistMonitor() {
	s := a.serving
	if s == nil || s.unreported != "" {
		return
	}
	value, err := json.Marshal(monitorState{
		Model: s.installed.Release.Model, Reference: s.reference, Snapshot: a.pipe.Snapshot(s.model),
	})
	if err != nil {
		a.o.Log.Error("state of the drift monitor cannot be encoded", slog.Any("error", err))
		return
	}
	a.put(keyMonitor, value)
}

// persist stores what may be lost a little of.
func (a *agent) persist() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.persistMonitor()
	a.storeCounters()
	if a.maintenance.Active {
		a.noteMaintenance()
	}
}

// wake wakes the receiver of a channel of capacity one.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
