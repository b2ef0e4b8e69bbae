package pipeline

import (
	"math"
	"testing"

	"kedge/agent/drift"
	"kedge/agent/drift/estimate"
	"kedge/agent/drift/signal"
)

// TestContextIsNoDrift: at night the model is less sure, and that is as it should be.
func TestContextIsNoDrift(t *testing.T) {
	var signals []float64
	var contexts []string
	for i := range 1200 {
		day := i%24 >= 12
		signals, contexts = append(signals, 0.99), append(contexts, map[bool]string{true: "day", false: "night"}[day])
		if !day {
			signals[i] = 0.88
		}
	}
	ref, err := drift.NewContextReference(signals, contexts)
	if err != nil {
		t.Fatal(err)
	}
	o := options(t)
	o.Signals = []SignalOptions{declared(t, signal.Top1, 0, ref)}
	if o.Context, err = signal.ParseContext(signal.ContextSource, nil, nil); err != nil {
		t.Fatal(err)
	}
	m, err := NewModel(o)
	if err != nil {
		t.Fatal(err)
	}
	p := New()
	p.Swap(m)
	night, day := sample(12, 0), sample(18, 0) // 0.88 and 0.99 sure
	night.Context, day.Context = "night", "day"
	for i := range 3000 {
		s := night
		if i/300%2 == 1 {
			s = day
		}
		if got, err := p.Process(s); err != nil || got.Fired != nil {
			t.Fatalf("sample %d: got %v, %v, want nothing", i, got.Fired, err)
		}
	}
	if n := testing.AllocsPerRun(200, func() {
		if _, err := p.Process(day); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("got %v allocations per sample, want 0", n)
	}
	dusk := day
	dusk.Context = "dusk"
	if _, err := p.Process(dusk); err != nil {
		t.Fatal(err)
	}
	if s, _ := p.Explain(); s.Unknown != 1 || s.Contexts != 2 {
		t.Errorf("got %d unknown, %d contexts, want 1 and 2", s.Unknown, s.Contexts)
	}
	// By day it is drift.
	night.Context = "day"
	for i := 0; ; i++ {
		got, err := p.Process(night)
		if err != nil || i > 100 {
			t.Fatalf("%v, %d samples without an alarm", err, i)
		}
		if got.Alarm {
			if got.Report.Key != "source" || got.Report.Where != "day" {
				t.Errorf("got %q %q, want source day", got.Report.Key, got.Report.Where)
			}
			break
		}
	}
}

// TestEstimate: with a threshold the accuracy is estimated, without one its loss.
func TestEstimate(t *testing.T) {
	o := options(t)
	o.ATC = &estimate.ATC{Threshold: 230, Share: 0.5, Accuracy: 0.9, N: 400}
	m, err := NewModel(o)
	if err != nil {
		t.Fatal(err)
	}
	p := New()
	p.Swap(m)
	if s, _ := p.Explain(); s.Estimate != nil {
		t.Errorf("before the first sample: got %+v", s.Estimate)
	}
	for range 30 {
		process(t, p, 18, 0) // 0.99
		process(t, p, 12, 0) // 0.88, below the threshold
	}
	s, _ := p.Explain()
	if e := s.Estimate; e == nil || e.Kind != estimate.KindATC || e.N != 60 || e.Accuracy != 0.5 || math.Abs(e.Score-0.4) > 1e-12 {
		t.Errorf("got %+v, want half of 60 above the threshold", e)
	}
	p, m = loaded(t)
	for range 60 {
		process(t, p, 12, 0)
	}
	s, _ = p.Explain()
	want := m.watches[0].monitor.Reference().Mean() - 225.0/256
	if e := s.Estimate; e == nil || e.Kind != estimate.KindDoC || !math.IsNaN(e.Accuracy) || math.Abs(e.Score-want) > 1e-12 {
		t.Errorf("got %+v, want a loss of %v", e, want)
	}
}
