// Package pipeline answers samples: it standardizes the features as the release
// says, quantizes them into the model's input, invokes the model, takes the most
// probable class, and shows its probability to the drift monitor.
//
// The first calls are NewModel, which puts together what a bundle says of one
// model, and New and Pipeline.Swap, which put it into service. Then every sample
// goes through Process.
//
// An answer depends on the sample and the model alone, and is the same bytes on
// every board. Process does not allocate, except for the report of an alarm. A
// model is swapped between two samples, never within one.
//
// All methods of a Pipeline may be called from any goroutine; they take turns.
package pipeline

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"kedge/agent/drift"
	"kedge/agent/drift/estimate"
	"kedge/agent/source"
)

// ErrNoModel says that no model is in service.
var ErrNoModel = errors.New("no model in service")

// An Answer is what the model says of one sample.
type Answer struct {
	Sequence   uint64 // of the sample since the Pipeline was made, from 1
	Time       time.Time
	Class      int    // index of the most probable class, the first of equal ones
	Label      string // its name
	Confidence float64
	Signal     float64 // what the first drift monitor saw; lower is worse
	State      drift.State
	Muted      bool // the watch is: State says nothing
	// Alarm says that this sample raised the first alarm since the reference is
	// in force; Report then tells what led to it.
	Alarm  bool
	Report *Report
	// Fired names the detectors that raised an alarm at this sample, also a
	// further one; usually nil. Those of a further signal are named after it,
	// "margin/e-sr", and the watch over the inputs is FiredInputs.
	Fired []string
}

// A Pipeline answers samples with the model in service.
type Pipeline struct {
	mu       sync.Mutex
	model    *Model
	sequence uint64
}

// New makes a Pipeline without a model.
func New() *Pipeline { return &Pipeline{} }

// Swap puts m into service from the next sample on and returns the model that
// was in service, or nil. m must not be in another Pipeline.
func (p *Pipeline) Swap(m *Model) *Model {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := p.model
	p.model = m
	return old
}

// Process answers one sample. ErrNoModel, ErrInput and ErrOutput are its
// errors; the sample then has no sequence number and the monitor did not see it.
func (p *Pipeline) Process(s source.Sample) (Answer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.model
	if m == nil {
		return Answer{}, ErrNoModel
	}
	class, confidence, err := m.infer(s.X)
	if err != nil {
		return Answer{}, err
	}
	p.sequence++
	a := Answer{Sequence: p.sequence, Time: s.Time, Class: class, Confidence: confidence, Signal: m.watches[0].value}
	if class >= 0 {
		a.Label = m.labels[class]
	}
	if class >= 0 {
		m.window.Add(drift.Quantize(confidence))
	}
	if m.muted != nil {
		for i, w := range m.watches {
			m.muted[i].add(w.value)
		}
		a.Muted, a.State = true, drift.Learning
		return a, nil
	}
	if m.context != nil {
		m.where = m.context.Of(s.Time, s.Context, m.raw)
	}
	m.stats.add(class, a.Signal, m.features)
	a.State, a.Fired = m.observe()
	a.Alarm = a.State == drift.Drift
	if a.Alarm {
		a.Report = m.report()
	}
	return a, nil
}

// SetReference begins the watch of the first signal anew against ref if m is in
// service, and reports whether it did. While an alarm stands it does so only if answer
// says that the reference is meant to end it; then the other watches begin anew too,
// and learn their references from the samples that follow. While the watch is muted it
// does not. The thresholds are computed before the pipeline waits for it.
func (p *Pipeline) SetReference(m *Model, ref drift.Reference, answer bool) (bool, error) {
	p.mu.Lock()
	first := watch{options: m.watches[0].options}
	p.mu.Unlock()
	if err := first.begin(ref); err != nil {
		return false, fmt.Errorf("reference: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.model != m || m.muted != nil || !answer && m.alarms > 0 {
		return false, nil
	}
	if m.alarms > 0 {
		if err := m.relearn(nil); err != nil {
			return false, fmt.Errorf("reference: %w", err)
		}
	}
	m.watches[0].options, m.watches[0].monitor, m.watches[0].local, m.given[0] = first.options, first.monitor, false, ref
	m.restart()
	return true, nil
}

// Mute stops the watch over m, if it is in service, until Unmute: samples are answered
// and counted, and raise no alarm.
func (p *Pipeline) Mute(m *Model) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.model == m && m != nil {
		m.mute()
	}
}

// Unmute begins the watch anew, with references learned from the latest samples since
// Mute and, where these are too few, from those that follow. It ends every alarm.
func (p *Pipeline) Unmute(m *Model) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.model != m || m == nil {
		return nil
	}
	return m.unmute()
}

// A Standing tells how the watch over a model stands.
type Standing struct {
	drift.Explanation             // of the first signal
	State             drift.State // of all watches
	Muted             bool
	Estimate          *estimate.Estimate // nil where nothing can be said
}

// Explain tells how the watch over the model in service stands; ok is false
// without a model.
func (p *Pipeline) Explain() (s Standing, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.model
	if m == nil {
		return s, false
	}
	return Standing{Explanation: m.watches[0].monitor.Explain(), State: m.state(), Muted: m.muted != nil, Estimate: m.estimate()}, true
}

// Snapshot encodes the state of the watch over m for Model.Restore; nil if m is
// not in service.
func (p *Pipeline) Snapshot(m *Model) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.model != m || m == nil {
		return nil
	}
	return m.snapshot()
}
