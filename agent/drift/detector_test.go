package drift

import (
	"bytes"
	"errors"
	"math"
	"testing"
)

// detectors returns one of each kind, freshly made.
func detectors(t testing.TB) map[string]Detector {
	t.Helper()
	frozen, err := NewFrozen(237, 300)
	if err != nil {
		t.Fatal(err)
	}
	river, err := NewRiver(RiverOptions{Lambda: 2})
	if err != nil {
		t.Fatal(err)
	}
	esr, err := NewESR(ESROptions{Mu0: 0.94, ARL: 1000})
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := NewESR(ESROptions{Mu0: 0.94, ARL: 1000, Block: 7})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]Detector{PageHinkley: frozen, PageHinkleyRiver: river, EDetector: esr, EDetector + " in blocks": blocks}
	for _, c := range []struct {
		kind   string
		params map[string]string
	}{
		{CUSUM, map[string]string{"mode": "down", "threshold": "12"}}, {ADWIN, nil},
		{PageHinkleyMOA, map[string]string{"lambda": "2"}}, {DriftDetectionMethod, nil},
	} {
		all[c.kind] = mustKind(t, c.kind, c.params)
	}
	all[ADWIN+" of moa"] = mustKind(t, ADWIN, map[string]string{"compat": "moa", "delta": "0.05", "clock": "1"})
	return all
}

func mustKind(t testing.TB, name string, params map[string]string) Detector {
	t.Helper()
	kind, err := KindOf(name)
	if err != nil {
		t.Fatal(err)
	}
	d, err := kind.New(params)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// fed is what a detector that watches errors is given for a signal.
func fed(d Detector, x float64) float64 {
	if d.Name() == PageHinkleyMOA || d.Name() == DriftDetectionMethod {
		return 1 - x
	}
	return x
}

// drifting is the i-th sample of a signal that falls at 300.
func drifting(i int, s *sampler) float64 {
	if x := s.next(); i < 300 {
		return x
	} else {
		return x - 0.3
	}
}

func TestDetectorsFindADrop(t *testing.T) {
	for name, d := range detectors(t) {
		s, first := newSampler(beta(19), 21), -1
		for i := range 600 {
			state := d.Update(fed(d, drifting(i, s)))
			over := d.Statistic() >= d.Threshold()
			if over != (state == Drift) {
				t.Fatalf("%s, sample %d: got state %v with %v of %v", name, i, state, d.Statistic(), d.Threshold())
			}
			if state == Drift && first < 0 {
				first = i
			}
		}
		if first < 300 || first > 400 {
			t.Errorf("%s: got the first alarm at %d, want it in 300..400", name, first)
		}
	}
}

func TestDetectorsSkipAndClamp(t *testing.T) {
	for name, d := range detectors(t) {
		s := newSampler(beta(19), 22)
		for range 200 {
			d.Update(s.next())
		}
		before := d.Snapshot()
		for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			d.Update(x)
			if !bytes.Equal(d.Snapshot(), before) {
				t.Errorf("%s: %v changed the state", name, x)
			}
		}
		for range 200 {
			for _, x := range []float64{math.MaxFloat64, -math.MaxFloat64, 1e99, -1e99, 3, -3} {
				d.Update(x)
			}
		}
		if !finite(d.Statistic()) {
			t.Errorf("%s: got statistic %v after absurd samples", name, d.Statistic())
		}
		if err := d.Restore(d.Snapshot()); err != nil {
			t.Errorf("%s: own snapshot after absurd samples: %v", name, err)
		}
	}
}

func TestDetectorsAllocateNothing(t *testing.T) {
	for name, d := range detectors(t) {
		s := newSampler(beta(19), 23)
		if got := testing.AllocsPerRun(2000, func() { d.Update(fed(d, s.next()-0.1)) }); got != 0 {
			t.Errorf("%s: got %v allocations per update, want 0", name, got)
		}
	}
}

func TestDetectorsContinueFromSnapshots(t *testing.T) {
	resumed := detectors(t)
	for name, d := range detectors(t) {
		s := newSampler(beta(19), 24)
		for i := range 600 {
			x := fed(d, drifting(i, s))
			want := d.Update(x)
			r := resumed[name]
			if got := r.Update(x); got != want || r.Statistic() != d.Statistic() {
				t.Fatalf("%s, sample %d: got %v %v, want %v %v", name, i, got, r.Statistic(), want, d.Statistic())
			}
			fresh := detectors(t)[name]
			if err := fresh.Restore(r.Snapshot()); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			resumed[name] = fresh
		}
		d.Reset()
		if !bytes.Equal(d.Snapshot(), detectors(t)[name].Snapshot()) {
			t.Errorf("%s: a reset detector differs from a new one", name)
		}
	}
}

func TestDetectorsRefuseSnapshots(t *testing.T) {
	frozen, _ := NewFrozen(237, 301)
	river, _ := NewRiver(RiverOptions{Lambda: 2, Direction: Down})
	esr, _ := NewESR(ESROptions{Mu0: 0.94, ARL: 1001})
	others := map[string]Detector{
		PageHinkley: frozen, PageHinkleyRiver: river, EDetector: esr,
		CUSUM:                mustKind(t, CUSUM, map[string]string{"mode": "down", "threshold": "11"}),
		ADWIN:                mustKind(t, ADWIN, map[string]string{"clock": "16"}),
		PageHinkleyMOA:       mustKind(t, PageHinkleyMOA, map[string]string{"lambda": "3"}),
		DriftDetectionMethod: mustKind(t, DriftDetectionMethod, map[string]string{"warm_start": "31"}),
	}
	all := detectors(t)
	for name, other := range others {
		d := all[name]
		for range 40 {
			d.Update(0.5)
		}
		good := d.Snapshot()
		version := bytes.Clone(good)
		version[0]++
		foreign := all[PageHinkley].Snapshot()
		if name == PageHinkley {
			foreign = all[EDetector].Snapshot()
		}
		for _, c := range []struct {
			name     string
			snapshot []byte
			want     error
		}{
			{"nothing", nil, ErrSnapshotDamaged},
			{"another version", version, ErrSnapshotVersion},
			{"another detector", foreign, ErrSnapshotDetector},
			{"other parameters", other.Snapshot(), ErrSnapshotParameters},
			{"cut", good[:len(good)-1], ErrSnapshotDamaged},
			{"longer", append(bytes.Clone(good), 0), ErrSnapshotDamaged},
		} {
			if err := d.Restore(c.snapshot); !errors.Is(err, c.want) {
				t.Errorf("%s, %s: got %v, want %v", name, c.name, err, c.want)
			}
			if !bytes.Equal(d.Snapshot(), good) {
				t.Errorf("%s, %s: a refused snapshot changed the state", name, c.name)
			}
		}
	}
}

func TestDetectorParameters(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range [][2]int{{-1, 5}, {256, 5}, {5, 0}, {5, -3}} {
		if _, err := NewFrozen(c[0], c[1]); !errors.Is(err, ErrParameter) {
			t.Errorf("k %d h %d: got %v, want ErrParameter", c[0], c[1], err)
		}
	}
	for _, o := range []RiverOptions{
		{Direction: 3}, {Delta: -1}, {Delta: nan}, {Lambda: -1}, {Lambda: inf}, {Alpha: -1}, {Alpha: 1.1}, {Alpha: nan}, {MinInstances: -1},
	} {
		if _, err := NewRiver(o); !errors.Is(err, ErrParameter) {
			t.Errorf("%+v: got %v, want ErrParameter", o, err)
		}
	}
	for _, o := range []ESROptions{{Mu0: 1, ARL: 100}, {Mu0: nan, ARL: 100}, {Mu0: -inf, ARL: 100}, {Mu0: 0.9}, {Mu0: 0.9, ARL: 1}, {Mu0: 0.9, ARL: inf}} {
		if _, err := NewESR(o); !errors.Is(err, ErrParameter) {
			t.Errorf("%+v: got %v, want ErrParameter", o, err)
		}
	}
}

// TestESRGuarantee runs the e-detector at the edge of what counts as undrifted, for
// a distribution about which it knows nothing.
func TestESRGuarantee(t *testing.T) {
	const arl, runs = 200, 400
	w := saturated()
	mean, total := 0.0, 0.0
	for q, p := range w {
		mean, total = mean+p*float64(q)/LatticeSize, total+p
	}
	d, err := NewESR(ESROptions{Mu0: mean / total, ARL: arl})
	if err != nil {
		t.Fatal(err)
	}
	s, steps := newSampler(w, 25), 0
	for range runs {
		d.Reset()
		for steps++; d.Update(s.next()) != Drift; steps++ {
		}
	}
	if got := float64(steps) / runs; got < arl {
		t.Errorf("got a mean run of %v, want at least %v", got, arl)
	}
}

func TestESRNeverOverflows(t *testing.T) {
	d, err := NewESR(ESROptions{Mu0: 0.99, ARL: 1e9})
	if err != nil {
		t.Fatal(err)
	}
	for range 5000 {
		d.Update(0)
	}
	if got := d.LogE(); !finite(got) || got < 600 {
		t.Errorf("got log e %v, want it large and finite", got)
	}
}

// TestESRStuckSignal: a signal that stands at its reference mean for good is no
// drift, whatever the level.
func TestESRStuckSignal(t *testing.T) {
	for _, q := range []uint8{0, 3, 128, 250, 255} {
		steps := make([]uint8, FullReference)
		for i := range steps {
			steps[i] = q
		}
		for _, arl := range []float64{500, 20000, 1e9} {
			d, err := NewESR(ESROptions{Mu0: referenceOf(steps).ESRMean(arl), ARL: arl})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 200000 {
				if d.Update(float64(q)/LatticeSize) == Drift {
					t.Errorf("constant %d, run length %v: alarm at %d", q, arl, i)
					break
				}
			}
		}
	}
}
