package drift

import (
	"errors"
	"testing"
)

func TestPromisedRunLength(t *testing.T) {
	for _, c := range []struct {
		alarms, rate string
		devices      int
		want         float64 // 0 for an error
	}{
		{"1/30d", "10/s", 1, 25920000},
		{"1/30d", "10/s", 200, 5184000000},
		{"2/w", "1/m", 1, 5040},
		{"1 / 1w", "6/h", 1, 1008},
		{"0.5/d", "1/10s", 1, 17280},
		{"1/30d", "0.1/s", 1, 259200},
		{"", "10/s", 1, 0}, {"1/30d", "", 1, 0}, {"30d", "10/s", 1, 0}, {"0/30d", "10/s", 1, 0}, {"-1/30d", "10/s", 1, 0},
		{"1/0d", "10/s", 1, 0}, {"1/30", "10/s", 1, 0}, {"1/30y", "10/s", 1, 0}, {"1/d30", "10/s", 1, 0}, {"NaN/d", "10/s", 1, 0},
		{"1/30d", "10/s", 0, 0}, {"1/30d", "1e18/s", 9, 0}, {"1/", "1/s", 1, 0}, {"/d", "1/s", 1, 0},
	} {
		got, err := PromisedRunLength(c.alarms, c.rate, c.devices)
		if got != c.want || (err == nil) != (c.want > 0) || err != nil && !errors.Is(err, ErrPromise) {
			t.Errorf("%q at %q on %d: got %v, %v, want %v", c.alarms, c.rate, c.devices, got, err, c.want)
		}
	}
}
