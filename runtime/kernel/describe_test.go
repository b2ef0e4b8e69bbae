package kernel

import (
	"strings"
	"testing"

	"kedge/runtime/fixed"
)

// TestKernelNames: plain Go is called so, and a set's loops after the set.
func TestKernelNames(t *testing.T) {
	conv := func() Conv {
		c := Conv{Window: Window{Batch: 1, InH: 8, InW: 8, OutH: 8, OutW: 8, KernelH: 1, KernelW: 1, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1},
			InC: 8, OutC: 24, Groups: 1, Weights: make([]int8, 8*24), Output: Output{Min: -128, Max: 127}}
		for i := range c.Weights {
			c.Weights[i] = int8(i % 7)
		}
		for range c.OutC {
			c.Output.Multipliers = append(c.Output.Multipliers, fixed.Quantize(0.01))
		}
		return c
	}
	grant := func(int) bool { return true }
	generic, c := &Set{Name: "generic"}, conv()
	if generic.PrepareConv(&c, grant); c.Kernel() != "go" {
		t.Errorf("generic: got %q, want go", c.Kernel())
	}
	if n := generic.Peak(1); n != 0 {
		t.Errorf("generic: got a peak loop of %d operations, want none", n)
	}
	best, err := Choose("")
	if names := Sets(); err != nil || names[0] != best.Name || names[len(names)-1] != "generic" {
		t.Errorf("got sets %v, want %s first and generic last (%v)", names, best.Name, err)
	}
	for _, e := range engines() {
		if e.check() != nil {
			continue
		}
		s, c := &Set{Name: e.name, engine: e}, conv()
		if s.PrepareConv(&c, grant); !strings.HasPrefix(c.Kernel(), e.name+" gemm ") {
			t.Errorf("got %q, want %s gemm and its tiles", c.Kernel(), e.name)
		}
		if one, two := s.Peak(1), s.Peak(2); two != 2*one || e.peak != nil && one == 0 {
			t.Errorf("%s: got %d and %d operations for one and two rounds of the peak loop", e.name, one, two)
		}
		if s.PrepareConv(&c, func(int) bool { return false }); c.Kernel() != "go" {
			t.Errorf("%s without memory: got %q, want go", e.name, c.Kernel())
		}
	}
}
