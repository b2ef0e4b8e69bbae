package drift

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
)

var persistCases = []struct {
	name string
	opts func() Options
}{
	{"with a reference", func() Options { return Options{Reference: newSampler(beta(19), 41).reference(500)} }},
	{"all detectors", func() Options {
		return Options{Reference: newSampler(beta(19), 41).reference(100), Detectors: []string{EDetector, PageHinkleyRiver, PageHinkley, CUSUM, ADWIN}}
	}},
	{"learning", func() Options { return Options{} }},
}

// TestMonitorSurvivesRestarts stops and resumes the monitor after every few samples:
// nothing of what it says may differ from one that never stopped.
func TestMonitorSurvivesRestarts(t *testing.T) {
	for _, c := range persistCases {
		steady, resumed := mustNew(t, c.opts()), mustNew(t, c.opts())
		s, drifts := newSampler(beta(19), 42), 0
		for i := range 1200 {
			x := s.next()
			if i >= 900 {
				x -= 0.15
			}
			want, got := steady.Update(x), resumed.Update(x)
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%s, sample %d: got %+v, want %+v", c.name, i, got, want)
			}
			if got.State == Drift {
				drifts++
			}
			if i%7 != 0 && got.State != Drift {
				continue
			}
			snapshot := resumed.Snapshot()
			resumed = mustNew(t, c.opts())
			if err := resumed.Restore(snapshot); err != nil {
				t.Fatalf("%s, sample %d: %v", c.name, i, err)
			}
			if got.State == Drift && resumed.State() != Latched {
				t.Errorf("%s: restored in %v right after the alarm, want latched", c.name, resumed.State())
			}
		}
		if drifts != 1 {
			t.Errorf("%s: got %d first alarms, want 1", c.name, drifts)
		}
		if got, want := resumed.Explain(), steady.Explain(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", c.name, got, want)
		}
		if got := len(resumed.Snapshot()); got > 4096 {
			t.Errorf("%s: got a snapshot of %d bytes, want at most 4096", c.name, got)
		}
	}
}

func TestMonitorRefusesSnapshots(t *testing.T) {
	o := persistCases[0].opts()
	m, s := mustNew(t, o), newSampler(beta(19), 43)
	for range 300 {
		m.Update(s.next() - 0.1)
	}
	good := m.Snapshot()
	other := func(change func(*Options)) []byte {
		o := persistCases[0].opts()
		change(&o)
		return mustNew(t, o).Snapshot()
	}
	state := bytes.Clone(good)
	state[2+8+8] = byte(Stable) // after header, fingerprint and no learned samples
	version := bytes.Clone(good)
	version[0]++
	for _, c := range []struct {
		name     string
		snapshot []byte
		want     error
	}{
		{"nothing", nil, ErrSnapshotDamaged},
		{"another version", version, ErrSnapshotVersion},
		{"a detector's", m.watched[0].Snapshot(), ErrSnapshotDetector},
		{"another run length", other(func(o *Options) { o.ARL = 20000 }), ErrSnapshotParameters},
		{"another reference", other(func(o *Options) { o.Reference = newSampler(beta(19), 44).reference(500) }), ErrSnapshotParameters},
		{"other detectors", other(func(o *Options) { o.Detectors = []string{EDetector} }), ErrSnapshotParameters},
		{"alarms but stable", state, ErrSnapshotDamaged},
		{"longer", append(bytes.Clone(good), 0), ErrSnapshotDamaged},
	} {
		if err := m.Restore(c.snapshot); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
	for n := range len(good) {
		if err := m.Restore(good[:n]); err == nil {
			t.Errorf("the first %d of %d bytes were accepted", n, len(good))
		}
	}
	if !bytes.Equal(m.Snapshot(), good) {
		t.Error("refused snapshots changed the state")
	}
}

// FuzzRestore: no bytes may panic, and what is accepted must work and hold the
// invariants.
func FuzzRestore(f *testing.F) {
	for _, c := range persistCases {
		m, s := mustNew(f, c.opts()), newSampler(beta(19), 45)
		for range 40 {
			m.Update(s.next() - 0.2)
		}
		f.Add(m.Snapshot())
		for i := range m.watched {
			f.Add(m.watched[i].Snapshot())
		}
	}
	monitors := make(map[string]*Monitor) // made once: thresholds take time
	for _, c := range persistCases {
		monitors[c.name] = mustNew(f, c.opts())
	}
	f.Fuzz(func(t *testing.T, snapshot []byte) {
		all := detectors(t)
		for name, m := range monitors {
			for i := range m.watched {
				all[name+" "+m.watched[i].Name()] = blankDetector(m.watched[i].Detector)
			}
		}
		for name, d := range all {
			if d.Restore(snapshot) != nil {
				continue
			}
			if again := d.Snapshot(); !bytes.Equal(again, snapshot) {
				t.Errorf("%s: accepted %x but writes %x", name, snapshot, again)
			}
			d.Update(0.5)
			if !finite(d.Statistic()) {
				t.Errorf("%s: statistic is %v", name, d.Statistic())
			}
		}
		for name, m := range monitors {
			m = m.blank()
			if m.Restore(snapshot) != nil {
				continue
			}
			for range 300 {
				m.Update(0.4)
				if err := m.check(); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			if _, err := json.Marshal(m.Explain()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
