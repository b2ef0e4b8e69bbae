package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"kedge/runtime/tflite"
)

// traffic is what an operator moves at least: every operand once.
type traffic struct {
	read, weights, written int // bytes; weights are the constants that it reads
}

func (t traffic) bytes() int { return t.read + t.weights + t.written }

// traffic is that of every operator of the model.
func (m *model) traffic() ([]traffic, error) {
	decoded, err := tflite.Decode(m.file, tflite.NewBudget(len(m.file)))
	if err != nil {
		return nil, err
	}
	g := &decoded.Subgraphs[0]
	all := make([]traffic, len(g.Operators))
	for i, o := range g.Operators {
		t := &all[i]
		for _, id := range o.Inputs {
			if id < 0 {
				continue // left out
			}
			if in := &g.Tensors[id]; in.Data != nil {
				t.weights += len(in.Data)
			} else {
				t.read += size(in)
			}
		}
		for _, id := range o.Outputs {
			t.written += size(&g.Tensors[id])
		}
	}
	return all, nil
}

// size is the bytes of a tensor, 0 where its shape does not tell.
func size(t *tflite.Tensor) int {
	n, _ := t.Shape.Bytes(t.Type)
	return n
}

// yardstick is what this machine takes for things that set bounds to operators.
type yardstick struct {
	peak  float64 // multiply-accumulate operations per µs
	clock float64 // µs between two looks at the clock with nothing in between
}

// copying is how long copying n bytes takes in µs, which both reads and writes them.
func copying(n int) float64 {
	from, to := make([]byte, n), make([]byte, n)
	repeat := 1 + 20000/(n+1) // the clock must not count
	best := math.Inf(1)
	for range 50 {
		start := time.Now()
		for range repeat {
			copy(to, from)
		}
		best = min(best, float64(time.Since(start).Nanoseconds())/1e3/float64(repeat))
	}
	return best
}

// brief is how many looks at the clock an operator takes that is mostly call.
const brief = 5

// shortRow is the output pixels of a row below which its ends count.
const shortRow = 16

// reason says why an operator that multiplies stays far from the peak.
func (y *yardstick) reason(o *operator) string {
	var why []string
	say := func(format string, args ...any) { why = append(why, fmt.Sprintf(format, args...)) }
	if o.us < brief*y.clock {
		say("short: looking at the clock alone takes %.2f", y.clock)
	}
	if o.Kernel == "go" {
		say("in plain Go, there is no kernel for it")
	} else if n, ok := strings.CutSuffix(o.Kernel, " channels go"); ok {
		say("%s of its channels in plain Go: their factor is 1 or more, or their sums may pass 2^30", n[strings.LastIndex(n, " ")+1:])
	}
	macs := int(*o.MACs)
	rows := o.rows()
	switch {
	case strings.Contains(o.Kernel, "depthwise"):
		t := copying(macs)
		say("%d products for each output that is rounded to a byte; every product has a byte of its own brought to it: "+
			"copying as many takes %.2f, %.0f %% of the peak", macs/(rows*o.channels()), t, 100*float64(macs)/t/y.peak)
	case rows == 1 && o.weights > 0:
		t := copying(o.weights)
		say("one row: each of %d bytes of weights is read for one product; copying as many takes %.2f, %.0f %% of the peak", o.weights, t, 100*float64(macs)/t/y.peak)
	}
	if last := len(o.Shape) - 1; rows > 1 && last >= 2 && o.Shape[last-1] < shortRow {
		say("rows of %d pixels, each with a beginning and an end", o.Shape[last-1])
	}
	if c := o.channels(); c < columns && strings.Contains(o.Kernel, "gemm") {
		say("%d of the %d columns that a step computes", c, columns)
	}
	if len(why) == 0 {
		say("%.1f products for each of %d bytes", float64(macs)/float64(o.bytes()), o.bytes())
	}
	return strings.Join(why, "; ")
}

// columns are the output channels that the narrowest matrix product computes.
const columns = 16

// channels of the output.
func (o *operator) channels() int { return o.Shape[len(o.Shape)-1] }

// rows is how many times the operator's weights are applied.
func (o *operator) rows() int {
	n := 1
	for _, d := range o.Shape[:len(o.Shape)-1] {
		n *= d
	}
	return n
}

// idleShare of a model's time is what an operator without multiplications may take
// without being listed.
const idleShare = 0.02

// moving are the operators that multiply nothing and take more, slowest first.
func moving(all []operator, total float64) []operator {
	var found []operator
	for _, o := range all {
		if *o.MACs == 0 && o.us > idleShare*total {
			found = append(found, o)
		}
	}
	slices.SortStableFunc(found, func(a, b operator) int { return cmp.Compare(b.us, a.us) })
	return found
}
