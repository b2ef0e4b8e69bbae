package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"kedge/agent/drift"
)

// maxInputState bounds the stored state of the watch over the inputs. A larger one is
// left out: after a restart that watch begins anew, and an alarm stands all the same.
// Twice in base64 it takes 71 KiB; that of eight signals, 3 KiB each, fits beside it into
// a value of state.db.
const maxInputState = 40 << 10

// stored is the state of all watches, as Snapshot encodes it.
type stored struct {
	Alarms  int64             `json:"alarms"`
	Local   []string          `json:"local,omitempty"` // the watches whose references were learned here
	Signals map[string][]byte `json:"signals"`
	Muted   map[string][]byte `json:"muted,omitempty"` // the latest signals, while the watch is muted
	Inputs  []byte            `json:"inputs,omitempty"`
}

// snapshot encodes the watches. With one signal and nothing else it is that monitor's
// own snapshot, which earlier versions read.
func (m *Model) snapshot() []byte {
	if m.simple() {
		return m.watches[0].monitor.Snapshot()
	}
	s := stored{Alarms: m.alarms, Signals: make(map[string][]byte)}
	for _, w := range m.watches {
		s.Signals[w.signal.Name] = w.monitor.Snapshot()
		if w.local {
			s.Local = append(s.Local, w.signal.Name)
		}
	}
	switch {
	case m.inputs == nil:
	case m.inputs.local:
		s.Local = append(s.Local, FiredInputs) // it learns again after a restart
	default:
		if b := m.inputs.monitor.Snapshot(); len(b) <= maxInputState {
			s.Inputs = b
		}
	}
	if m.muted != nil {
		s.Muted = make(map[string][]byte)
		for i, w := range m.watches {
			s.Muted[w.signal.Name] = m.muted[i].list()
		}
	}
	b, err := json.Marshal(s)
	if err != nil {
		panic("BUG: " + err.Error()) // numbers and bytes
	}
	return b
}

// simple reports whether the state is that of one monitor with the reference given.
func (m *Model) simple() bool {
	return len(m.watches) == 1 && m.inputs == nil && !m.watches[0].local && m.muted == nil
}

// Restore takes the state of the watch out of a Snapshot of the same model and
// references, before the model is in service. A watch whose options differ begins
// anew, and with the first signal's all do. The statistics that a report compares
// begin anew.
func (m *Model) Restore(snapshot []byte) error {
	if len(snapshot) == 0 || snapshot[0] != '{' {
		if err := m.watches[0].monitor.Restore(snapshot); err != nil {
			return err
		}
		m.alarms = m.watches[0].monitor.Explain().Alarms
		return nil
	}
	var s stored
	if err := json.Unmarshal(snapshot, &s); err != nil {
		return fmt.Errorf("%w: %w", drift.ErrSnapshotDamaged, err)
	}
	if s.Alarms < 0 {
		return fmt.Errorf("%d alarms: %w", s.Alarms, drift.ErrSnapshotDamaged)
	}
	for i, w := range m.watches {
		if slices.Contains(s.Local, w.signal.Name) {
			if err := w.learn(); err != nil {
				return err
			}
		}
		err := w.monitor.Restore(s.Signals[w.signal.Name])
		if err != nil && i == 0 {
			return errors.Join(err, m.reset())
		}
	}
	switch {
	case m.inputs == nil:
	case slices.Contains(s.Local, FiredInputs):
		m.inputs.learn()
	case s.Inputs != nil:
		_ = m.inputs.monitor.Restore(s.Inputs) // on an error it begins anew, as it is
	}
	m.alarms = s.Alarms
	if s.Muted == nil {
		return nil
	}
	m.mute()
	for i, w := range m.watches {
		for _, q := range s.Muted[w.signal.Name] {
			m.muted[i].add((float64(q) + 0.5) / drift.LatticeSize)
		}
	}
	return nil
}
