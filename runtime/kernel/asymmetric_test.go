package kernel

import (
	"slices"
	"testing"
)

// near are weights for a zero point at which an engine takes the layer: their
// differences have eight bits, or nine but the largest.
func (r values) near(n int, zero int32) []int8 {
	w := r.int8s(n)
	most := []int32{127, 254}[r.IntN(2)]
	for i, v := range w {
		w[i] = int8(min(max(int32(v), zero-most), zero+most))
	}
	return w
}

// TestAsymmetricConv and the others: layers whose weights have a zero point are
// the engine's too.
func TestAsymmetricConv(t *testing.T) {
	each(t, 200, func(t *testing.T, s *Set, r values) {
		groups, depth := 1+r.IntN(2), 1+r.IntN(9)
		c := Conv{Window: r.window(), InC: groups * depth, OutC: groups * (1 + r.IntN(40)), Groups: groups,
			InZero: int32(r.IntN(256)) - 128, WeightZero: int32(r.IntN(256)) - 128}
		c.Weights = r.near(c.OutC*c.KernelH*c.KernelW*depth, c.WeightZero)
		c.Bias, c.Output = r.bias(c.OutC), r.moderate(c.OutC)
		in, out := r.int8s(c.Batch*c.InH*c.InW*c.InC), make([]int8, c.Batch*c.OutH*c.OutW*c.OutC)
		plain := c
		(&Set{}).PrepareConv(&plain, granted)
		want := make([]int8, len(out))
		plain.Run(in, want, scratch(plain.Scratch), new(Work))
		s.PrepareConv(&c, granted)
		if s.engine != nil && c.layer == nil && c.WeightZero != 0 { // some do not take -128, which is near 0
			t.Fatalf("%+v, weights' zero point %d: was left to plain Go", c.Window, c.WeightZero)
		}
		c.Run(in, out, scratch(c.Scratch), new(Work))
		if !slices.Equal(out, want) {
			t.Fatalf("%+v, weights' zero point %d: got %v, want %v", c.Window, c.WeightZero, out, want)
		}
	})
}

func TestAsymmetricDepthwise(t *testing.T) {
	each(t, 200, func(t *testing.T, s *Set, r values) {
		d := Depthwise{Window: r.window(), InC: 1 + r.IntN(40), Multiplier: 1, InZero: int32(r.IntN(256)) - 128, WeightZero: int32(r.IntN(256)) - 128}
		if r.IntN(2) == 0 { // which some engines have kernels for
			d.KernelH, d.KernelW, d.StrideH, d.StrideW, d.DilationH, d.DilationW = 3, 3, 1, 1, 1, 1
			d.OutH, d.OutW = d.InH, d.InW
		}
		d.OutC = d.InC
		d.Weights = r.near(d.KernelH*d.KernelW*d.OutC, d.WeightZero)
		d.Bias, d.Output = r.bias(d.OutC), r.moderate(d.OutC)
		in, out := r.int8s(d.Batch*d.InH*d.InW*d.InC), make([]int8, d.Batch*d.OutH*d.OutW*d.OutC)
		plain := d
		(&Set{}).PrepareDepthwise(&plain, granted)
		want := make([]int8, len(out))
		plain.Run(in, want, scratch(plain.Scratch), new(Work))
		s.PrepareDepthwise(&d, granted)
		if s.engine != nil && d.layer == nil && d.WeightZero != 0 {
			t.Fatalf("%+v, weights' zero point %d: was left to plain Go", d.Window, d.WeightZero)
		}
		d.Run(in, out, scratch(d.Scratch), new(Work))
		if !slices.Equal(out, want) {
			t.Fatalf("%+v channels %d, weights' zero point %d: got %v, want %v", d.Window, d.InC, d.WeightZero, out, want)
		}
	})
}

// TestAsymmetricDense is of one row and of several.
func TestAsymmetricDense(t *testing.T) {
	each(t, 200, func(t *testing.T, s *Set, r values) {
		d := Dense{Batch: 1 + r.IntN(5)*r.IntN(2), K: 1 + r.IntN(100), N: 1 + r.IntN(80), InZero: int32(r.IntN(256)) - 128, WeightZero: int32(r.IntN(256)) - 128}
		d.Weights = r.near(d.N*d.K, d.WeightZero)
		d.Bias, d.Output = r.bias(d.N), r.moderate(d.N)
		in, out := r.int8s(d.Batch*d.K), make([]int8, d.Batch*d.N)
		plain := d
		(&Set{}).PrepareDense(&plain, granted)
		want := make([]int8, len(out))
		plain.Run(in, want, scratch(plain.Scratch), new(Work))
		s.PrepareDense(&d, granted)
		if s.engine != nil && d.layer == nil {
			t.Fatalf("%d×%d×%d, weights' zero point %d: was left to plain Go", d.Batch, d.K, d.N, d.WeightZero)
		}
		d.Run(in, out, scratch(d.Scratch), new(Work))
		if !slices.Equal(out, want) {
			t.Fatalf("%d×%d×%d, weights' zero point %d: got %v, want %v", d.Batch, d.K, d.N, d.WeightZero, out, want)
		}
	})
}

// moderate is an output without factors that engines do not take.
func (r values) moderate(n int) Output {
	o := r.output(n)
	for i := range o.Multipliers {
		o.Multipliers[i].Shift = min(o.Multipliers[i].Shift, 0)
	}
	return o
}

// TestDifferences: every weight and zero point is taken apart exactly, or not at
// all.
func TestDifferences(t *testing.T) {
	for zero := int32(-128); zero < 128; zero++ {
		for w := int32(-128); w < 128; w++ {
			parts := differences([]int8{int8(w)}, zero, granted)
			if parts == nil {
				if d := w - zero; d > -255 && d < 255 {
					t.Fatalf("%d less %d: not taken", w, zero)
				}
				continue
			}
			sum := int32(0)
			for _, p := range parts {
				if sum += int32(p[0]); p[0] == -128 {
					t.Fatalf("%d less %d: got a part of -128", w, zero)
				}
			}
			if sum != w-zero || len(parts) == 2 && w-zero >= -127 && w-zero <= 127 {
				t.Fatalf("%d less %d: got parts %v", w, zero, parts)
			}
		}
	}
}
