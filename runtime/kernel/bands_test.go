package kernel

import (
	"math/rand/v2"
	"testing"
)

// TestVast: windows that are spread over more than memory can hold are left to
// plain Go, on every size of int.
func TestVast(t *testing.T) {
	for _, c := range []struct {
		dilation, channels int
		want               bool
	}{{1, 3, true}, {1 << 8, 3, true}, {1 << 20, 3, false}, {1 << 30, 3, false}, {1 << 30, 1, false}} {
		w := Window{Batch: 1, InH: 4, InW: 4, OutH: 1, OutW: 1, KernelH: 2, KernelW: 2, StrideH: 1, StrideW: 1, DilationH: c.dilation, DilationW: c.dilation}
		for _, e := range portable() {
			o := values{rand.New(rand.NewPCG(1, 2))}.output(c.channels)
			for i := range o.Multipliers {
				o.Multipliers[i].Shift = -3
			}
			d := Depthwise{Window: w, InC: c.channels, OutC: c.channels, Multiplier: 1, Weights: make([]int8, 4*c.channels), Output: o}
			conv := Conv{Window: w, InC: c.channels, OutC: c.channels, Groups: 1, Weights: make([]int8, 4*c.channels*c.channels), Output: o}
			s := Set{Name: e.name, engine: e}
			s.PrepareDepthwise(&d, granted)
			s.PrepareConv(&conv, granted)
			if d.layer != nil != c.want || conv.layer != nil != c.want {
				t.Errorf("%s, dilation %d: depthwise by the engine %t, convolution %t, want %t", e.name, c.dilation, d.layer != nil, conv.layer != nil, c.want)
			}
		}
	}
}
