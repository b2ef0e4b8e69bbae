package inputs

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"testing"
)

func TestReferenceJSON(t *testing.T) {
	rng := newRand(2)
	ref := referenceOf(t, 2000, normal(rng), constant(3)(rng), choice(0.1, fixed(math.NaN()), uniform)(rng))
	text, err := json.Marshal(ref)
	if err != nil {
		t.Fatal(err)
	}
	var got Reference
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if err := got.Validate(); err != nil {
		t.Error(err)
	}
	if !reflect.DeepEqual(&got, ref) {
		t.Error("the reference changed on its way through JSON")
	}
	// 17 digits for an edge are the most; measured values have fewer.
	if limit := 8 << 10 * len(ref.Features); len(text) > limit {
		t.Errorf("got %d bytes, want at most %d", len(text), limit)
	}
}

func TestReferenceTooSmall(t *testing.T) {
	for _, n := range []int{0, 10, MinReference - 1} {
		b := NewBuilder([]Column{{"a", Float}})
		for range n {
			if err := b.Add([]float64{1}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := b.Reference(); !errors.Is(err, ErrReference) {
			t.Errorf("%d rows: got %v, want %v", n, err, ErrReference)
		}
	}
	rng := newRand(3)
	for _, c := range []struct {
		n    int
		weak bool
	}{{MinReference, true}, {FullReference - 1, true}, {FullReference, false}} {
		if got := referenceOf(t, c.n, normal(rng)).Weak(); got != c.weak {
			t.Errorf("%d rows: got weak %v, want %v", c.n, got, c.weak)
		}
	}
	if _, err := NewBuilder(nil).Reference(); !errors.Is(err, ErrReference) {
		t.Errorf("no features: got %v, want %v", err, ErrReference)
	}
	if err := NewBuilder([]Column{{"a", Float}}).Add([]float64{1, 2}); !errors.Is(err, ErrRow) {
		t.Errorf("row of two: got %v, want %v", err, ErrRow)
	}
}

func TestReferenceMalformed(t *testing.T) {
	spoil := map[string]func(*Reference){
		"rows":           func(r *Reference) { r.N++ },
		"too many rows":  func(r *Reference) { r.N = math.MaxInt64 },
		"no features":    func(r *Reference) { r.Features = nil },
		"type":           func(r *Reference) { r.Features[0].Type = "int16" },
		"range":          func(r *Reference) { r.Features[0].Lo = r.Features[0].Hi + 1 },
		"range NaN":      func(r *Reference) { r.Features[0].Lo = math.NaN() },
		"edges unsorted": func(r *Reference) { e := r.Features[0].Edges; e[0], e[1] = e[1], e[0] },
		"edge beyond":    func(r *Reference) { e := r.Features[0].Edges; e[len(e)-1] = r.Features[0].Hi + 1 },
		"edges of bytes": func(r *Reference) { r.Features[0].Type = Int8 },
		"too many edges": func(r *Reference) { r.Features[0].Edges = make([]float64, 254) },
		"outside": func(r *Reference) {
			c := &r.Features[0].Counts.Counts
			c[0], c[1] = c[1], 0
		},
		"run":            func(r *Reference) { r.Features[0].Run = r.N + 1 },
		"repeats":        func(r *Reference) { r.Features[0].Repeats = -1 },
		"runs":           func(r *Reference) { r.Features[0].Runs = r.Features[0].Repeats + 1 },
		"lags":           func(r *Reference) { r.Features[0].Lags[0] = 2 },
		"spread":         func(r *Reference) { r.Features[0].Spread[0].KS = math.Inf(1) },
		"spread's rows":  func(r *Reference) { r.Features[0].Spread[1].Rows++ },
		"spread's count": func(r *Reference) { r.Features[0].Spread = r.Features[0].Spread[1:] },
	}
	for name, f := range spoil {
		ref := referenceOf(t, 600, normal(newRand(4)))
		f(ref)
		if _, err := New(ref, Options{}); !errors.Is(err, ErrReference) {
			t.Errorf("%s: got %v, want %v", name, err, ErrReference)
		}
	}
}

// TestSpread: independent rows differ as independent rows, dependent ones more, and a
// rhythm no longer once a block holds its whole period.
func TestSpread(t *testing.T) {
	spread := func(s source) []Spread { return referenceOf(t, 8000, s).Features[0].Spread }
	for _, s := range spread(normal(newRand(5))) {
		if s.Rows <= 512 && !(s.KS > 0.6 && s.KS < 2 && s.PSI > 0.6 && s.PSI < 2) {
			t.Errorf("independent: got %+v, want about 1", s)
		}
	}
	// The median's indicator of this process has 1 + 2*sum((2/pi)asin(.9^k)) = 12.6.
	if got := spread(autoregression(0.9)(newRand(6)))[3]; got.Rows != 512 || got.KS < 6 || got.KS > 30 {
		t.Errorf("autoregression: got %+v, want about 13 in 512 rows", got)
	}
	day := spread(rhythm(128)(newRand(7)))
	if day[0].KS < 10 || day[3].KS > 2 {
		t.Errorf("rhythm of 128: got %+v and %+v, want much in 64 rows and little in 512", day[0], day[3])
	}
	if got := referenceOf(t, MinReference, normal(newRand(8))).Features[0].Spread; got != nil {
		t.Errorf("30 rows: got %+v, want none", got)
	}
}

// FuzzReference: whatever a reference says, what is accepted can be watched, and what
// moved be told.
func FuzzReference(f *testing.F) {
	rng := newRand(9)
	for _, n := range []int{MinReference, 200} {
		text, err := json.Marshal(referenceOf(f, n, choice(0.5, uniform, fixed(1))(rng), constant(1)(rng)))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var ref Reference
		if json.Unmarshal(text, &ref) != nil || len(ref.Features) > 100 {
			return
		}
		m, err := New(&ref, Options{})
		if err != nil {
			return
		}
		row := make([]float64, len(ref.Features))
		for i := range 300 {
			for j := range row {
				row[j] = float64(i * j)
			}
			update(t, m, row)
		}
		if _, err := json.Marshal(m.Moved()); err != nil {
			t.Error(err)
		}
		if err := m.Restore(m.Snapshot()); err != nil {
			t.Error(err)
		}
	})
}
