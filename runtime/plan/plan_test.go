package plan

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// check is the plan's invariant: buffers alive at the same step do not overlap,
// offsets are aligned and everything lies within size.
func check(t *testing.T, buffers []Buffer, offsets []int, size int) {
	t.Helper()
	for i, a := range buffers {
		if offsets[i]%Align != 0 || offsets[i] < 0 || offsets[i]+a.Size > size && a.Size > 0 {
			t.Fatalf("buffer %d: offset %d, size %d, arena %d", i, offsets[i], a.Size, size)
		}
		for j, b := range buffers[:i] {
			together := a.First <= b.Last && b.First <= a.Last
			overlap := offsets[i] < offsets[j]+b.Size && offsets[j] < offsets[i]+a.Size
			if together && overlap && a.Size > 0 && b.Size > 0 {
				t.Fatalf("buffers %d %+v at %d and %d %+v at %d overlap", i, a, offsets[i], j, b, offsets[j])
			}
		}
	}
}

func TestPlace(t *testing.T) {
	for _, c := range []struct {
		name    string
		buffers []Buffer
		want    int
	}{
		{"none", nil, 0},
		{"empty", []Buffer{{0, 0, 5}}, 0},
		{"one", []Buffer{{1, 0, 0}}, 64},
		{"chain shares two", []Buffer{{64, 0, 1}, {128, 1, 2}, {64, 2, 3}, {128, 3, 4}}, 192},
		{"all at once", []Buffer{{64, 0, 9}, {65, 0, 9}, {1, 0, 9}}, 256},
		{"hole is filled", []Buffer{{640, 0, 0}, {320, 1, 1}, {320, 0, 1}, {256, 1, 1}}, 960},
	} {
		offsets, size, err := Place(c.buffers)
		if err != nil || size != c.want {
			t.Errorf("%s: got %d, %v, want %d", c.name, size, err, c.want)
			continue
		}
		check(t, c.buffers, offsets, size)
	}
}

func TestPlaceRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		buffers := make([]Buffer, rng.IntN(40))
		for i := range buffers {
			first := rng.IntN(20)
			buffers[i] = Buffer{rng.IntN(2000), first, first + rng.IntN(6)}
		}
		offsets, size, err := Place(buffers)
		if err != nil {
			t.Fatal(err)
		}
		check(t, buffers, offsets, size)
	}
}

func TestPlaceTooLarge(t *testing.T) {
	_, _, err := Place([]Buffer{{math.MaxInt32 - 200, 0, 1}, {1000, 0, 1}})
	if !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v, want %v", err, ErrTooLarge)
	}
}
