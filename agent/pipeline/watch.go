package pipeline

import (
	"fmt"

	"kedge/agent/drift"
	"kedge/agent/drift/inputs"
	"kedge/agent/drift/signal"
)

// FiredInputs stands among the detectors that fired for the watch over the inputs.
const FiredInputs = "inputs"

// A SignalOptions is a signal that is watched, and its reference.
type SignalOptions struct {
	Signal    signal.Signal
	Reference drift.Reference
}

// watch is one signal with its monitor.
type watch struct {
	signal  signal.Signal
	options drift.Options
	monitor *drift.Monitor
	value   float64 // at the latest sample
	local   bool    // the reference is learned here
}

// shares is among how many watches the promise is divided: each gets that many times
// the run length, so that together they keep it.
func (o *ModelOptions) shares() float64 {
	n := len(o.Signals)
	if o.Inputs != nil {
		n++
	}
	return float64(max(n, 1))
}

// openWatches makes the monitors.
func (m *Model) openWatches(o *ModelOptions) error {
	arl := o.Drift.ARL
	if arl == 0 {
		arl = drift.DefaultARL
	}
	m.arl = arl
	arl *= o.shares()
	for _, s := range o.Signals {
		w := &watch{signal: s.Signal, options: o.Drift}
		w.options.Reference, w.options.ARL = s.Reference, arl
		if err := w.begin(s.Reference); err != nil {
			if len(o.Signals) > 1 {
				err = fmt.Errorf("signal %s: %w", s.Signal.Name, err)
			}
			return err
		}
		m.watches = append(m.watches, w)
	}
	if o.Inputs == nil {
		return nil
	}
	if len(o.Inputs.Features) != len(m.names) {
		return fmt.Errorf("inputs: %d features, want %d: %w", len(o.Inputs.Features), len(m.names), ErrModel)
	}
	for i, f := range o.Inputs.Features {
		if f.Name != m.names[i] || f.Type != inputs.Float {
			return fmt.Errorf("inputs: feature %d is %.40q of type %v, want %q as a number: %w", i, f.Name, f.Type, m.names[i], ErrModel)
		}
	}
	var err error
	m.inputs, err = newInputWatch(o.Inputs, arl)
	return err
}

// begin watches anew against ref.
func (w *watch) begin(ref drift.Reference) error {
	options := w.options
	options.Reference = ref
	monitor, err := drift.New(options)
	if err != nil {
		return err
	}
	w.options, w.monitor, w.local = options, monitor, false
	return nil
}

// learn watches anew, and learns a reference here.
func (w *watch) learn() error {
	err := w.begin(drift.Reference{})
	w.local = true
	return err
}

// fired names a detector in answers and reports: those of the first signal by their
// names alone, as in models with no other.
func (m *Model) fired(i int, detector string) string {
	if i == 0 {
		return detector
	}
	return m.watches[i].signal.Name + "/" + detector
}

// observe shows the latest sample to all watches. The first alarm of any of them is
// the alarm; until then the state is the first signal's, or Warning if another one
// warns.
func (m *Model) observe() (state drift.State, fired []string) {
	warning := false
	for i, w := range m.watches {
		r := w.monitor.UpdateIn(w.value, m.where)
		for _, name := range r.Fired {
			fired = append(fired, m.fired(i, name))
		}
		warning = warning || r.State == drift.Warning
	}
	if m.inputs != nil {
		alarm, s := m.inputs.update(m.raw)
		if alarm {
			fired = append(fired, FiredInputs)
		}
		warning = warning || s == drift.Warning
	}
	m.just = false
	if len(fired) > 0 {
		m.alarms++
		m.just = m.alarms == 1
	}
	return m.stateNow(warning), fired
}

// stateNow is the state of all watches together.
func (m *Model) stateNow(warning bool) drift.State {
	first := m.watches[0].monitor.State()
	switch {
	case m.just:
		return drift.Drift
	case m.alarms > 0:
		return drift.Latched
	case warning && first != drift.Learning:
		return drift.Warning
	}
	return first
}

// state is that after the latest sample.
func (m *Model) state() drift.State {
	warning := m.inputs != nil && m.inputs.state() == drift.Warning
	for _, w := range m.watches {
		warning = warning || w.monitor.State() == drift.Warning
	}
	return m.stateNow(warning)
}
