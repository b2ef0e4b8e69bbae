package dsp_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"testing"

	"kedge/runtime/dsp"
)

// noise is a sequence of numbers that every machine gives.
type noise uint32

func (n *noise) next() int32 {
	*n = *n*1664525 + 1013904223
	return int32(*n)
}

// smooth reports whether n is a product of 2, 3 and 5.
func smooth(n int) bool {
	for _, p := range []int{2, 3, 5} {
		for n%p == 0 {
			n /= p
		}
	}
	return n == 1
}

// transforms hashes the spectra, and the signals of spectra, of loud, quieter
// and faint noise for every length to 1024 that there is.
func transforms[T dsp.Fixed](t *testing.T, bits int) string {
	t.Helper()
	hash := sha256.New()
	var random noise = 1
	for points := 4; points <= 1024; points += 2 {
		if !smooth(points / 2) {
			continue
		}
		half := points / 2
		in, out, work := make([]dsp.Complex[T], half+1), make([]dsp.Complex[T], half+1), make([]dsp.Complex[T], half)
		for _, inverse := range []bool{false, true} {
			f, err := dsp.NewRFFT[T](points, inverse)
			if err != nil {
				t.Fatal(err)
			}
			for _, shift := range []int{32 - bits, 34 - bits, 28} {
				for i := range in {
					re := random.next()
					in[i] = dsp.Complex[T]{Re: T(re >> shift), Im: T(random.next() >> shift)}
				}
				used := out
				if inverse {
					used = out[:half]
					f.Inverse(used, in, work)
				} else {
					f.Forward(used, in, work)
				}
				binary.Write(hash, binary.LittleEndian, used)
			}
		}
	}
	return hex.EncodeToString(hash.Sum(nil)[:8])
}

// TestTransforms compares with hashes of what kissfft 1.3.0 computes, compiled
// with FIXED_POINT 16 and 32.
func TestTransforms(t *testing.T) {
	if got, want := transforms[int16](t, 16), "477776b4904a288f"; got != want {
		t.Errorf("int16: got %s, want %s", got, want)
	}
	if got, want := transforms[int32](t, 32), "fb42bb844aa9197f"; got != want {
		t.Errorf("int32: got %s, want %s", got, want)
	}
}

// TestTone transforms a cosine of frequency 3: half its amplitude lies there,
// and nothing elsewhere; the way back gives what the division by the length twice
// leaves of it.
func TestTone(t *testing.T) {
	const points = 16
	forward, err := dsp.NewRFFT[int32](points, false)
	if err != nil {
		t.Fatal(err)
	}
	in, out, work := make([]dsp.Complex[int32], points/2), make([]dsp.Complex[int32], points/2+1), make([]dsp.Complex[int32], points/2)
	const amplitude = 1 << 30
	sample := func(i int) int32 { return int32(amplitude * math.Cos(2*math.Pi*3*float64(i)/points)) }
	for i := range in {
		in[i] = dsp.Complex[int32]{Re: sample(2 * i), Im: sample(2*i + 1)}
	}
	forward.Forward(out, in, work)
	for k, got := range out {
		want := 0.0
		if k == 3 {
			want = amplitude / 2
		}
		if math.Abs(float64(got.Re)-want) > 16 || math.Abs(float64(got.Im)) > 16 {
			t.Errorf("frequency %d: got %v, want %v", k, got, want)
		}
	}
	inverse, err := dsp.NewRFFT[int32](points, true)
	if err != nil {
		t.Fatal(err)
	}
	inverse.Inverse(in, out, work)
	for i, got := range in {
		if want := sample(2*i) / points; math.Abs(float64(got.Re-want)) > 16 {
			t.Errorf("sample %d: got %d, want %d", 2*i, got.Re, want)
		}
	}
	if n := testing.AllocsPerRun(10, func() { forward.Forward(out, in, work); inverse.Inverse(in, out, work) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

func TestRefusedLengths(t *testing.T) {
	for _, points := range []int{-2, 0, 2, 3, 7, 14, 22, 2*7*64 + 2, dsp.MaxPoints + 2, 2 * dsp.MaxPoints} {
		if _, err := dsp.NewRFFT[int16](points, false); err == nil {
			t.Errorf("%d points: got no error, want one", points)
		}
	}
	if _, err := dsp.NewRFFT[int16](dsp.MaxPoints, false); err != nil {
		t.Errorf("the longest: got %v, want none", err)
	}
}

func TestSqrt(t *testing.T) {
	for _, c := range []struct {
		x    uint64
		want uint32
	}{
		{0, 0}, {1, 1}, {2, 1}, {3, 2}, {6, 2}, {7, 3}, {9, 3},
		{65535*65535 + 65535, 65535}, {65535*65535 + 65536, 65535}, {math.MaxUint32, 65535}, {1 << 32, 65536},
		{1 << 62, 1 << 31}, {4294967295 * 4294967295, math.MaxUint32}, {math.MaxUint64, math.MaxUint32},
	} {
		if got := dsp.Sqrt(c.x); got != c.want {
			t.Errorf("%d: got %d, want %d", c.x, got, c.want)
		}
	}
	var random noise = 1
	for range 10_000 {
		x := uint64(uint32(random.next()))<<32 | uint64(uint32(random.next()))
		x >>= uint32(random.next()) % 31
		if got, want := dsp.Sqrt(x), math.Round(math.Sqrt(float64(x))); math.Abs(float64(got)-want) > 1 {
			t.Errorf("%d: got %d, want %v", x, got, want)
		}
	}
}

// TestLog compares with results of the reference, and all of them with the
// logarithm itself.
func TestLog(t *testing.T) {
	for _, c := range []struct{ x, scale, want uint32 }{
		{1, 2048, 0}, {2, 2048, 1420}, {3, 2048, 2250}, {1000, 1600, 11052}, {math.MaxUint32, 1600, 35491}, {12345678, 1 << 20, 17104},
	} {
		if got := dsp.Log(c.x, c.scale); got != c.want {
			t.Errorf("%d·ln %d: got %d, want %d", c.scale, c.x, got, c.want)
		}
	}
	var random noise = 1
	for range 10_000 {
		x := uint32(random.next())>>(uint32(random.next())%31) | 1
		if got, want := float64(dsp.Log(x, 2048)), 2048*math.Log(float64(x)); math.Abs(got-want) > 6 {
			t.Errorf("%d: got %v, want %v", x, got, want)
		}
	}
}
