package prune

import (
	"errors"
	"math"
	"testing"
)

func TestSchedule(t *testing.T) {
	cubic, err := Cubic(0.5, 0.9, 100, 200, 10)
	if err != nil {
		t.Fatal(err)
	}
	once, err := OneShot(0.8, 5)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		s    Schedule
		step int
		want float64
	}{
		{"cubic", cubic, 0, 0}, {"cubic", cubic, 99, 0}, {"cubic", cubic, 100, 0.5}, {"cubic", cubic, 109, 0.5},
		{"cubic", cubic, 110, 0.9 - 0.4*0.729}, {"cubic", cubic, 150, 0.85}, {"cubic", cubic, 159, 0.85},
		{"cubic", cubic, 200, 0.9}, {"cubic", cubic, 1e9, 0.9},
		{"one shot", once, 4, 0}, {"one shot", once, 5, 0.8}, {"one shot", once, 6, 0.8},
	} {
		if got := c.s.At(c.step); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s at %d: got %v, want %v", c.name, c.step, got, c.want)
		}
	}
	for _, c := range []struct {
		initial, final    float64
		begin, end, every int
	}{
		{-0.1, 0.5, 0, 1, 1}, {0.6, 0.5, 0, 1, 1}, {0, 1, 0, 1, 1}, {0, math.NaN(), 0, 1, 1}, {math.NaN(), 0.5, 0, 1, 1},
		{0, 0.5, -1, 1, 1}, {0, 0.5, 2, 1, 1}, {0, 0.5, 0, 1, 0},
	} {
		if _, err := Cubic(c.initial, c.final, c.begin, c.end, c.every); !errors.Is(err, ErrOptions) {
			t.Errorf("%+v: got %v, want %v", c, err, ErrOptions)
		}
	}
}
