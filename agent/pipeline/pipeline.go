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
	Signal     float64 // what the drift monitor saw; lower is worse
	State      drift.State
	// Alarm says that this sample raised the first alarm since the reference is
	// in force; Report then tells what led to it.
	Alarm  bool
	Report *Report
	// Fired names the detectors that raised an alarm at this sample, also a
	// further one; usually nil.
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
	a := Answer{
		Sequence: p.sequence, Time: s.Time, Class: class, Label: m.labels[class],
		Confidence: confidence, Signal: confidence,
	}
	m.stats.add(class, a.Signal, m.features)
	r := m.monitor.Update(a.Signal)
	a.State, a.Fired, a.Alarm = r.State, r.Fired, r.State == drift.Drift
	if a.Alarm {
		a.Report = m.report()
	}
	return a, nil
}

// SetReference begins the watch anew against ref if m is in service, and reports
// whether it did. While an alarm stands it does so only if answer says that the
// reference is meant to end it. The thresholds are computed before the pipeline
// waits for it.
func (p *Pipeline) SetReference(m *Model, ref drift.Reference, answer bool) (bool, error) {
	options := m.drift
	options.Reference = ref
	monitor, err := drift.New(options)
	if err != nil {
		return false, fmt.Errorf("reference: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.model != m {
		return false, nil
	}
	if s := m.monitor.State(); !answer && (s == drift.Drift || s == drift.Latched) {
		return false, nil
	}
	m.drift, m.monitor, m.stats = options, monitor, newStats(len(m.labels), len(m.features))
	return true, nil
}

// Explain tells how the watch over the model in service stands; ok is false
// without a model.
func (p *Pipeline) Explain() (e drift.Explanation, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.model == nil {
		return e, false
	}
	return p.model.monitor.Explain(), true
}

// Snapshot encodes the state of the watch over m for Model.Restore; nil if m is
// not in service.
func (p *Pipeline) Snapshot(m *Model) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.model != m || m == nil {
		return nil
	}
	return m.monitor.Snapshot()
}
