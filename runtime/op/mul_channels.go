package op

import (
	"math"

	"kedge/runtime/fixed"
	"kedge/runtime/kernel"
)

// mulChannels is a MUL of int8 by one constant per channel, the last dimension of
// an input: a depthwise convolution of one tap. Its sum is the product, and the
// rest of the definition is the same. It is nil where it is no such product.
func (p *Prep) mulChannels(f mulParams) Evaluator {
	x, y, out := p.in(0), p.in(1), p.out(0)
	xZero, yZero := f.xZero, f.yZero
	if x.Data != nil {
		x, y, xZero, yZero = y, x, yZero, xZero
	}
	n := y.elements()
	if y.Data == nil || x.Data != nil || n == 0 || out.elements() == 0 || len(x.Shape) == 0 || x.Shape[len(x.Shape)-1] != n ||
		len(y.Shape) == 0 || y.Shape[len(y.Shape)-1] != n || !x.Shape.Equal(out.Shape) || !p.Budget.Grant(16*n) {
		return nil
	}
	weights := make([]int8, n)
	for i, b := range y.Data {
		w := int32(int8(b)) - yZero
		if w < math.MinInt8 || w > math.MaxInt8 {
			return nil
		}
		weights[i] = int8(w)
	}
	pixels := out.elements() / n
	d := kernel.Depthwise{
		Window: kernel.Window{Batch: 1, InH: pixels, InW: 1, OutH: pixels, OutW: 1, KernelH: 1, KernelW: 1,
			StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1},
		InC: n, OutC: n, Multiplier: 1, InZero: xZero, Weights: weights,
		Output: kernel.Output{Multipliers: make([]fixed.Multiplier, n), Zero: f.zero, Min: f.lo, Max: f.hi},
	}
	for i := range d.Output.Multipliers {
		d.Output.Multipliers[i] = f.m
	}
	p.Kernels.PrepareDepthwise(&d, p.Budget.Grant)
	p.Scratch = d.Scratch
	return &depthwiseConv2D{x.id, out.id, d}
}
