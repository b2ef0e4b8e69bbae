package drift

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"
)

// TestRisingIsFallingMirrored: a rise is found as a fall of the mirrored signal is,
// with contexts and without.
func TestRisingIsFallingMirrored(t *testing.T) {
	for _, contexts := range []bool{false, true} {
		rng := rand.New(rand.NewPCG(91, 1))
		var xs, mirrored []float64
		var keys []string
		for i := range 4000 {
			q := uint8(100 + i%2*30 + rng.IntN(60))
			if i >= 3000 {
				q -= 20
			}
			xs = append(xs, float64(q)/LatticeSize)
			mirrored = append(mirrored, float64(mirror(q))/LatticeSize)
			keys = append(keys, strconv.Itoa(i%2))
		}
		fired := func(xs []float64, side Side) (all []int) {
			ref, err := NewReference(xs[:2000])
			if contexts {
				ref, err = NewContextReference(xs[:2000], keys[:2000])
			}
			if err != nil {
				t.Fatal(err)
			}
			m := mustNew(t, Options{Reference: ref, Sides: side})
			for i, x := range xs[2000:] {
				if m.UpdateIn(x, keys[i]).Fired != nil {
					all = append(all, i)
				}
			}
			return all
		}
		fall, rise := fired(xs, FallingSide), fired(mirrored, RisingSide)
		if len(fall) == 0 || fall[0] < 1000 || !reflect.DeepEqual(fall, rise) {
			t.Errorf("contexts %v: fall found at %v, rise at %v, want the same after 1000", contexts, fall, rise)
		}
		if got := fired(mirrored, FallingSide); got != nil {
			t.Errorf("contexts %v: a rise is a fall at %v", contexts, got)
		}
	}
}

func TestBothSides(t *testing.T) {
	s := newSampler(beta(3), 92)
	o := Options{Reference: s.reference(2000), Sides: BothSides, Detectors: []string{PageHinkley, EDetector, CUSUM}}
	names := []string{PageHinkley, EDetector, CUSUM, PageHinkley + "-rising", EDetector + "-rising"}
	for _, c := range []struct {
		change float64
		want   []string
	}{{-0.2, names[:2]}, {0.2, names[3:]}} {
		m := mustNew(t, o)
		var fired []string
		for range 500 {
			for _, name := range m.Update(s.next() + c.change).Fired {
				if name != CUSUM {
					fired = append(fired, name)
				}
			}
		}
		got := map[string]bool{}
		for _, name := range fired {
			got[name] = true
		}
		if len(got) != 2 || !got[c.want[0]] || !got[c.want[1]] {
			t.Errorf("change %v: got alarms of %v, want %v", c.change, got, c.want)
		}
		e := m.Explain()
		var ran []string
		for _, d := range e.Detectors {
			ran = append(ran, d.Name)
		}
		// Four of the five promise something.
		if !reflect.DeepEqual(ran, names) || !reflect.DeepEqual(ran, m.opts.Names()) || e.Detectors[4].ARL != 4*DefaultARL {
			t.Errorf("got %v, each with %v, want %v with %v", ran, e.Detectors[4].ARL, names, 4*DefaultARL)
		}
		next := mustNew(t, o)
		if err := next.Restore(m.Snapshot()); err != nil || !reflect.DeepEqual(next.Explain().FirstFired, e.FirstFired) {
			t.Errorf("restored: got %v (%v), want %v", next.Explain().FirstFired, err, e.FirstFired)
		}
		if err := mustNew(t, Options{Reference: o.Reference, Detectors: o.Detectors}).Restore(m.Snapshot()); !errors.Is(err, ErrSnapshotParameters) {
			t.Errorf("restored on one side: got %v, want ErrSnapshotParameters", err)
		}
		if got := testing.AllocsPerRun(100, func() { next.Update(0.5) }); got != 0 {
			t.Errorf("got %v allocations per update, want 0", got)
		}
	}
}

func TestSideWords(t *testing.T) {
	for word, want := range map[string]Side{"down": FallingSide, "up": RisingSide, "both": BothSides} {
		if got, err := ParseSide(word); got != want || err != nil {
			t.Errorf("%s: got %v, %v, want %v", word, got, err, want)
		}
	}
	if _, err := ParseSide("left"); !errors.Is(err, ErrParameter) {
		t.Errorf("left: got %v, want ErrParameter", err)
	}
	if _, err := New(Options{Sides: 3}); !errors.Is(err, ErrParameter) {
		t.Errorf("side 3: got %v, want ErrParameter", err)
	}
}
