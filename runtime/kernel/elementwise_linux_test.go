package kernel

import (
	"bytes"
	"fmt"
	"math"
	"slices"
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

// TestLookup looks every byte up, at every length and in place too.
func TestLookup(t *testing.T) {
	fencedSets(t, 5, func(t *testing.T, s *Set, r values, m *fences) {
		var table [256]byte
		copy(table[:], bytesOf(r.int8s(256)))
		for n := range 330 {
			in, out := fenced(m, bytesOf(r.int8s(n))), m.bytes(n)
			want := make([]byte, n)
			for i, v := range in {
				want[i] = table[v]
			}
			guarded(t, fmt.Sprint(n, " bytes"), func() { s.Lookup(&table, out, in) })
			guarded(t, fmt.Sprint(n, " bytes in place"), func() { s.Lookup(&table, in, in) })
			if !bytes.Equal(out, want) || !bytes.Equal(in, want) {
				t.Fatalf("%d bytes: got %v, in place %v, want %v", n, out, in, want)
			}
			m.release()
		}
	})
}

// TestQuantize rounds quotients near halves and of any size at every length.
func TestQuantize(t *testing.T) {
	fencedSets(t, 5, func(t *testing.T, s *Set, r values, m *fences) {
		for n := range 201 {
			q := Quantizer{Scale: []float32{1, 0.0078125, 0.1, 3e-39, 1e38}[r.IntN(5)], Zero: int32(r.IntN(256) - 128), Flip: byte(r.IntN(2) << 7)}
			in, want := make([]float32, n), make([]byte, n)
			for i := range in {
				v := float32(r.IntN(600)-300) / 2
				in[i] = []float32{v, math.Nextafter32(v, 1e9), math.Nextafter32(v, -1e9), math.Float32frombits(r.Uint32())}[r.IntN(4)] * q.Scale
				quotient := float64(float32(in[i] / q.Scale))
				if quotient != quotient {
					quotient = 0
				}
				want[i] = byte(int(min(max(math.Round(quotient)+float64(q.Zero), -128), 127))) ^ q.Flip
			}
			from, out := fenced(m, in), m.bytes(n)
			guarded(t, fmt.Sprint(n, " numbers"), func() { s.Quantize(&q, out, from) })
			if !bytes.Equal(out, want) {
				t.Fatalf("%v by %+v: got %v, want %v", in, q, out, want)
			}
			m.release()
		}
	})
}

// TestRoundAway rounds what lies beside every half.
func TestRoundAway(t *testing.T) {
	for i := int32(-1 << 15); i < 1<<15; i++ {
		v := float32(i) / 2
		for _, x := range []float32{v, math.Nextafter32(v, 1e9), math.Nextafter32(v, -1e9)} {
			if got, want := RoundAway(x), int32(math.Round(float64(x))); got != want {
				t.Fatalf("%v: got %d, want %d", x, got, want)
			}
		}
	}
}

// TestBilinear mixes pixels of every depth with any weights.
func TestBilinear(t *testing.T) {
	fencedSets(t, 3, func(t *testing.T, s *Set, r values, m *fences) {
		for depth := 1; depth < 70; depth++ {
			width := 1 + r.IntN(4)
			columns := make([]Column, 1+r.IntN(5))
			for i := range columns {
				right := uint32(r.IntN(1025))
				columns[i] = Column{int32(r.IntN(width) * depth), int32(r.IntN(width) * depth), 1024 - right | right<<16}
			}
			top, bottom, weight := fenced(m, r.extremes(width*depth)), fenced(m, r.extremes(width*depth)), int32(r.IntN(1025))
			want := make([]int8, len(columns)*depth)
			for i := range want {
				c, k := columns[i/depth], i%depth
				left, right := float64(c.Weights&0xFFFF), float64(c.Weights>>16)
				row := func(b []int8) float64 {
					return float64(b[int(c.First)+k])*left + float64(b[int(c.Second)+k])*right
				}
				want[i] = int8(math.Round((row(top)*float64(1024-weight) + row(bottom)*float64(weight)) / (1 << 20)))
			}
			out := fenced(m, make([]int8, len(want)))
			guarded(t, fmt.Sprint(depth, " channels"), func() { s.Bilinear(out, top, bottom, columns, depth, weight) })
			if !slices.Equal(out, want) {
				t.Fatalf("%d channels, %v, weight %d: got %v, want %v", depth, columns, weight, out, want)
			}
			m.release()
		}
	})
}
