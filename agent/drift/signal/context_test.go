package signal

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

func TestContext(t *testing.T) {
	at := time.Date(2026, 3, 1, 23, 59, 0, 0, time.FixedZone("", 2*3600)) // 21:59 UTC
	names, edges := []string{"a", "speed"}, []float64{10, 20}
	for _, c := range []struct {
		key   string
		edges []float64
		speed float64
		want  string
	}{
		{"hour", nil, 0, "21"},
		{"source", nil, 0, "bolts"},
		{"feature:speed", edges, 9.5, "0"},
		{"feature:speed", edges, 10, "1"},
		{"feature:speed", edges, 19, "1"},
		{"feature:speed", edges, 20, "2"},
		{"feature:speed", edges, 1e9, "2"},
	} {
		opened, err := ParseContext(c.key, c.edges, names)
		if err != nil {
			t.Fatal(err)
		}
		raw := []float64{0, c.speed}
		if got := opened.Of(at, "bolts", raw); got != c.want {
			t.Errorf("%s of %v: got %q, want %q", c.key, c.speed, got, c.want)
		}
		if n := testing.AllocsPerRun(50, func() { opened.Of(at, "bolts", raw) }); n != 0 {
			t.Errorf("%s: got %v allocations, want 0", c.key, n)
		}
	}
	for _, c := range []struct {
		key   string
		edges []float64
		want  string
	}{
		{"moon", nil, "this version knows hour"},
		{"", nil, "this version knows hour"},
		{"feature:load", []float64{1}, "no such feature"},
		{"feature:speed", nil, "0 edges"},
		{"feature:speed", make([]float64, 256), "256 edges"},
		{"feature:speed", []float64{1, 1}, "edge 1 is 1"},
		{"feature:speed", []float64{math.NaN()}, "edge 0 is NaN"},
		{"hour", []float64{1}, "which only a feature has"},
	} {
		if _, err := ParseContext(c.key, c.edges, names); !errors.Is(err, ErrContext) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v: got %v, want %s", c.key, c.edges, err, c.want)
		}
	}
}
