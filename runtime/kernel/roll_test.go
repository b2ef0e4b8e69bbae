package kernel

import (
	"slices"
	"testing"
)

// TestRoll compares layers whose copy of the input is a ring with plain Go.
func TestRoll(t *testing.T) {
	each(t, 12, func(t *testing.T, s *Set, r values) {
		if s.engine == nil {
			return
		}
		s = s.For(16)
		w := r.window()
		if r.IntN(2) == 0 {
			w.KernelH, w.KernelW, w.DilationH, w.DilationW, w.StrideH = 3, 3, 1, 1, 1+r.IntN(2) // which have kernels of their own
		}
		w.Batch, w.StrideW, w.InH, w.InW = 1+r.IntN(2), 1, 4+r.IntN(8), 130+r.IntN(20)
		w.OutH, w.OutW = w.InH/w.StrideH+1, w.InW
		c := Conv{Window: w, InC: 48, OutC: 1 + r.IntN(20), Groups: 1, InZero: -5}
		c.Weights = r.int8s(c.OutC * c.KernelH * c.KernelW * c.InC)
		c.Output = r.moderate(c.OutC)
		d := Depthwise{Window: w, InC: 48, OutC: 48, Multiplier: 1, InZero: -5, Weights: r.int8s(w.KernelH * w.KernelW * 48)}
		for _, weights := range [][]int8{c.Weights, d.Weights} {
			for i := range weights {
				weights[i] = max(weights[i], -127) // -128 would leave them to plain Go
			}
		}
		d.Output = r.moderate(48)
		in := r.int8s(c.Batch * c.InH * c.InW * c.InC)
		pixels := c.Batch * c.OutH * c.OutW
		want, got := make([]int8, pixels*c.OutC), make([]int8, pixels*c.OutC)
		wantDepthwise, gotDepthwise := make([]int8, pixels*48), make([]int8, pixels*48)
		run := func(s *Set, c Conv, d Depthwise, out, outDepthwise []int8) (*layer, *layer) {
			s.PrepareConv(&c, granted)
			s.PrepareDepthwise(&d, granted)
			c.Run(in, out, scratch(c.Scratch), new(Work))
			d.Run(in, outDepthwise, scratch(d.Scratch), new(Work))
			return c.layer, d.layer
		}
		run(&Set{}, c, d, want, wantDepthwise)
		l, _ := run(s, c, d, got, gotDepthwise)
		if !slices.Equal(got, want) || !slices.Equal(gotDepthwise, wantDepthwise) {
			t.Fatalf("%+v: other bytes than plain Go", w)
		}
		overlap := (w.KernelH-1)*w.DilationH+1 > w.StrideH && w.KernelH > 1
		if l != nil && overlap && !l.bands.rolls {
			t.Errorf("%+v: every row is copied for each band that it is in", w)
		}
	})
}
