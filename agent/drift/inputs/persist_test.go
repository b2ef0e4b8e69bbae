package inputs

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"reflect"
	"testing"

	"kedge/agent/drift"
)

// walk drives monitors over the same rows, which drift from 600 on.
func walk(t testing.TB, from, to int, monitors ...*Monitor) []Result {
	t.Helper()
	var results []Result
	for i := from; i < to; i++ {
		rng := newRand(uint64(i) + 100)
		x := rng.NormFloat64()
		if i >= 600 {
			x += 4
		}
		row := []float64{x, rng.Float64()}
		if i%10 == 0 {
			row[1] = math.NaN()
		}
		for _, m := range monitors {
			results = append(results, update(t, m, row))
		}
	}
	return results
}

func walker(t testing.TB) *Monitor {
	t.Helper()
	rng := newRand(20)
	return monitorOf(t, referenceOf(t, 800, normal(rng), choice(0.1, fixed(math.NaN()), uniform)(rng)), 0)
}

func TestSnapshot(t *testing.T) {
	for _, at := range []int{0, 1, 31, 32, 63, 256, 500, 607, 608, 640, 900, 3000} {
		m := walker(t)
		walk(t, 0, at, m)
		snapshot := m.Snapshot()
		if limit := 1024 * len(m.features); len(snapshot) > limit {
			t.Errorf("at %d: got a snapshot of %d bytes, want at most %d", at, len(snapshot), limit)
		}
		next := walker(t)
		if err := next.Restore(snapshot); err != nil {
			t.Fatalf("at %d: %v", at, err)
		}
		if !reflect.DeepEqual(next.Moved(), m.Moved()) {
			t.Errorf("at %d: got moved %+v, want %+v", at, next.Moved(), m.Moved())
		}
		drifts := 0
		results := walk(t, at, at+1000, m, next)
		for i := 0; i < len(results); i += 2 {
			if results[i] != results[i+1] {
				t.Fatalf("at %d, %d rows later: got %+v, want %+v", at, i/2, results[i+1], results[i])
			}
			if results[i].State == drift.Drift {
				drifts++
			}
		}
		// The block that ends with row 607 has the first drifted rows.
		if want := btoi(at < 608); drifts != want {
			t.Errorf("at %d: got %d times drift after the restart, want %d", at, drifts, want)
		}
		if !bytes.Equal(m.Snapshot(), next.Snapshot()) {
			t.Errorf("at %d: the two differ afterwards", at)
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestRestoreRefuses(t *testing.T) {
	m := walker(t)
	walk(t, 0, 700, m)
	good := m.Snapshot()
	other := monitorOf(t, referenceOf(t, 800, normal(newRand(21)), normal(newRand(22))), 0)
	change := func(i int, b byte) []byte {
		s := bytes.Clone(good)
		s[i] = b
		return s
	}
	cases := map[string]struct {
		m        *Monitor
		snapshot []byte
		want     error
	}{
		"empty":           {m, nil, drift.ErrSnapshotDamaged},
		"trailing":        {m, append(bytes.Clone(good), 0), drift.ErrSnapshotDamaged},
		"version":         {m, change(0, 9), drift.ErrSnapshotVersion},
		"kind":            {m, change(1, 9), drift.ErrSnapshotDetector},
		"other reference": {other, good, drift.ErrSnapshotParameters},
		"state":           {m, change(10, byte(drift.Learning)), drift.ErrSnapshotDamaged},
		"stable":          {m, change(10, byte(drift.Stable)), drift.ErrSnapshotDamaged},
		"rows":            {m, change(11, 0), drift.ErrSnapshotDamaged},
	}
	for i := range good {
		cases[fmt.Sprint("cut after ", i)] = struct {
			m        *Monitor
			snapshot []byte
			want     error
		}{m, good[:i], drift.ErrSnapshotDamaged}
	}
	for name, c := range cases {
		before := c.m.Snapshot()
		if err := c.m.Restore(c.snapshot); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		if !bytes.Equal(c.m.Snapshot(), before) {
			t.Errorf("%s: a refused snapshot changed the monitor", name)
		}
	}
}

// FuzzRestore: what is accepted keeps the invariants and runs on.
func FuzzRestore(f *testing.F) {
	m := walker(f)
	f.Add(m.Snapshot()[10:])
	walk(f, 0, 700, m)
	head := m.Snapshot()[:10]
	f.Add(m.Snapshot()[10:])
	walk(f, 700, 777, m)
	f.Add(m.Snapshot()[10:])
	f.Fuzz(func(t *testing.T, b []byte) {
		if m.Restore(append(bytes.Clone(head), b...)) != nil {
			return
		}
		for range 70 {
			update(t, m, []float64{1, 2})
			if err := m.check(); err != nil {
				t.Fatal(err)
			}
		}
		m.Moved()
		if err := m.Restore(m.Snapshot()); err != nil {
			t.Errorf("own snapshot: %v", err)
		}
	})
}
