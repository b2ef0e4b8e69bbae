package kernel

import (
	"math"
	"slices"
	"testing"

	"kedge/runtime/fixed"
)

// TestRequantizeLinear: outputs bounded at or above their zero point, with sums
// around every edge between two results, in panels of every width.
func TestRequantizeLinear(t *testing.T) {
	const rows = 256
	linear, panels := 0, 0
	for _, channels := range []int{112, 8} {
		engineSets(t, rows*channels, func(t *testing.T, s *Set, r values) {
			bias, o := r.linearEpilogue(channels)
			w := Window{Batch: 1, InH: 1, InW: rows, OutH: 1, OutW: rows, KernelH: 1, KernelW: 1, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}
			c := Conv{Window: w, InC: 1, OutC: channels, Groups: 1, InZero: -128, Weights: ones(channels), Bias: bias, Output: o}
			s.PrepareConv(&c, granted)
			if c.layer == nil {
				t.Fatal("was left to plain Go")
			}
			if s.engine.linear != nil {
				for _, p := range c.layer.panels {
					linear, panels = linear+p.linear, panels+1
				}
			}
			in, out := ramp(rows, 1), make([]int8, rows*channels)
			c.Run(in, out, scratch(c.Scratch), new(Work))
			matches(t, in, out, bias, &o)
		})
	}
	if linear < panels*9/10 {
		t.Errorf("%d of %d panels are linear, want nearly all", linear, panels)
	}
}

// linearEpilogue is epilogue with bounds and factors as layers before a ReLU have
// them.
func (r values) linearEpilogue(n int) (bias []int32, o Output) {
	o = Output{Zero: int32(r.IntN(200)) - 128, Max: 127}
	if o.Min = o.Zero; r.IntN(4) == 0 {
		o.Min += int32(r.IntN(20))
		o.Max -= int32(r.IntN(20))
	}
	for range n {
		m := fixed.Multiplier{M: 1<<30 + 1 + int32(r.Uint32()>>2), Shift: -int32(r.IntN(13))}
		if r.IntN(16) == 0 {
			m.M = math.MaxInt32 - int32(r.IntN(1<<8))
		}
		o.Multipliers = append(o.Multipliers, m)
		edge := float64(r.IntN(int(127-o.Zero))) + 0.5
		switch r.IntN(8) {
		case 0: // any size
			bias = append(bias, int32(r.Uint32())>>(2+r.IntN(29)))
		default:
			bias = append(bias, int32(math.Ldexp(edge, 31-int(m.Shift))/float64(m.M))-int32(r.IntN(256)))
		}
	}
	return bias, o
}

// TestLinearRefused: what the form is not exact for.
func TestLinearRefused(t *testing.T) {
	ordinary := channel{bias: 100, m: 1<<30 + 12345678, shift: 9}
	relu := Output{Zero: -128, Min: -128, Max: 127}
	for _, c := range []struct {
		name string
		c    channel
		o    Output
		want bool
	}{
		{"ordinary", ordinary, relu, true},
		{"negative results", ordinary, Output{Zero: -127, Min: -128, Max: 127}, false},
		{"sums on the edge", channel{m: 1 << 30, shift: 9}, relu, false},
		{"edges beyond exact sums", channel{m: 1<<30 + 12345678, shift: 22}, relu, false},
		{"always the same", channel{bias: 400, m: plainFactor, shift: 1}, relu, true},
	} {
		cs := make([]channel, 16)
		for i := range cs {
			cs[i] = ordinary
		}
		cs[5] = c.c
		if got := linearParams(cs, &c.o) != nil; got != c.want {
			t.Errorf("%s: got %t, want %t", c.name, got, c.want)
		}
	}
}

// TestRequantizeLinearDepthwise: one tap, and the first of three by three.
func TestRequantizeLinearDepthwise(t *testing.T) {
	const rows, channels = 256, 48
	linear, blocks := 0, 0
	engineSets(t, 2*rows*channels, func(t *testing.T, s *Set, r values) {
		bias, o := r.linearEpilogue(channels)
		for _, k := range []int{1, 3} {
			w := Window{Batch: 1, InH: 1, InW: rows, OutH: 1, OutW: rows, KernelH: k, KernelW: k, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}
			d := Depthwise{Window: w, InC: channels, OutC: channels, Multiplier: 1, InZero: -128,
				Weights: slices.Concat(ones(channels), make([]int8, (k*k-1)*channels)), Bias: bias, Output: o}
			s.PrepareDepthwise(&d, granted)
			if d.layer == nil {
				t.Fatal("was left to plain Go")
			}
			if s.engine.quads != nil {
				for _, p := range d.layer.panels {
					for at := 0; at < len(p.params); at += 384 {
						blocks++
						linear += int(p.params[at+323] >> 7) // the sign of what is a shift otherwise
					}
				}
			}
			in, out := ramp(rows, channels), make([]int8, rows*channels)
			d.Run(in, out, scratch(d.Scratch), new(Work))
			matches(t, ramp(rows, 1), out, bias, &o)
		}
	})
	if linear < blocks*9/10 {
		t.Errorf("%d of %d times 16 channels are linear, want nearly all", linear, blocks)
	}
}
