// Package kernel holds the hot loops of inference: convolution, matrix-vector
// products, addition. A [Set] is one implementation of all of them; [Choose]
// returns the one to use.
//
// The loops in plain Go, which the set called generic consists of, are the
// specification: every other set gives the same bytes for the same arguments,
// and leaves to them what it cannot do exactly. Arguments are checked by
// package op when a model is loaded; a kernel assumes that they fit together.
//
// An argument block (Conv, Depthwise, ...) is completed by its Set's Prepare
// method while the model is loaded and only read afterwards. All that Run writes
// are its output, its scratch memory and its [Work], so blocks may be run
// concurrently with a Work each.
package kernel

import (
	"fmt"
	"strings"

	"kedge/runtime/fixed"
)

// Set is one implementation of every kernel.
type Set struct {
	Name   string
	engine *engine // nil for plain Go
	// Threads is for how many threads layers are prepared; 0 and 1 are the same.
	// More than one take as many times the scratch memory.
	Threads int
}

// For is the set for a model of a number of operators, which the memory that
// layers may take for copies of their input depends on: the arena should not
// become larger than the reference's.
func (s *Set) For(operators int) *Set {
	if s.engine == nil {
		return s
	}
	e, c := *s.engine, *s
	if e.spare = 0; operators > fewOperators {
		e.spare = operators * spareBytes
	}
	c.engine = &e
	return &c
}

// Take asks for memory that preparing a layer would hold as long as the model is
// loaded. Where it is refused the layer runs in plain Go.
type Take func(bytes int) bool

// PrepareConv completes c; then c.Scratch is the working memory that Run needs.
func (s *Set) PrepareConv(c *Conv, take Take) {
	if s.engine != nil {
		c.layer = s.engine.newConv(c, take)
	}
	if c.layer != nil {
		c.Scratch = c.layer.split(s.Threads, c.macs())
		return
	}
	prepareConvGeneric(c, take)
}

// slowTaps is about how many times as long a multiplication takes in a depthwise
// layer as in a matrix product.
const slowTaps = 8

// PrepareDepthwise completes d; then d.Scratch is the working memory that Run
// needs.
func (s *Set) PrepareDepthwise(d *Depthwise, take Take) {
	if s.engine != nil {
		d.layer = s.engine.newDepthwise(d, take)
	}
	if d.layer != nil {
		d.Scratch = d.layer.split(s.Threads, slowTaps*d.macs())
		return
	}
	prepareDepthwiseGeneric(d)
}

// PrepareDense completes d; then d.Scratch is the working memory that Run needs.
func (s *Set) PrepareDense(d *Dense, take Take) {
	if s.engine != nil {
		d.layer = s.engine.newConv(d.pointwise(), take)
	}
	if d.layer != nil {
		d.Scratch = d.layer.split(s.Threads, d.macs())
		return
	}
	prepareDenseGeneric(d, take)
}

// MoveCost is about what moving one output value in plain Go costs, in the set's
// multiply-accumulate operations.
func (s *Set) MoveCost() int {
	if s.engine != nil {
		return 128
	}
	return 4
}

// PrepareAdd completes a.
func (s *Set) PrepareAdd(a *Add) {
	prepareAddGeneric(a) // for tensors that are broadcast
	a.engine = s.engine
	a.shared = s.Threads > 1 && s.engine != nil
	if s.engine != nil && s.engine.addPaired != nil && !a.Unsigned {
		a.paired = newPairedAdd(a)
	}
	if s.engine != nil && s.engine.add != nil && a.paired == nil && !a.Unsigned {
		a.linear = newLinearAdd(a)
	}
}

// Choose returns the set called name, or for the empty name the best one that
// this processor can run.
func Choose(name string) (*Set, error) { return choose(name, engines()) }

func choose(name string, engines []*engine) (*Set, error) {
	names := []string{"generic"}
	best := &Set{Name: "generic"}
	if name == best.Name {
		return best, nil
	}
	for _, e := range engines {
		if e.name == name {
			if err := e.check(); err != nil {
				return nil, err
			}
			return &Set{Name: e.name, engine: e}, nil
		}
		names = append(names, e.name)
		if name == "" && e.detected() {
			best = &Set{Name: e.name, engine: e}
		}
	}
	if name == "" {
		return best, nil
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

// requantizeAll does so with the accumulators of the channels from c on, as many
// as there are and out has room for.
func (o *Output) requantizeAll(accs []int32, c int, out []int8) int {
	n := min(len(accs), len(out))
	accs, out = accs[:n], out[:n]
	zero, lo, hi := o.Zero, o.Min, o.Max
	for i, m := range o.Multipliers[c : c+n] {
		out[i] = int8(min(max(m.Apply(accs[i])+zero, lo), hi))
	}
	return n
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
	// Cells before the first row and column. Behind the last there are as many as
	// the windows reach over. A window may lie beside the tensor as a whole.
	PadTop, PadLeft int
}

// within reports whether no window hangs over an edge.
func (w *Window) within() bool { return w.withinH() && w.withinW() }

// withinH reports whether none hangs over the upper or the lower edge.
func (w *Window) withinH() bool {
	return w.PadTop == 0 && (w.OutH-1)*w.StrideH+(w.KernelH-1)*w.DilationH < w.InH
}

// withinW is withinH for left and right.
func (w *Window) withinW() bool {
	return w.PadLeft == 0 && (w.OutW-1)*w.StrideW+(w.KernelW-1)*w.DilationW < w.InW
}

// Columns is the range [first, end) of the output columns in whose windows column k
// lies within the image.
func (w *Window) Columns(k int) (first, end int) {
	offset := k*w.DilationW - w.PadLeft
	if offset < 0 {
		first = (-offset + w.StrideW - 1) / w.StrideW
	}
	if offset >= w.InW {
		return first, first
	}
	return first, min(w.OutW, (w.InW-1-offset)/w.StrideW+1)
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
