package fixed

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

func TestQuantize(t *testing.T) {
	for _, c := range []struct {
		factor float64
		want   Multiplier
	}{
		{0, Multiplier{0, 0}},
		{1, Multiplier{1 << 30, 1}},
		{0.5, Multiplier{1 << 30, 0}},
		{0.75, Multiplier{3 << 29, 0}},
		{3, Multiplier{3 << 29, 2}},
		{math.Nextafter(1, 0), Multiplier{1 << 30, 1}}, // rounds up to 2^31
		{math.Ldexp(1, -32), Multiplier{1 << 30, -31}},
		{math.Ldexp(0.99, -32), Multiplier{}},
		{0.5 + math.Ldexp(1, -32), Multiplier{1<<30 + 1, 0}}, // a tie goes away from zero
	} {
		if got := Quantize(c.factor); got != c.want {
			t.Errorf("%g: got %+v, want %+v", c.factor, got, c.want)
		}
	}
}

// divRound is n/d rounded half away from zero, by big integers.
func divRound(n, d *big.Int) int64 {
	twice := new(big.Int).Mul(new(big.Int).Abs(n), big.NewInt(2))
	q := new(big.Int).Quo(twice.Add(twice, d), new(big.Int).Mul(d, big.NewInt(2)))
	if n.Sign() < 0 {
		q.Neg(q)
	}
	return q.Int64()
}

// TestApplyAgainstDefinition computes both roundings with big integers. The
// high multiplication rounds ties upward rather than away from zero for
// negative products: its nudge of 1-2^30 before a truncating division.
func TestApplyAgainstDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		x := int32(rng.Uint32()) >> rng.IntN(32)
		m := Multiplier{M: 1<<30 + int32(rng.Uint32()>>2), Shift: -int32(rng.IntN(32))}
		if rng.IntN(4) == 0 {
			m.M = 1 << 30 // provokes ties
		}
		p := new(big.Int).Mul(big.NewInt(int64(x)), big.NewInt(int64(m.M)))
		high := new(big.Int).Add(p, big.NewInt(1<<30))
		high.Rsh(high, 31) // floor
		want := divRound(high, new(big.Int).Lsh(big.NewInt(1), uint(-m.Shift)))
		if got := m.Apply(x); int64(got) != want {
			t.Fatalf("%d times %+v: got %d, want %d", x, m, got, want)
		}
	}
}

func TestApplyLeftShift(t *testing.T) {
	for _, c := range []struct {
		x      int32
		factor float64
		want   int32
	}{
		{7, 1, 7}, {-7, 1, -7}, {7, 3, 21}, {-5, 2.5, -12}, {5, 2.5, 13}, {1, 1024, 1024},
	} {
		if got := Quantize(c.factor).Apply(c.x); got != c.want {
			t.Errorf("%d times %g: got %d, want %d", c.x, c.factor, got, c.want)
		}
	}
}

func TestApplyWide(t *testing.T) {
	for _, c := range []struct {
		x    int64
		m    Multiplier
		want int32
	}{
		{1 << 40, Multiplier{1 << 30, -20}, 1 << 19},
		{-3, Multiplier{1 << 30, 0}, -1}, // -1.5 rounds half up
		{3, Multiplier{1 << 30, 0}, 2},
		{100, Multiplier{math.MaxInt32, 0}, 100},
	} {
		if got := c.m.ApplyWide(c.x); got != c.want {
			t.Errorf("%d times %+v: got %d, want %d", c.x, c.m, got, c.want)
		}
	}
}

func TestMulHighSaturates(t *testing.T) {
	if got := MulHigh(math.MinInt32, math.MinInt32); got != math.MaxInt32 {
		t.Errorf("got %d, want %d", got, math.MaxInt32)
	}
}

func TestDivPow2(t *testing.T) {
	for _, c := range []struct{ x, exp, want int32 }{
		{5, 1, 3}, {-5, 1, -3}, {4, 1, 2}, {-4, 1, -2}, {6, 2, 2}, {-6, 2, -2}, {5, 2, 1},
		{7, 0, 7}, {math.MinInt32, 31, -1}, {math.MaxInt32, 31, 1}, {1 << 30, 31, 1}, {123, 32, 0}, {-123, 60, 0},
	} {
		if got := DivPow2(c.x, c.exp); got != c.want {
			t.Errorf("%d/2^%d: got %d, want %d", c.x, c.exp, got, c.want)
		}
	}
}

func TestExpNearTrueValue(t *testing.T) {
	for raw := int64(0); raw > math.MinInt32; raw -= 999_983 {
		got := float64(Exp(int32(raw))) / (1 << 31)
		want := math.Exp(float64(raw) / (1 << 26))
		if math.Abs(got-want) > 3e-7 {
			t.Fatalf("exp(%d/2^26): got %.10f, want %.10f", raw, got, want)
		}
	}
}

func TestReciprocalNearTrueValue(t *testing.T) {
	for x := int64(1 << 12); x < math.MaxInt32; x += x/7 + 1 {
		scale, over := Reciprocal(int32(x), 12)
		got := float64(scale) / (1 << 31) * math.Pow(2, float64(-over))
		want := float64(1<<19) / float64(x)
		if math.Abs(got-want) > 2e-8*want {
			t.Fatalf("1/%d: got %g, want %g", x, got, want)
		}
	}
}

// TestSigmoid16Table computes the table from its definition.
func TestSigmoid16Table(t *testing.T) {
	f := func(x float64) float64 { return 65536 / (1 + math.Exp(-x/24)) }
	for i, got := range sigmoid16 {
		x := float64(i)
		bend := f(x+0.5) - (f(x)+f(x+1))/2
		want := math.Round(f(x) + bend/2)
		if i == 255 {
			want = 65535
		}
		if float64(got) != want {
			t.Errorf("sigmoid16[%d]: got %d, want %v", i, got, want)
		}
	}
}

func TestSigmoid16(t *testing.T) {
	for _, c := range []struct {
		x             int32
		sigmoid, tanh int16
	}{
		{0, 16384, 0},
		{3 << 12, 23956, 24956}, // entries 24 and 48 of the table: 47911/2, 57724 − 32768
		{-3 << 12, 8812, -24956},
		{3 << 17, 32767, 32767},
		{-3 << 17, 1, -32767},
		{math.MaxInt32, 32767, 32767},
		{math.MinInt32, 1, -32767},
	} {
		if got := Sigmoid16(c.x); got != c.sigmoid {
			t.Errorf("Sigmoid16(%d): got %d, want %d", c.x, got, c.sigmoid)
		}
		if got := Tanh16(c.x); got != c.tanh {
			t.Errorf("Tanh16(%d): got %d, want %d", c.x, got, c.tanh)
		}
	}
	// Nowhere further from the real functions than the table's own error.
	for q := int32(-32768); q < 32768; q += 7 {
		x := float64(q) / 4096
		if d := float64(Sigmoid16(3*q)) - 32768/(1+math.Exp(-x)); math.Abs(d) > 2 {
			t.Fatalf("Sigmoid16(%v): off by %v", x, d)
		}
		if d := float64(Tanh16(3*q)) - 32768*math.Tanh(x); math.Abs(d) > 4 {
			t.Fatalf("Tanh16(%v): off by %v", x, d)
		}
	}
}

func TestSigmoidsNearTrueValue(t *testing.T) {
	for _, c := range []struct {
		name  string
		fixed func(int32) int32
		real  func(float64) float64
		exact map[int32]int32
	}{
		{"logistic", Logistic, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, map[int32]int32{0: 1 << 30}},
		{"tanh", Tanh, math.Tanh, map[int32]int32{0: 0}},
	} {
		for raw := int64(-math.MaxInt32); raw < math.MaxInt32; raw += 1_999_993 {
			got := float64(c.fixed(int32(raw))) / (1 << 31)
			want := c.real(float64(raw) / (1 << 27))
			if math.Abs(got-want) > 5e-7 {
				t.Fatalf("%s(%d/2^27): got %.10f, want %.10f", c.name, raw, got, want)
			}
		}
		for raw, want := range c.exact {
			if got := c.fixed(raw); got != want {
				t.Errorf("%s(%d/2^27): got %d, want %d", c.name, raw, got, want)
			}
		}
	}
}

func TestInvSqrtNearTrueValue(t *testing.T) {
	for x := int64(1); x < math.MaxInt32; x += x/9 + 1 {
		m := InvSqrt(int32(x))
		got := math.Ldexp(float64(m.M), int(m.Shift)-31)
		want := 1 / math.Sqrt(float64(x))
		// Five steps from 1 are not quite enough for the largest root, 2.
		if math.Abs(got-want) > 1.3e-6*want {
			t.Fatalf("1/√%d: got %g, want %g", x, got, want)
		}
	}
	if got, want := InvSqrt(0), InvSqrt(1); got != want {
		t.Errorf("0: got %+v, want %+v", got, want)
	}
}

func TestLogNearTrueValue(t *testing.T) {
	for x := int64(1 << 19); x < math.MaxInt32; x += x/500 + 1 {
		got := float64(Log(int32(x))) / (1 << 26)
		want := math.Log(float64(x) / (1 << 19))
		if math.Abs(got-want) > 2e-6 {
			t.Fatalf("ln(%d/2^19): got %.9f, want %.9f", x, got, want)
		}
	}
}
