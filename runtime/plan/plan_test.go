package plan

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// enough comparisons for every search here.
const enough = 1 << 24

// check is the plan's invariant: buffers alive at the same step do not overlap
// unless they are of one group, whose offset is one, offsets are aligned and
// everything lies within size.
func check(t *testing.T, buffers []Buffer, offsets []int, size int) {
	t.Helper()
	for i, a := range buffers {
		if offsets[i]%Align != 0 || offsets[i] < 0 || offsets[i]+a.Size > size && a.Size > 0 {
			t.Fatalf("buffer %d: offset %d, size %d, arena %d", i, offsets[i], a.Size, size)
		}
		for j, b := range buffers[:i] {
			if a.Size == 0 || b.Size == 0 {
				continue
			}
			if a.Group != 0 && a.Group == b.Group {
				if offsets[i] != offsets[j] {
					t.Fatalf("buffers %d and %d of group %d: at %d and %d, want one offset", i, j, a.Group, offsets[i], offsets[j])
				}
				continue
			}
			together := a.First <= b.Last && b.First <= a.Last
			overlap := offsets[i] < offsets[j]+b.Size && offsets[j] < offsets[i]+a.Size
			if together && overlap {
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
		{"empty", []Buffer{{0, 0, 5, 0}}, 0},
		{"one", []Buffer{{1, 0, 0, 0}}, 64},
		{"chain shares two", []Buffer{{64, 0, 1, 0}, {128, 1, 2, 0}, {64, 2, 3, 0}, {128, 3, 4, 0}}, 192},
		{"all at once", []Buffer{{64, 0, 9, 0}, {65, 0, 9, 0}, {1, 0, 9, 0}}, 256},
		{"hole is filled", []Buffer{{640, 0, 0, 0}, {320, 1, 1, 0}, {320, 0, 1, 0}, {256, 1, 1, 0}}, 960},
		{"taken over", []Buffer{{640, 0, 1, 1}, {640, 1, 2, 1}, {640, 2, 3, 1}}, 640},
		{"taken over by less, with room beside it", []Buffer{{640, 0, 1, 2}, {64, 1, 2, 2}, {576, 2, 3, 0}}, 640},
		{"groups beside each other", []Buffer{{640, 0, 1, 1}, {64, 1, 3, 1}, {64, 0, 1, 2}, {64, 1, 3, 2}, {576, 2, 3, 0}}, 704},
		// Largest first takes 1280.
		{"tried again", []Buffer{{512, 2, 2, 0}, {320, 3, 4, 0}, {448, 1, 3, 0}, {640, 4, 4, 0}}, 960},
	} {
		offsets, size, err := Place(c.buffers, enough)
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
		buffers := randomBuffers(rng, rng.IntN(40))
		offsets, size, err := Place(buffers, enough)
		if err != nil {
			t.Fatal(err)
		}
		check(t, buffers, offsets, size)
	}
}

func randomBuffers(rng *rand.Rand, n int) []Buffer {
	buffers := make([]Buffer, n)
	for i := range buffers {
		first := rng.IntN(20)
		buffers[i] = Buffer{rng.IntN(2000), first, first + rng.IntN(6), 0}
		if rng.IntN(3) == 0 {
			buffers[i].Group = 1 + rng.IntN(n)
		}
	}
	return buffers
}

// TestPlaceMany places more buffers than may be compared with each other. Equal
// sizes must be reused all the same.
func TestPlaceMany(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	const n = 2000
	buffers := randomBuffers(rng, n)
	for i := range buffers {
		shift := rng.IntN(1000)
		buffers[i].First, buffers[i].Last = buffers[i].First+shift, buffers[i].Last+shift
	}
	for _, pairs := range []int{0, n * n / 2, n * n, 3 * n * n} {
		offsets, size, err := Place(buffers, pairs)
		if err != nil {
			t.Fatal(err)
		}
		check(t, buffers, offsets, size)
	}
	chain := make([]Buffer, n)
	for i := range chain {
		chain[i] = Buffer{100, i, i + 1, 0}
	}
	if _, size, err := Place(chain, 0); err != nil || size != 256 {
		t.Errorf("chain: got %d, %v, want 256", size, err)
	}
}

func TestPlaceTooLarge(t *testing.T) {
	_, _, err := Place([]Buffer{{math.MaxInt32 - 200, 0, 1, 0}, {1000, 0, 1, 0}}, enough)
	if !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v, want %v", err, ErrTooLarge)
	}
}
