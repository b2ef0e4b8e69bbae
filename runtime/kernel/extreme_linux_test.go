package kernel

import (
	"bytes"
	"fmt"
	"testing"
)

// TestExtreme compares every length and arrangement of rows with the definition;
// what lies between the rows must stay.
func TestExtreme(t *testing.T) {
	fencedSets(t, 5, func(t *testing.T, s *Set, r values, m *fences) {
		for _, o := range []Order{LargestInt8, SmallestInt8, LargestUint8, SmallestUint8} {
			for n := range 201 {
				rows := Rows{Length: n, Count: 1 + r.IntN(3)}
				rows.Out, rows.X, rows.Y = n+r.IntN(2)*r.IntN(9), n+r.IntN(2)*r.IntN(9), r.IntN(2)*(n+r.IntN(2)*r.IntN(9))
				extremeCase(t, s, o, rows, r, m)
			}
			m.release()
		}
	})
}

func extremeCase(t *testing.T, s *Set, o Order, rows Rows, r values, m *fences) {
	t.Helper()
	last := rows.Count - 1
	memory := func(pitch int) []byte { return fenced(m, bytesOf(r.int8s(last*pitch+rows.Length))) }
	out, x, y := memory(rows.Out), memory(rows.X), memory(rows.Y)
	if r.IntN(3) == 0 {
		rows.X, x = rows.Out, out // in place
	}
	want := bytes.Clone(out)
	for i := range rows.Count {
		for k := range rows.Length {
			a, b := x[i*rows.X+k], y[i*rows.Y+k]
			if b^byte(o) > a^byte(o) {
				a = b
			}
			want[i*rows.Out+k] = a
		}
	}
	guarded(t, fmt.Sprintf("%+v", rows), func() { s.Extreme(o, rows, out, x, y) })
	if !bytes.Equal(out, want) {
		t.Fatalf("order %#x, %+v: got %v, want %v", byte(o), rows, out, want)
	}
}
