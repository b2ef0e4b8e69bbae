package inputs

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"kedge/agent/drift"
)

func TestOptions(t *testing.T) {
	ref := referenceOf(t, 100, normal(newRand(1)))
	for _, arl := range []float64{-1, 99, math.NaN(), math.Inf(1)} {
		if _, err := New(ref, Options{ARL: arl}); !errors.Is(err, ErrParameter) {
			t.Errorf("run length %v: got %v, want %v", arl, err, ErrParameter)
		}
	}
	m := monitorOf(t, ref, 0)
	for _, row := range [][]float64{nil, {1, 2}} {
		if r, err := m.Update(row); !errors.Is(err, ErrRow) || r.State != drift.Stable {
			t.Errorf("row %v: got %+v, %v, want %v", row, r, err, ErrRow)
		}
		if _, err := m.UpdateBytes(make([]byte, len(row))); len(row) != 1 && !errors.Is(err, ErrRow) {
			t.Errorf("%d bytes: got %v, want %v", len(row), err, ErrRow)
		}
	}
	if m.rows != 0 {
		t.Errorf("got %d rows counted, want none", m.rows)
	}
}

// TestPromise: at most one false alarm in 10,000 rows. The streams together are 20
// times as long; independent rows leave a wide margin, so any more than a few alarms
// are wrong.
func TestPromise(t *testing.T) {
	cases := map[string]func(*rand.Rand) source{
		"normal":         normal,
		"binary":         choice(0.3, fixed(1), fixed(0)),
		"rare values":    choice(0.01, uniform, fixed(0)),
		"missing values": choice(0.05, fixed(math.NaN()), uniform),
		"rho .5":         autoregression(0.5),
		"rho .9":         autoregression(0.9),
		"rhythm of 24":   rhythm(24),
		"rhythm of 96":   rhythm(96),
		"rhythm of 1440": rhythm(1440),
		"constant":       constant(4),
	}
	for name, make := range cases {
		for _, n := range []int{500, 4000} {
			if name == "rhythm of 1440" && n < 1440 {
				continue // a third of a day cannot foretell the rest
			}
			alarms := 0
			for seed := range uint64(10) {
				rng := newRand(seed)
				a, b := make(rng), make(rng)
				m := monitorOf(t, referenceOf(t, n, a, b), 10000)
				for range 10000 {
					if update(t, m, []float64{a(), b()}).Alarm {
						alarms++
					}
				}
			}
			if alarms > 2 {
				t.Errorf("%s, %d rows: got %d alarms in 100,000 rows, want at most 2", name, n, alarms)
			}
		}
	}
}

// TestFinds: what each test is for, and how soon.
func TestFinds(t *testing.T) {
	nan := fixed(math.NaN())
	shifted := func(by float64) func(*rand.Rand) source {
		return func(rng *rand.Rand) source { return func() float64 { return rng.NormFloat64() + by } }
	}
	slow := func(by float64) func(*rand.Rand) source {
		return func(rng *rand.Rand) source {
			s := autoregression(0.9)(rng)
			return func() float64 { return s() + by }
		}
	}
	for _, c := range []struct {
		name          string
		before, after func(*rand.Rand) source
		test          string
		within        int
	}{
		{"half a deviation", normal, shifted(0.5), "ks", 600},
		{"a deviation", normal, shifted(1), "ks", 128},
		{"wider", normal, func(rng *rand.Rand) source { return func() float64 { return 3 * rng.NormFloat64() } }, "range", 128},
		{"far away", normal, constant(1e300), "range", 64},
		{"dependent, three deviations", autoregression(0.9), slow(3), "ks", 1100},
		{"constant comes alive", constant(2), normal, "range", 64},
		{"constant moves", constant(2), constant(3), "range", 64},
		{"stuck", normal, constant(0.1), "stuck", 64},
		{"missing", normal, choice(0.2, nan, (*rand.Rand).NormFloat64), "missing", 128},
		{"all missing", normal, constant(math.NaN()), "missing", 64},
		{"infinite", normal, constant(math.Inf(-1)), "missing", 64},
		{"another category", choice(0.3, fixed(1), fixed(0)), choice(0.9, fixed(1), fixed(0)), "ks", 128},
	} {
		rng := newRand(9)
		still := normal(rng)
		m := monitorOf(t, referenceOf(t, 4000, c.before(rng), still), 10000)
		after := c.after(rng)
		found := -1
		for i := range 4000 {
			if update(t, m, []float64{after(), still()}).Alarm {
				found = i
				break
			}
		}
		moved := m.Moved()
		if found < 0 || found >= c.within {
			t.Errorf("%s: found after %d rows, want within %d", c.name, found, c.within)
		} else if len(moved) != 1 || moved[0].Name != "a" || !slices.Contains(moved[0].Tests, c.test) {
			t.Errorf("%s: got %+v, want a by %s", c.name, moved, c.test)
		}
	}
}

// TestStates: drift once, then latched; every alarm counted; a feature that calmed
// down and moves again is another alarm.
func TestStates(t *testing.T) {
	rng := newRand(10)
	s := normal(rng)
	m := monitorOf(t, referenceOf(t, 1000, s), 10000)
	drifts, alarms := 0, 0
	run := func(rows int, by float64) {
		for range rows {
			r := update(t, m, []float64{s() + by})
			if r.State == drift.Drift {
				drifts++
			}
			if r.Alarm {
				alarms++
			}
			if err := m.check(); err != nil {
				t.Fatal(err)
			}
		}
	}
	run(2000, 0)
	if m.State() != drift.Stable || alarms != 0 {
		t.Errorf("undrifted: got %v and %d alarms, want stable and none", m.State(), alarms)
	}
	run(1000, 5)
	if m.State() != drift.Latched || alarms != 1 || drifts != 1 || len(m.Moved()) != 1 {
		t.Errorf("drifted: got %v, %d alarms, %d times drift, moved %v, want latched and one each", m.State(), alarms, drifts, m.Moved())
	}
	run(2000, 0)
	if m.State() != drift.Latched || len(m.Moved()) != 0 {
		t.Errorf("calm again: got %v, moved %v, want latched, none", m.State(), m.Moved())
	}
	run(1000, 5)
	if m.State() != drift.Latched || alarms != 2 || drifts != 1 {
		t.Errorf("moved again: got %v, %d alarms, %d times drift, want latched, 2, 1", m.State(), alarms, drifts)
	}
	e := m.Explain()
	if e.State != drift.Latched || e.Rows != 6000 || e.Alarms != 2 || e.FirstAlarm < 2001 || e.FirstAlarm > 2064 ||
		e.ReferenceN != 1000 || e.Weak || e.Blind != nil || len(e.Moved) != 1 {
		t.Errorf("got %+v, want two alarms in 6000 rows, the first after 2000", e)
	}
}

// TestRanking: by effect, with what never varied first, and with before and after.
func TestRanking(t *testing.T) {
	rng := newRand(11)
	s := normal(rng)
	slow := autoregression(0.9)(rng)
	m := monitorOf(t, referenceOf(t, 4000, s, s, constant(7)(rng), slow, s), 10000)
	for range 512 {
		update(t, m, []float64{s() + 1, s() + 3, 7 + 0.01*s(), slow() + 9, s()})
	}
	var names []string
	for _, v := range m.Moved() {
		names = append(names, v.Name)
	}
	if want := []string{"c", "b", "a", "d"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
	b := m.Moved()[1]
	if math.Abs(b.Before.Median) > 0.2 || math.Abs(b.After.Median-3) > 0.5 || b.After.Greatest < 4 || b.Effect < 0.8 || b.Constant {
		t.Errorf("got %+v, want the median to go from 0 to 3", b)
	}
	if h := m.Histogram(1); h.N() != 512 {
		t.Errorf("got a histogram of %d, want the window's 512", h.N())
	}
}

// TestBytes: an int8 model's input bytes, and floats of the same values, do the same.
func TestBytes(t *testing.T) {
	rng := newRand(12)
	for _, kind := range []Type{Int8, Uint8} {
		b := NewBuilder([]Column{{"a", kind}, {"b", kind}})
		draw := func(high byte) ([]byte, []float64) {
			bytes := []byte{byte(rng.IntN(100)) + high, byte(rng.IntN(256))}
			if kind == Int8 {
				return bytes, []float64{float64(int8(bytes[0])), float64(int8(bytes[1]))}
			}
			return bytes, []float64{float64(bytes[0]), float64(bytes[1])}
		}
		for range 1000 {
			if _, row := draw(0); b.Add(row) != nil {
				t.Fatal("row refused")
			}
		}
		ref, err := b.Reference()
		if err != nil {
			t.Fatal(err)
		}
		x, y := monitorOf(t, ref, 0), monitorOf(t, ref, 0)
		for i := range 400 {
			high := byte(0)
			if i >= 200 {
				high = 100
			}
			bytes, row := draw(high)
			got, err := x.UpdateBytes(bytes)
			if err != nil {
				t.Fatal(err)
			}
			if want := update(t, y, row); got != want || got.Alarm && i < 200 {
				t.Errorf("%s, row %d: got %+v, want %+v", kind, i, got, want)
			}
		}
		if moved := x.Moved(); len(moved) != 1 || moved[0].Name != "a" {
			t.Errorf("%s: got %+v moved, want a", kind, moved)
		}
	}
}

// TestBlind: a reference that tells as much as a few independent rows is too short,
// and says so; sixty times as many rows are not.
func TestBlind(t *testing.T) {
	for _, c := range []struct {
		n    int
		want []string
	}{{1000, []string{"b"}}, {60000, nil}} {
		rng := newRand(16)
		m := monitorOf(t, referenceOf(t, c.n, normal(rng), autoregression(0.99)(rng)), 0)
		if got := m.Explain().Blind; !slices.Equal(got, c.want) {
			t.Errorf("%d rows: got %v blind, want %v", c.n, got, c.want)
		}
	}
}

func TestNothingToWatch(t *testing.T) {
	rng := newRand(13)
	m := monitorOf(t, referenceOf(t, MinReference, constant(math.NaN())(rng), constant(math.NaN())(rng)), 0)
	for range 500 {
		if r := update(t, m, []float64{math.NaN(), 3}); r.State != drift.Stable {
			t.Fatalf("got %+v, want stable: nothing is known of this feature", r)
		}
	}
}

func TestUpdateAllocatesNothing(t *testing.T) {
	rng := newRand(14)
	s := normal(rng)
	m := monitorOf(t, referenceOf(t, 1000, s, s), 0)
	row, bytes := []float64{0, math.NaN()}, []byte{1, 2}
	if n := testing.AllocsPerRun(2000, func() {
		row[0] = s() + 2
		if _, err := m.Update(row); err != nil {
			t.Fatal(err)
		}
		if _, err := m.UpdateBytes(bytes); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

func TestStateSize(t *testing.T) {
	if got := unsafe.Sizeof(feature{}); got > 1024 {
		t.Errorf("got %d bytes a feature, want at most 1024", got)
	}
}

func BenchmarkUpdate(b *testing.B) {
	rng := newRand(15)
	s := make([]source, 16)
	for i := range s {
		s[i] = normal(rng)
	}
	m := monitorOf(b, referenceOf(b, 4000, s...), 0)
	rows := make([][]float64, 256)
	for i := range rows {
		rows[i] = rowOf(s)
	}
	i := 0
	for b.Loop() {
		update(b, m, rows[i%len(rows)])
		i++
	}
}
