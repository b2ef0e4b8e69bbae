package kernel

import (
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"kedge/runtime/fixed"
)

// checks is how many results each form of requantization is tried on.
func checks() int {
	if os.Getenv("KEDGE_ACCEPT") == "1" {
		return 10_000_000
	}
	return 100_000
}

// epilogue is the requantization of n channels of weight 1, so that a channel's
// accumulators are its bias and what follows it. Many of them meet a tie of one
// of the two roundings, or the bound on accumulators.
func (r values) epilogue(n int) (bias []int32, o Output) {
	o = Output{Zero: int32(r.IntN(256)) - 128, Min: -128, Max: 127}
	switch r.IntN(4) {
	case 0:
		o.Min = int32(r.IntN(256)) - 128
	case 1: // some leave out what only results below the zero point need
		o.Min = o.Zero
	}
	const most = 1<<30 - 1 - 255
	for range n {
		m := fixed.Multiplier{M: 1<<30 + int32(r.Uint32()>>2), Shift: -int32(r.IntN(23))}
		switch r.IntN(4) {
		case 0: // ties of the first rounding
			m.M = 1<<30 + int32(r.Uint32()>>2)&^(1<<(20+r.IntN(10))-1)
		case 1:
			m.M = []int32{1 << 30, 1<<30 + 1, math.MaxInt32, math.MaxInt32 - 1}[r.IntN(4)]
		}
		o.Multipliers = append(o.Multipliers, m)
		b := float64(0)
		switch r.IntN(5) {
		case 0: // any size
			b = float64(int32(r.Uint32()) >> (1 + r.IntN(30)))
		case 1: // the bounds
			b = most - float64(r.IntN(300))
			if r.IntN(2) == 0 {
				b = -b
			}
		default: // around a tie of the second rounding
			b = math.Round(math.Ldexp(float64(r.IntN(300)-150)+0.5, 31-int(m.Shift))/float64(m.M)) - float64(r.IntN(256))
		}
		bias = append(bias, int32(min(max(b, -most), most)))
	}
	return bias, o
}

// ones are weights of 1.
func ones(n int) []int8 { return slices.Repeat([]int8{1}, n) }

// ramp are n bytes of every value in turn.
func ramp(n, channels int) []int8 {
	s := make([]int8, 0, n*channels)
	for i := range n {
		s = append(s, slices.Repeat([]int8{int8(i)}, channels)...)
	}
	return s
}

// matches compares results for inputs in, one pixel's after another, with the
// definition. The input's zero point is -128.
func matches(t *testing.T, in, out []int8, bias []int32, o *Output) {
	t.Helper()
	for i, got := range out {
		c := i % len(bias)
		acc := bias[c] + int32(in[i/len(bias)]) + 128
		if want := o.requantize(acc, c); got != want {
			t.Fatalf("accumulator %d, factor %+v, zero %d, bounds %d to %d: got %d, want %d",
				acc, o.Multipliers[c], o.Zero, o.Min, o.Max, got, want)
		}
	}
}

// engineSets is each, without plain Go.
func engineSets(t *testing.T, results int, f func(t *testing.T, s *Set, r values)) {
	each(t, checks()/results+1, func(t *testing.T, s *Set, r values) {
		if s.engine != nil {
			f(t, s, r)
		}
	})
}

// TestRequantizeConv: layers of one tap, with as many rows as there are bytes, in
// panels of every width, and of those for layers of few channels.
func TestRequantizeConv(t *testing.T) {
	for _, channels := range []int{112, 8, 4} {
		t.Run(fmt.Sprint(channels), func(t *testing.T) {
			const rows = 256
			engineSets(t, rows*channels, func(t *testing.T, s *Set, r values) {
				bias, o := r.epilogue(channels)
				w := Window{Batch: 1, InH: 1, InW: rows, OutH: 1, OutW: rows, KernelH: 1, KernelW: 1, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}
				c := Conv{Window: w, InC: 1, OutC: channels, Groups: 1, InZero: -128, Weights: ones(channels), Bias: bias, Output: o}
				s.PrepareConv(&c, granted)
				if c.layer == nil {
					t.Fatal("was left to plain Go")
				}
				in, out := ramp(rows, 1), make([]int8, rows*channels)
				c.Run(in, out, scratch(c.Scratch), new(Work))
				matches(t, in, out, bias, &o)
			})
		})
	}
}

// TestRequantizeDense: a single row, of as many inputs as there may be at once.
func TestRequantizeDense(t *testing.T) {
	const channels, k = 4096 + 16 + 8, 8
	engineSets(t, channels, func(t *testing.T, s *Set, r values) {
		bias, o := r.epilogue(channels)
		d := Dense{Batch: 1, K: k, N: channels, InZero: -128, Weights: make([]int8, channels*k), Bias: bias, Output: o}
		for i := range channels {
			d.Weights[i*k] = 1
		}
		s.PrepareDense(&d, granted)
		if d.layer == nil {
			t.Fatal("was left to plain Go")
		}
		in, out := r.int8s(k), make([]int8, channels)
		d.Run(in, out, scratch(d.Scratch), new(Work))
		matches(t, in[:1], out, bias, &o)
	})
}

// TestRequantizeDepthwise: one tap, and the first of two by two.
func TestRequantizeDepthwise(t *testing.T) {
	const rows, channels = 256, 48
	engineSets(t, 2*rows*channels, func(t *testing.T, s *Set, r values) {
		bias, o := r.epilogue(channels)
		for k := 1; k <= 2; k++ {
			w := Window{Batch: 1, InH: 1, InW: rows, OutH: 1, OutW: rows, KernelH: k, KernelW: k, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}
			d := Depthwise{Window: w, InC: channels, OutC: channels, Multiplier: 1, InZero: -128,
				Weights: slices.Concat(ones(channels), make([]int8, (k*k-1)*channels)), Bias: bias, Output: o}
			s.PrepareDepthwise(&d, granted)
			if d.layer == nil {
				t.Fatal("was left to plain Go")
			}
			in, out := ramp(rows, channels), make([]int8, rows*channels)
			d.Run(in, out, scratch(d.Scratch), new(Work))
			matches(t, ramp(rows, 1), out, bias, &o)
		}
	})
}

// TestRouting: channels that a set is not exact for it leaves to plain Go, and those it is
// exact for up to the bounds it does not.
func TestRouting(t *testing.T) {
	const k, n = 9, 20
	most := int32(1<<30 - 255*k*100)
	for _, c := range []struct {
		name   string
		weight int8 // of channel 7; 100 in the others
		bias   int32
		factor fixed.Multiplier
		want   func(e *engine) bool // whether the engine computes that channel
	}{
		{"ordinary", 100, 1000, fixed.Multiplier{M: 1 << 30, Shift: -9}, always},
		{"weight of -128", -128, 1000, fixed.Multiplier{M: 1<<30 + 12345, Shift: -10}, func(e *engine) bool { return !e.narrow }},
		{"factor of nearly one", 100, 3, fixed.Multiplier{M: math.MaxInt32}, always},
		{"factor of one", 100, 3, fixed.Multiplier{M: 1 << 30, Shift: 1}, never},
		{"large factor", 100, 3, fixed.Multiplier{M: 1<<30 + 1, Shift: 7}, never},
		{"smallest factor", 100, 3, fixed.Multiplier{M: 1<<30 + 1, Shift: -22}, always},
		{"smaller factor", 100, 3, fixed.Multiplier{M: 1<<30 + 1, Shift: -23}, never},
		{"odd multiplier", 100, 3, fixed.Multiplier{M: 1<<30 - 1, Shift: -5}, never},
		{"accumulator at the bound", 100, most - 1, fixed.Multiplier{M: math.MaxInt32, Shift: -22}, always},
		{"accumulator at the lower bound", 100, 1 - most, fixed.Multiplier{M: math.MaxInt32, Shift: -22}, always},
		{"accumulator beyond", 100, most, fixed.Multiplier{M: math.MaxInt32, Shift: -22}, never},
		{"accumulator far beyond", 100, math.MaxInt32 - 255*k*100, fixed.Multiplier{M: math.MaxInt32, Shift: -22}, never},
		{"accumulator below", 100, -most, fixed.Multiplier{M: math.MaxInt32, Shift: -22}, never},
		{"least bias", 0, math.MinInt32, fixed.Multiplier{M: 1 << 30, Shift: -22}, always}, // its channel is dead
	} {
		t.Run(c.name, func(t *testing.T) {
			engineSets(t, checks(), func(t *testing.T, s *Set, r values) {
				d := Dense{Batch: 5, K: k, N: n, Weights: slices.Repeat([]int8{100}, n*k), Bias: make([]int32, n), Output: r.output(n)}
				d.Output.Min, d.Output.Max = -128, 127
				for i := range d.Output.Multipliers {
					d.Output.Multipliers[i] = fixed.Multiplier{M: 1 << 30, Shift: -9}
				}
				copy(d.Weights[7*k:8*k], slices.Repeat([]int8{c.weight}, k))
				d.Bias[7], d.Output.Multipliers[7] = c.bias, c.factor
				in := slices.Concat(slices.Repeat([]int8{-128}, k), slices.Repeat([]int8{127}, k), r.int8s(3*k))
				for _, zero := range []int32{-128, 0, 127} {
					d.InZero, d.layer = zero, nil
					s.PrepareDense(&d, granted)
					taken := d.layer != nil && (d.layer.exceptions == nil || d.layer.exceptions.channels[0].channel != 7)
					if got, want := taken, c.want(s.engine); got != want {
						t.Errorf("zero %d: taken by the engine %t, want %t", zero, got, want)
					}
					out := make([]int8, d.Batch*n)
					d.Run(in, out, scratch(d.Scratch), new(Work))
					for i, got := range out {
						acc := d.Bias[i%n]
						for j := range k {
							acc += (int32(in[i/n*k+j]) - zero) * int32(d.Weights[i%n*k+j])
						}
						if want := d.Output.requantize(acc, i%n); got != want {
							t.Errorf("zero %d, row %d, channel %d: got %d, want %d", zero, i/n, i%n, got, want)
						}
					}
				}
			})
		})
	}
}

func always(*engine) bool { return true }
func never(*engine) bool  { return false }
