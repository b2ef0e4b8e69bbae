// Package kernel holds the hot loops of inference: convolution, matrix-vector
// products, pooling, addition. A [Set] is one implementation of all of them;
// [Choose] returns the one to use.
//
// The loops of the generic set, in plain Go, are the specification: every
// other set must give the same bytes for the same arguments. Arguments are
// checked by package op when a model is loaded; a kernel assumes that they fit
// together.
//
// An argument block (Conv, Depthwise, ...) is completed by its Set's Prepare
// function while the model is loaded and only read afterwards. All that a kernel
// writes are its output and scratch slices, so kernels may run concurrently on
// one block.
package kernel

import (
	"fmt"
	"strings"

	"kedge/runtime/fixed"
)

// Set is one implementation of every kernel. The Prepare functions run once per
// layer and may pack weights and set the block's Scratch, the bytes of working
// memory that the kernel is given at each call.
type Set struct {
	Name string

	PrepareSparseDense func(*SparseDense)
	SparseDense        func(d *SparseDense, in, out []int8)

	PrepareConv      func(*Conv)
	Conv             func(c *Conv, in, out []int8, scratch []byte)
	PrepareDepthwise func(*Depthwise)
	Depthwise        func(d *Depthwise, in, out []int8, scratch []byte)
	PrepareDense     func(*Dense)
	Dense            func(d *Dense, in, out []int8)
	Add              func(a *Add, x, y, out []int8) // out may be x or y: no element is read again once its sum is written
}

// sets lists what this build has, best last.
func sets() []*Set { return []*Set{&generic} }

// Choose returns the set called name, or for the empty name the best one that
// this processor can run.
func Choose(name string) (*Set, error) {
	all := sets()
	if name == "" {
		return all[len(all)-1], nil
	}
	var names []string
	for _, s := range all {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return nil, fmt.Errorf("kernel set %q: not in this program, which has %s", name, strings.Join(names, ", "))
}

// Output is how int32 accumulators become an 8-bit tensor: per-channel
// multipliers, zero point, and the clamp of the fused activation.
type Output struct {
	Multipliers []fixed.Multiplier // one per output channel
	Zero        int32
	Min, Max    int32
}

// requantize turns the accumulator of channel c into an output value.
func (o *Output) requantize(acc int32, c int) int8 {
	return int8(min(max(o.Multipliers[c].Apply(acc)+o.Zero, o.Min), o.Max))
}

// Idle is the output of channel c where every product is 0: its bias (nil for
// none) is all that is accumulated.
func (o *Output) Idle(bias []int32, c int) int8 {
	if bias == nil {
		return o.requantize(0, c)
	}
	return o.requantize(bias[c], c)
}

// Window is a 2D sliding window over an NHWC tensor.
type Window struct {
	Batch                int
	InH, InW             int
	OutH, OutW           int
	KernelH, KernelW     int
	StrideH, StrideW     int
	DilationH, DilationW int
	PadTop, PadLeft      int // cells before the first row and column
}

// taps is the range of window positions [first, end) whose input coordinate
// origin+k·dilation lies within [0, size).
func taps(origin, kernel, dilation, size int) (first, end int) {
	if origin < 0 {
		first = min((-origin+dilation-1)/dilation, kernel)
	}
	end = min(kernel, max((size-origin+dilation-1)/dilation, 0))
	return first, max(end, first)
}
