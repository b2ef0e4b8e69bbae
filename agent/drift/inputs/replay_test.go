package inputs

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"kedge/runtime/runtimetest"
)

// TestReplayElec2: three features are constant up to row 17,423 and alive from then
// on, while the model's confidence rises.
func TestReplayElec2(t *testing.T) {
	const change = 17424
	tab := readTable(t, runtimetest.Shared(t, "data", "elec2", "elec.csv.gz"), ',', "class")
	alive := []string{"transfer", "vicdemand", "vicprice"}
	for _, rows := range []int{1000, 4000, 8000} {
		r, err := Replay(tab.columns, tab.all(nil), ReplayOptions{ReferenceRows: rows})
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, d := range r.Features {
			switch {
			case d.Index < change && slices.ContainsFunc(d.Moved, func(name string) bool { return slices.Contains(alive, name) }):
				t.Errorf("%d rows: got %v at %d, before the change", rows, d.Moved, d.Index)
			case d.Index >= change && d.Index < change+500 && len(d.Moved) >= 3:
				first := slices.Sorted(slices.Values(d.Moved[:3]))
				found = found || slices.Equal(first, alive)
			}
		}
		if !found {
			t.Errorf("%d rows: got %+v, want %v first within 500 rows of %d", rows, r.Features, alive, change)
		}
	}
}

// TestReplayWeather: half a century of weather, seasonal and dependent, is no reason
// for more than a few alarms.
func TestReplayWeather(t *testing.T) {
	tab := readTable(t, runtimetest.Shared(t, "data", "weather", "weather.csv.gz"), ',', "target")
	season := func(i int) string { return fmt.Sprint(int(float64(i)/365.25*4) % 4) }
	for name, context := range map[string]func(int) string{"whole": nil, "seasons": season} {
		r, err := Replay(tab.columns, tab.all(context), ReplayOptions{ReferenceRows: 4000})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Detections) > 10 {
			t.Errorf("%s: got alarms at %v, want at most 10 in 14,159 rows", name, r.Detections)
		}
	}
}

func TestReplayContexts(t *testing.T) {
	rng := newRand(30)
	tab := table{columns: []Column{{"a", Float}}}
	for i := range 6000 {
		// The contexts differ by far more than what happens in one of them.
		x := rng.NormFloat64() + float64(i%2)*100
		if i >= 4000 && i%2 == 1 {
			x += 3
		}
		tab.rows = append(tab.rows, []float64{x})
	}
	key := func(i int) string {
		if i%1000 == 999 {
			return "rare"
		}
		return fmt.Sprint(i % 2)
	}
	r, err := Replay(tab.columns, tab.all(key), ReplayOptions{ReferenceRows: 2000})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Features) != 1 || r.Features[0].Context != "1" || r.Detections[0] < 4000 || r.Detections[0] > 4300 || r.Unwatched != 4 {
		t.Errorf("got %+v, want one alarm in context 1 soon after 4000 and 4 rows unwatched", r)
	}
}

func TestReplayRefuses(t *testing.T) {
	rows := func(n int) table {
		tab := table{columns: []Column{{"a", Float}}}
		for i := range n {
			tab.rows = append(tab.rows, []float64{float64(i)})
		}
		return tab
	}
	for _, c := range []struct{ rows, reference int }{{0, 100}, {99, 100}, {100, 0}, {100, 10}, {100, -1}} {
		r, err := Replay(rows(c.rows).columns, rows(c.rows).all(nil), ReplayOptions{ReferenceRows: c.reference})
		if !errors.Is(err, ErrReference) || r.Detections == nil {
			t.Errorf("%+v: got %+v, %v, want %v", c, r, err, ErrReference)
		}
	}
	short := rows(100)
	short.rows[50] = nil
	if _, err := Replay(short.columns, short.all(nil), ReplayOptions{ReferenceRows: 100}); !errors.Is(err, ErrRow) {
		t.Errorf("empty row: got %v, want %v", err, ErrRow)
	}
	broken := func(yield func(Row, error) bool) { yield(Row{}, errBroken) }
	if _, err := Replay(short.columns, broken, ReplayOptions{ReferenceRows: 100}); !errors.Is(err, errBroken) {
		t.Errorf("broken: got %v, want %v", err, errBroken)
	}
	if _, err := Replay(rows(100).columns, rows(100).all(nil), ReplayOptions{Options: Options{ARL: math.Inf(1)}, ReferenceRows: 99}); !errors.Is(err, ErrParameter) {
		t.Errorf("infinite run length: got %v, want %v", err, ErrParameter)
	}
	spread := func(i int) string { return fmt.Sprint(i) }
	if _, err := Replay(rows(100).columns, rows(100).all(spread), ReplayOptions{ReferenceRows: 90}); !errors.Is(err, ErrReference) {
		t.Errorf("a context a row: got %v, want %v", err, ErrReference)
	}
	if r, err := Replay(rows(100).columns, rows(100).all(nil), ReplayOptions{ReferenceRows: 100}); err != nil || len(r.Detections) != 0 {
		t.Errorf("nothing but reference: got %+v, %v, want nothing", r, err)
	}
}

var errBroken = errors.New("broken")

func TestReplayBlind(t *testing.T) {
	rng := newRand(31)
	still, slow := normal(rng), autoregression(0.99)(rng)
	tab := table{columns: []Column{{"still", Float}, {"slow", Float}}}
	for range 1001 {
		tab.rows = append(tab.rows, []float64{still(), slow()})
	}
	r, err := Replay(tab.columns, tab.all(nil), ReplayOptions{ReferenceRows: 1000})
	if err != nil || !slices.Equal(r.Blind, []string{"slow"}) {
		t.Errorf("got %+v, %v, want slow blind", r, err)
	}
}
