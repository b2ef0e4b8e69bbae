package op

import (
	"math"
	"testing"
)

// TestRealFunctions holds float32 functions to the accuracy that their comments
// state, over their whole range, and to what they give at its ends.
func TestRealFunctions(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		name     string
		f        func(float32) float32
		exact    func(float64) float64
		from, to float64
		units    float64 // in the last place
		ends     map[float32]float64
	}{
		{"expf", expf, math.Exp, -87, 88, 0.503, map[float32]float64{-200: 0, -103.9: 1.401298464e-45, 89: inf}},
		{"logf", logf, math.Log, 1e-3, 1e4, 0.82, map[float32]float64{1: 0, 0: -inf, float32(inf): inf, 0x1p-149: -149 * math.Ln2}},
		{"expm1f", expm1f, math.Expm1, -18, 88, 1, map[float32]float64{-30: -1, 89: inf, 1e-20: 1e-20}},
		{"sinf", sinf, math.Sin, -500, 500, 0.57, map[float32]float64{1e-20: 1e-20, 3e38: math.Sin(float64(float32(3e38)))}},
		{"cosf", cosf, math.Cos, -500, 500, 0.57, map[float32]float64{0: 1, -3e38: math.Cos(float64(float32(3e38)))}},
		{"tanhf", tanhf, math.Tanh, -12, 12, 2.5, map[float32]float64{-30: -1, 25: 1, 1e-20: 1e-20}},
	} {
		t.Run(c.name, func(t *testing.T) {
			worst, at := 0.0, float32(0)
			for i := range 100000 {
				x := float32(c.from + (c.to-c.from)*float64(i)/100000)
				want := c.exact(float64(x))
				place := math.Ldexp(1, math.Ilogb(want)-23)
				if off := math.Abs(float64(c.f(x))-want) / place; off > worst {
					worst, at = off, x
				}
			}
			if worst > c.units {
				t.Errorf("%v: got %v units off, want at most %v", at, worst, c.units)
			}
			for x, want := range c.ends {
				if got := c.f(x); got != float32(want) {
					t.Errorf("%v: got %v, want %v", x, got, float32(want))
				}
			}
			if nan := float32(math.NaN()); c.f(nan) == c.f(nan) {
				t.Errorf("NaN: got %v, want NaN", c.f(nan))
			}
		})
	}
}
