package feature

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

// ulps is the distance of two positive numbers in units in the last place.
func ulps(a, b float64) uint64 {
	x, y := math.Float64bits(a), math.Float64bits(b)
	return max(x, y) - min(x, y)
}

func TestLog1pNearMath(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	worst := uint64(0)
	check := func(x float64) {
		d := ulps(log1p(x), math.Log1p(x))
		if worst = max(worst, d); d > 1 {
			t.Fatalf("log1p(%b): got %b, %d ulp from math.Log1p's %b", x, log1p(x), d, math.Log1p(x))
		}
	}
	for _, x := range []float64{0, 5e-324, 0x1p-54, 0x1p-53, 1e-300, 1e-10, math.Sqrt2 - 1,
		math.Nextafter(math.Sqrt2-1, 0), 0.5, 1, 2, 1e15, 1e16, 0x1p53, 0x1p54, math.MaxFloat64, math.Inf(1)} {
		check(x)
	}
	for range 300_000 {
		check(math.Ldexp(1+rng.Float64(), rng.IntN(140)-70))
		check(rng.Float64())
		check(rng.Float64() * 1e5)
	}
	t.Logf("worst distance %d ulp", worst)
	if got := log1p(math.NaN()); got == got {
		t.Errorf("log1p(NaN): got %v, want NaN", got)
	}
}

func TestGolden(t *testing.T) {
	for _, g := range goldenLog1p {
		if got := math.Float64bits(log1p(math.Float64frombits(g.x))); got != g.want {
			t.Errorf("log1p(%#x): got %#x, want %#x", g.x, got, g.want)
		}
	}
	tab, err := Compile(Set{{"a", SignedLog1p, 3.7, 0.9}, {"b", None, 1e5 / 3.0, 777.7}})
	if err != nil {
		t.Fatal(err)
	}
	var dst [2]float32
	for _, g := range goldenApply {
		if err := tab.Apply(dst[:], []float64{g.x, g.x}); err != nil {
			t.Fatal(err)
		}
		if got := [2]uint32{math.Float32bits(dst[0]), math.Float32bits(dst[1])}; got != g.want {
			t.Errorf("%v: got %#x, want %#x", g.x, got, g.want)
		}
	}
}

// TestGoldenDigest covers many more arguments than fit in a table: a wrapping
// sum of all results' bits, each times its odd position.
func TestGoldenDigest(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	digest := uint64(0)
	for i := range uint64(100_000) {
		x := math.Ldexp(1+rng.Float64(), rng.IntN(80)-40)
		digest += math.Float64bits(log1p(x)) * (2*i + 1)
	}
	if digest != goldenDigest {
		t.Errorf("got %#x, want %#x", digest, goldenDigest)
	}
}

func TestApply(t *testing.T) {
	tab, err := Compile(Set{{"raw", "", 10, 2}, {"log", SignedLog1p, 0, 1}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		x    []float64
		want []float32
	}{
		{[]float64{14, 0}, []float32{2, 0}},
		{[]float64{9, math.E - 1}, []float32{-0.5, 1}},
		{[]float64{10, 1 - math.E}, []float32{0, -1}},
	} {
		got := make([]float32, 2)
		if err := tab.Apply(got, c.x); err != nil || got[0] != c.want[0] || got[1] != c.want[1] {
			t.Errorf("%v: got %v, %v, want %v", c.x, got, err, c.want)
		}
	}
}

func TestApplyRefuses(t *testing.T) {
	tab, err := Compile(Set{{"a", "", 0, 1}, {"b", SignedLog1p, 0, 1e-300}})
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]float32, 2)
	for _, x := range [][]float64{{math.NaN(), 0}, {0, math.Inf(-1)}, {0, 5}, {1e39, 0}} {
		if err := tab.Apply(dst, x); !errors.Is(err, ErrNotFinite) {
			t.Errorf("%v: got %v, want %v", x, err, ErrNotFinite)
		}
	}
	if err := tab.Apply(dst, []float64{1}); err == nil {
		t.Error("got no error for a short row")
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, c := range []struct {
		columns Set
		want    string
	}{
		{nil, "none declared"},
		{Set{{"x", "log2", 0, 1}}, `feature 0 "x": transform "log2"`},
		{Set{{"x", "", 0, 1}, {"y", "", 0, 0}}, `feature 1 "y": scale 0`},
		{Set{{"x", "", 0, -1}}, "must be above 0"},
		{Set{{"x", "", 0, math.Inf(1)}}, "not a finite"},
		{Set{{"x", "", math.NaN(), 1}}, "not a finite"},
	} {
		if _, err := Compile(c.columns); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want it to contain %q", err, c.want)
		}
	}
}

func TestQuantize(t *testing.T) {
	for _, c := range []struct {
		x, scale float32
		zero     int32
		want     int8
	}{
		{0, 0.1, 3, 3}, {0.25, 0.5, 0, 1}, {-0.25, 0.5, 0, -1}, {0.24, 0.5, 0, 0},
		{100, 0.5, 0, 127}, {-100, 0.5, 0, -128}, {math.MaxFloat32, 0.001, -128, 127}, {1, 1, 126, 127},
	} {
		dst := make([]byte, 1)
		if err := Quantize(dst, []float32{c.x}, c.scale, c.zero); err != nil || int8(dst[0]) != c.want {
			t.Errorf("%v/%v+%d: got %d, %v, want %d", c.x, c.scale, c.zero, int8(dst[0]), err, c.want)
		}
	}
	nan := float32(math.NaN())
	if err := Quantize(make([]byte, 1), []float32{nan}, 1, 0); !errors.Is(err, ErrNotFinite) {
		t.Errorf("NaN: got %v, want %v", err, ErrNotFinite)
	}
	if err := Quantize(make([]byte, 1), []float32{1}, 0, 0); err == nil {
		t.Error("scale 0: got no error")
	}
	if err := Quantize(make([]byte, 2), []float32{1}, 1, 0); err == nil {
		t.Error("wrong length: got no error")
	}
}

func TestNoAllocations(t *testing.T) {
	tab, err := Compile(Set{{"a", SignedLog1p, 1, 2}, {"b", None, 1, 2}})
	if err != nil {
		t.Fatal(err)
	}
	f, q, x := make([]float32, 2), make([]byte, 2), []float64{3, 4}
	allocs := testing.AllocsPerRun(100, func() {
		if tab.Apply(f, x) != nil || Quantize(q, f, 0.1, 0) != nil {
			t.Fatal("refused")
		}
	})
	if allocs != 0 {
		t.Errorf("got %v allocations, want 0", allocs)
	}
}

// TestSeriesAgainstBig sums the series with big floats, so that a wrong term
// cannot hide behind a comparison with another float64 function.
func TestSeriesAgainstBig(t *testing.T) {
	for _, z := range []float64{1e-6, 0.01, 0.0294} {
		want, power := new(big.Float).SetPrec(200), big.NewFloat(1).SetPrec(200)
		for n := int64(3); n < 61; n += 2 {
			power.Mul(power, big.NewFloat(z))
			term := new(big.Float).SetPrec(200).Quo(big.NewFloat(2).SetPrec(200), new(big.Float).SetInt64(n))
			want.Add(want, term.Mul(term, power))
		}
		w, _ := want.Float64()
		if d := ulps(atanhTail(z), w); d > 1 {
			t.Errorf("tail(%v): %d ulp off", z, d)
		}
	}
}
