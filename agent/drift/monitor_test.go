package drift

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func mustNew(t testing.TB, o Options) *Monitor {
	t.Helper()
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMonitorLife(t *testing.T) {
	s := newSampler(beta(19), 31)
	m := mustNew(t, Options{Reference: s.reference(500)})
	if m.State() != Stable {
		t.Fatalf("new: got %v, want stable", m.State())
	}
	for i := range 2000 {
		if r := m.Update(s.next()); r.State != Stable && r.State != Warning || r.Fired != nil {
			t.Fatalf("sample %d in control: got %+v", i, r)
		}
	}
	var seen []State
	alarm := 0
	for i := range 400 {
		r := m.Update(s.next() - 0.15)
		if len(seen) == 0 || seen[len(seen)-1] != r.State {
			seen = append(seen, r.State)
		}
		if r.State == Drift {
			if alarm = i; len(r.Fired) == 0 {
				t.Error("drift without a detector that fired")
			}
		}
		if err := m.check(); err != nil {
			t.Fatalf("sample %d: %v", i, err)
		}
	}
	if want := []State{Warning, Drift, Latched}; !slices.Equal(seen, want) && !slices.Equal(seen, append([]State{Stable}, want...)) {
		t.Errorf("got states %v, want stable, warning, drift, latched", seen)
	}
	if alarm > 40 {
		t.Errorf("got the alarm after %d samples, want at most 40", alarm)
	}
	e := m.Explain()
	if e.Alarms < 2 || e.FirstAlarm != int64(2000+alarm+1) {
		t.Errorf("got %d alarms, the first at %d, want several, the first at %d", e.Alarms, e.FirstAlarm, 2000+alarm+1)
	}
	for range 5000 { // the signal recovers; the latch does not
		if r := m.Update(s.next()); r.State != Latched {
			t.Fatalf("after the drift: got %v, want latched", r.State)
		}
	}
}

func TestMonitorWarningHysteresis(t *testing.T) {
	steps := make([]uint8, 500)
	for i := range steps {
		steps[i] = 200
	}
	m := mustNew(t, Options{Reference: referenceOf(steps), Detectors: []string{PageHinkley}})
	f := m.watched[0].Detector.(*Frozen)
	for _, c := range []struct {
		share float64
		want  State
	}{{0.4, Stable}, {0.6, Stable}, {0.8, Warning}, {0.6, Warning}, {0.8, Warning}, {0.4, Stable}, {0.6, Stable}} {
		f.s = int64(c.share * float64(f.h))
		if got := m.Update(float64(f.k) / LatticeSize).State; got != c.want {
			t.Errorf("statistic at %v of the threshold: got %v, want %v", c.share, got, c.want)
		}
	}
}

func TestMonitorLearns(t *testing.T) {
	for _, given := range []int{0, 10} {
		s := newSampler(beta(19), 32)
		var ref Reference
		if given > 0 {
			ref = s.reference(given)
		}
		m := mustNew(t, Options{Reference: ref})
		for i := range FullReference - 1 {
			if r := m.Update(s.next()); r.State != Learning || r.Fired != nil {
				t.Fatalf("sample %d: got %+v, want learning", i, r)
			}
		}
		e := m.Explain()
		if e.Learned != FullReference-1 || !e.Weak || len(e.Detectors) != 0 {
			t.Errorf("learning: got %+v", e)
		}
		if got := m.Update(s.next()).State; got != Stable {
			t.Errorf("got %v after %d samples, want stable", got, FullReference)
		}
		e = m.Explain()
		if !e.Weak || !e.Local || e.ReferenceN != int64(FullReference+given) || math.Abs(e.Mu0-0.948) > 0.01 {
			t.Errorf("learned: got weak %v, local %v, n %d, mu0 %v", e.Weak, e.Local, e.ReferenceN, e.Mu0)
		}
		alarm := -1
		for i := range 200 {
			if m.Update(s.next()-0.2).State == Drift {
				alarm = i
			}
		}
		if alarm < 0 {
			t.Error("a drop after the learning was not found")
		}
	}
}

func TestMonitorExplains(t *testing.T) {
	s := newSampler(saturated(), 33)
	m := mustNew(t, Options{Reference: s.reference(600), ARL: 5000, Detectors: []string{PageHinkley, EDetector, PageHinkleyRiver}})
	for range 1000 {
		m.Update(s.next())
	}
	m.Update(math.NaN())
	for m.Update(s.next()-0.3).State != Drift {
	}
	e := m.Explain()
	if e.State != Drift || e.N != e.FirstAlarm || e.Skipped != 1 || e.ARL != 5000 || e.Weak || e.Block != 1 {
		t.Errorf("got %+v", e)
	}
	if len(e.Detectors) != 3 || len(e.FirstFired) == 0 {
		t.Fatalf("got detectors %+v, fired %v", e.Detectors, e.FirstFired)
	}
	for _, d := range e.Detectors[:2] {
		if d.ARL != 10000 || !strings.Contains(d.Promise, "expected run length >= 10000") {
			t.Errorf("%s: got promise %v %q, want half of the budget, since the third promises nothing: 10000", d.Name, d.ARL, d.Promise)
		}
		if fired := slices.Contains(e.FirstFired, d.Name); fired != (d.Statistic >= d.Threshold) || fired != (d.Alarms == 1) {
			t.Errorf("%s: fired %v with %v of %v, %d alarms", d.Name, fired, d.Statistic, d.Threshold, d.Alarms)
		}
	}
	if river := e.Detectors[2]; river.ARL != 0 || !strings.HasPrefix(river.Promise, "none") {
		t.Errorf("river: got promise %v %q, want none", river.ARL, river.Promise)
	}
	if len(e.Course) != courseSize || e.RecentN != recentSize || e.RecentMean >= e.Mu0 {
		t.Errorf("got %d points, recent mean %v of %d", len(e.Course), e.RecentMean, e.RecentN)
	}
	last := e.Course[len(e.Course)-1]
	if last.N != e.N || math.Abs(last.Statistics[1]-e.Detectors[1].Statistic) > 1e-5 {
		t.Errorf("got the last point %+v, want the alarm itself", last)
	}
	for i, p := range e.Course[1:] {
		if p.N <= e.Course[i].N || len(p.Statistics) != 3 {
			t.Errorf("point %d: got %+v after %+v", i+1, p, e.Course[i])
		}
	}
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var back Explanation
	if err := json.Unmarshal(data, &back); err != nil || back.State != Drift || back.N != e.N {
		t.Errorf("JSON: got %+v (%v), want it back", back, err)
	}
}

func TestMonitorSkipsWhatIsNoNumber(t *testing.T) {
	s := newSampler(beta(19), 34)
	m := mustNew(t, Options{Reference: s.reference(500)})
	for range 1000 {
		for _, x := range []float64{math.NaN(), math.Inf(-1), math.Inf(1)} {
			if r := m.Update(x); r.State != Stable || r.Fired != nil {
				t.Fatalf("%v: got %+v, want stable", x, r)
			}
		}
	}
	if e := m.Explain(); e.Skipped != 3000 || e.N != 0 {
		t.Errorf("got %d skipped, n %d, want 3000 and 0", e.Skipped, e.N)
	}
}

func TestMonitorRefuses(t *testing.T) {
	ref := newSampler(beta(19), 35).reference(500)
	for _, c := range []struct {
		name string
		opts Options
		want error
	}{
		{"unknown detector", Options{Reference: ref, Detectors: []string{"kswin"}}, ErrUnknownDetector},
		{"unknown detector while learning", Options{Detectors: []string{"kswin"}}, ErrUnknownDetector},
		{"twice", Options{Reference: ref, Detectors: []string{EDetector, EDetector}}, ErrParameter},
		{"short run length", Options{Reference: ref, ARL: 99}, ErrParameter},
		{"run length not a number", Options{Reference: ref, ARL: math.NaN()}, ErrParameter},
		{"delta negative", Options{Reference: ref, Delta: -0.1}, ErrParameter},
		{"delta not a number", Options{Delta: math.NaN()}, ErrParameter},
		{"river's alpha", Options{Reference: ref, Detectors: []string{PageHinkleyRiver}, River: RiverOptions{Alpha: 2}}, ErrParameter},
		{"river's alpha while learning", Options{River: RiverOptions{Alpha: 2}}, ErrParameter},
		{"reference", Options{Reference: Reference{N: 5}}, ErrReference},
	} {
		if m, err := New(c.opts); !errors.Is(err, c.want) || m != nil {
			t.Errorf("%s: got %v, %v, want %v", c.name, m, err, c.want)
		}
	}
}

// TestMonitorFalseAlarms simulates what the pair promises, for a budget short enough
// to count alarms: independent, and correlated where river's form and ADWIN always
// raise one.
func TestMonitorFalseAlarms(t *testing.T) {
	const arl, steps, draws = 1000, 5000, 40
	rng := rand.New(rand.NewPCG(36, 1))
	for _, ratio := range []float64{0, 0.9} {
		alarms := 0
		for range draws {
			xs := correlated(rng, ratio, 2000+steps)
			ref, err := NewReference(xs[:2000])
			if err != nil {
				t.Fatal(err)
			}
			m := mustNew(t, Options{Reference: ref, ARL: arl})
			for _, x := range xs[2000:] {
				m.Update(x)
			}
			alarms += int(m.Explain().Alarms)
		}
		if most := draws * steps / arl; alarms > most {
			t.Errorf("correlation %v: got %d false alarms, want at most %d", ratio, alarms, most)
		}
	}
}

func TestMonitorAllocatesNothing(t *testing.T) {
	s := newSampler(beta(19), 37)
	for name, m := range map[string]*Monitor{
		"watching": mustNew(t, Options{Reference: s.reference(500), Detectors: []string{PageHinkley, EDetector, PageHinkleyRiver}}),
		"learning": mustNew(t, Options{}),
	} {
		if got := testing.AllocsPerRun(400, func() { m.Update(s.next()) }); got != 0 {
			t.Errorf("%s: got %v allocations per update, want 0", name, got)
		}
	}
}

func TestStateText(t *testing.T) {
	for s := Learning; s <= Latched; s++ {
		text, err := s.MarshalText()
		var back State
		if err != nil || back.UnmarshalText(text) != nil || back != s || string(text) != s.String() {
			t.Errorf("%v: got %q (%v), and back %v", s, text, err, back)
		}
	}
	if _, err := (Latched + 1).MarshalText(); err == nil {
		t.Error("an unknown state was written")
	}
	var s State
	if s.UnmarshalText([]byte("asleep")) == nil {
		t.Error("an unknown state was read")
	}
}

func BenchmarkMonitorUpdate(b *testing.B) {
	s := newSampler(beta(19), 38)
	m := mustNew(b, Options{Reference: s.reference(500)})
	xs := make([]float64, 1024)
	for i := range xs {
		xs[i] = s.next()
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		m.Update(xs[i%len(xs)])
		i++
	}
}
