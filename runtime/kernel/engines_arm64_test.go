package kernel

import (
	"math"
	"slices"
	"testing"

	"kedge/runtime/fixed"
)

// quick changes an epilogue so that its panels need not be careful: every factor
// shifts, and no result leaves 16 bits before it is limited to eight.
func (r values) quick(n int) (bias []int32, o Output) {
	bias, o = r.epilogue(n)
	o.Min, o.Max = -128, 127
	if r.IntN(3) == 0 {
		o.Min, o.Max = o.Zero, 127-int32(r.IntN(50))
		o.Max = max(o.Min, o.Max)
	}
	for i, m := range o.Multipliers {
		m.Shift = min(m.Shift, -1)
		o.Multipliers[i] = m
		most := int32(min(math.Ldexp(30000, 31-int(m.Shift))/float64(m.M), 1<<30-256)) - 256
		switch b := &bias[i]; r.IntN(4) {
		case 0: // either end
			*b = most
			if r.IntN(2) == 0 {
				*b = -most
			}
		case 1: // any result
			*b = int32(float64(most) * (2*r.Float64() - 1))
		default: // a tie, as they are, or one of few
			if *b = min(max(*b, -most), most); r.IntN(2) == 0 {
				tie := math.Ldexp(float64(r.IntN(300)-150)+0.5, 31-int(m.Shift)) / float64(m.M)
				*b = int32(min(max(math.Round(tie)-float64(r.IntN(256)), float64(-most)), float64(most)))
			}
		}
	}
	return bias, o
}

func TestQuickConv(t *testing.T) {
	const rows, channels = 256, 16*3 + 8
	engineSets(t, rows*channels, func(t *testing.T, s *Set, r values) {
		bias, o := r.quick(channels)
		w := Window{Batch: 1, InH: 1, InW: rows, OutH: 1, OutW: rows, KernelH: 1, KernelW: 1, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}
		c := Conv{Window: w, InC: 1, OutC: channels, Groups: 1, InZero: -128, Weights: ones(channels), Bias: bias, Output: o}
		s.PrepareConv(&c, granted)
		isQuick(t, s, c.layer)
		in, out := ramp(rows, 1), make([]int8, rows*channels)
		c.Run(in, out, scratch(c.Scratch), new(Work))
		matches(t, in, out, bias, &o)
	})
}

// TestQuickDepthwise: windows of one tap, and of nine of which one counts, with
// strides that the kernels for three by three tell apart.
func TestQuickDepthwise(t *testing.T) {
	const rows, channels = 256, 48
	engineSets(t, 3*rows*channels, func(t *testing.T, s *Set, r values) {
		bias, o := r.quick(channels)
		for _, g := range []struct{ kernel, stride int }{{1, 1}, {3, 1}, {3, 2}} {
			weights := make([]int8, g.kernel*g.kernel*channels)
			copy(weights[len(weights)/2/channels*channels:], ones(channels)) // the middle
			w := Window{Batch: 1, InH: 1, InW: g.stride * rows, OutH: 1, OutW: rows, KernelH: g.kernel, KernelW: g.kernel,
				StrideH: 1, StrideW: g.stride, DilationH: 1, DilationW: 1, PadTop: g.kernel / 2, PadLeft: g.kernel / 2}
			d := Depthwise{Window: w, InC: channels, OutC: channels, Multiplier: 1, InZero: -128, Weights: weights, Bias: bias, Output: o}
			s.PrepareDepthwise(&d, granted)
			isQuick(t, s, d.layer)
			in, out := ramp(g.stride*rows, channels), make([]int8, rows*channels)
			d.Run(in, out, scratch(d.Scratch), new(Work))
			var middle []int8
			for x := range rows {
				middle = append(middle, int8(x*g.stride))
			}
			matches(t, middle, out, bias, &o)
		}
	})
}

// isQuick fails where an epilogue of ours would be the careful one.
func isQuick(t *testing.T, s *Set, l *layer) {
	t.Helper()
	if l == nil {
		t.Fatal("was left to plain Go")
	}
	if s.engine != &neon && s.engine != &dotprod {
		return
	}
	for _, p := range l.panels {
		if flag := p.params[12*p.columns:]; !slices.Equal(flag, make([]byte, 4)) {
			t.Errorf("panel %d: got flag %v, want none", p.first, flag)
		}
	}
}

// TestCareful: what panels need the careful epilogue for.
func TestCareful(t *testing.T) {
	for _, c := range []struct {
		name    string
		channel channel
		want    byte
	}{
		{"usual", channel{0, 1 << 30, 9, 1 << 20, false}, 0},
		{"shift of nothing", channel{0, 1 << 30, 0, 1 << 10, false}, 1},
		{"16 bits", channel{0, 1 << 30, 1, 1<<17 - 8, false}, 0},
		{"more than 16 bits", channel{0, 1 << 30, 1, 1 << 17, false}, 1},
	} {
		p := slices.Repeat([]channel{{0, 1 << 30, 1, 0, false}}, 16)
		p[5] = c.channel
		if got := arm64Params(p, 0)[12*16]; got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

// TestNarrow: weights of -128 are left to plain Go where they are not exact.
func TestNarrow(t *testing.T) {
	for _, e := range engines() {
		if !e.detected() {
			t.Logf("%s: not for this processor", e.name)
			continue
		}
		for _, weight := range []int8{-127, -128} {
			d := Depthwise{Window: Window{Batch: 1, InH: 3, InW: 3, OutH: 1, OutW: 1, KernelH: 3, KernelW: 3, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1},
				InC: 16, OutC: 16, Multiplier: 1, Weights: slices.Repeat([]int8{weight}, 9*16)}
			d.Output = Output{Multipliers: slices.Repeat([]fixed.Multiplier{{M: 1 << 30, Shift: -9}}, 16), Min: -128, Max: 127}
			(&Set{Name: e.name, engine: e}).PrepareDepthwise(&d, granted)
			if got, want := d.layer != nil, weight != -128 || !e.narrowTaps; got != want {
				t.Errorf("%s: weight %d: taken %t, want %t", e.name, weight, got, want)
			}
			in, out := slices.Repeat([]int8{-128}, 9*16), make([]int8, 16)
			d.Run(in, out, scratch(d.Scratch), new(Work))
			if want := d.Output.requantize(9*-128*int32(weight), 3); out[3] != want {
				t.Errorf("%s: weight %d: got %d, want %d", e.name, weight, out[3], want)
			}
		}
	}
}
