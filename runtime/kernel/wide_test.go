package kernel

import (
	"math/rand/v2"
	"testing"

	"kedge/runtime/fixed"
)

// TestWide compares with the formula, element by element: convolutions with
// groups and depthwise ones, which store their weights in another order, with
// channels of which all weights are 0.
func TestWide(t *testing.T) {
	r := values{rand.New(rand.NewPCG(13, 14))}
	for range 300 {
		w := Wide{Window: r.window(), Groups: 1 + r.IntN(3), Depth: 1 + r.IntN(5), Narrow: r.IntN(2) == 0}
		taps := w.KernelH * w.KernelW
		w.InC, w.OutC = w.Groups*w.Depth, w.Groups*(1+r.IntN(4))
		w.FilterStride, w.TapStride = taps*w.Depth, w.Depth
		if depthwise := r.IntN(2) == 0; depthwise {
			w.Depth, w.InC, w.FilterStride, w.TapStride = 1, w.Groups, 1, w.OutC
		}
		w.Weights = r.int8s(w.OutC * taps * w.Depth)
		for c := range w.OutC {
			for i := range w.Depth * taps * r.IntN(2) {
				w.Weights[c*w.FilterStride+i/w.Depth*w.TapStride+i%w.Depth] = 0
			}
		}
		w.Output = Output{Min: -20000, Max: 30000}
		for range w.OutC {
			w.Output.Multipliers = append(w.Output.Multipliers, fixed.Multiplier{M: 1<<30 + int32(r.Uint32()>>2), Shift: -int32(r.IntN(12))})
			w.Bias = append(w.Bias, int64(r.IntN(1<<20)-1<<19))
		}
		in, out := make([]int16, w.Batch*w.InH*w.InW*w.InC), make([]int16, w.Batch*w.OutH*w.OutW*w.OutC)
		for i := range in {
			in[i] = int16(r.Uint32())
		}
		w.Prepare()
		w.Run(in, out)
		for i, got := range out {
			if want := wideElement(&w, in, i); got != want {
				t.Fatalf("%+v, %d groups of depth %d: element %d: got %d, want %d", w.Window, w.Groups, w.Depth, i, got, want)
			}
		}
	}
}

// wideElement is element i of the output.
func wideElement(w *Wide, in []int16, i int) int16 {
	c, x, y, b := i%w.OutC, i/w.OutC%w.OutW, i/w.OutC/w.OutW%w.OutH, i/w.OutC/w.OutW/w.OutH
	acc := w.Bias[c]
	for tap := range w.KernelH * w.KernelW {
		row, col := y*w.StrideH-w.PadTop+tap/w.KernelW*w.DilationH, x*w.StrideW-w.PadLeft+tap%w.KernelW*w.DilationW
		if row < 0 || row >= w.InH || col < 0 || col >= w.InW {
			continue
		}
		for k := range w.Depth {
			v := in[((b*w.InH+row)*w.InW+col)*w.InC+c/(w.OutC/w.Groups)*w.Depth+k]
			acc += int64(v) * int64(w.Weights[c*w.FilterStride+tap*w.TapStride+k])
		}
	}
	m := w.Output.Multipliers[c]
	v := m.ApplyWide(acc)
	if w.Narrow {
		v = m.Apply(int32(acc))
	}
	return int16(min(max(v, w.Output.Min), w.Output.Max))
}
