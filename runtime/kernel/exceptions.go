package kernel

// exceptions are channels of a layer that its engine is not exact for. The engine
// computes something in their place, and plain Go overwrites it.
type exceptions struct {
	Window
	inC, outC int
	inZero    int32
	output    Output
	channels  []exception
}

// exceptional is the part of a layer's channels that may be exceptions: one takes
// as long as dozens of others, but a whole layer in plain Go much longer.
const exceptional = 4

// exception is one channel: a filter over depth input channels from first on.
type exception struct {
	channel, first, depth int
	weights               []int8 // of the filter's taps, step apart
	step                  int
	bias                  int32
}

// except takes channels out of a layer that was prepared for c.
func (l *layer) except(c *Conv, channels []int) *layer {
	if l == nil || len(channels) == 0 {
		return l
	}
	depth, filters := c.InC/c.Groups, c.OutC/c.Groups
	k := c.KernelH * c.KernelW * depth
	x := &exceptions{Window: c.Window, inC: c.InC, outC: c.OutC, inZero: c.InZero, output: c.Output}
	for _, i := range channels {
		e := exception{channel: i, first: i / filters * depth, depth: depth, weights: c.Weights[i*k : (i+1)*k], step: depth}
		x.add(e, c.Bias)
	}
	l.exceptions = x
	return l
}

// exceptTaps is except for a depthwise layer.
func (l *layer) exceptTaps(d *Depthwise, channels []int) *layer {
	if l == nil || len(channels) == 0 {
		return l
	}
	x := &exceptions{Window: d.Window, inC: d.InC, outC: d.OutC, inZero: d.InZero, output: d.Output}
	for _, i := range channels {
		x.add(exception{channel: i, first: i, depth: 1, weights: d.Weights[i:], step: d.OutC}, d.Bias)
	}
	l.exceptions = x
	return l
}

func (x *exceptions) add(e exception, bias []int32) {
	if bias != nil {
		e.bias = bias[e.channel]
	}
	x.channels = append(x.channels, e)
}

// run computes the channels of one image.
func (x *exceptions) run(in, out []int8) {
	for y := range x.OutH {
		for i := range x.channels {
			x.row(&x.channels[i], in, out[:x.OutW*x.outC], y*x.StrideH-x.PadTop)
		}
		out = out[x.OutW*x.outC:]
	}
}

// atOnce is how many sums of a row are accumulated together.
const atOnce = 64

// row computes one channel of a row of output, whose windows begin at row top.
func (x *exceptions) row(e *exception, image, out []int8, top int) {
	var sums [atOnce]int32
	y0, y1 := taps(top, x.KernelH, x.DilationH, x.InH)
	for from := 0; from < x.OutW; from += atOnce {
		acc := sums[:min(atOnce, x.OutW-from)]
		for i := range acc {
			acc[i] = e.bias
		}
		for ky := y0; ky < y1; ky++ {
			line := image[(top+ky*x.DilationH)*x.InW*x.inC:][:x.InW*x.inC]
			for kx := range x.KernelW {
				first, end := x.Columns(kx)
				first, end = max(first, from), min(end, from+len(acc))
				if first >= end {
					continue
				}
				at := (first*x.StrideW-x.PadLeft+kx*x.DilationW)*x.inC + e.first
				weights := e.weights[(ky*x.KernelW+kx)*e.step:][:e.depth]
				x.tap(acc[first-from:end-from], line[at:], weights)
			}
		}
		m, o := x.output.Multipliers[e.channel], &x.output
		at, zero, lo, hi := from*x.outC+e.channel, o.Zero, o.Min, o.Max
		for _, v := range acc {
			out[at] = int8(min(max(m.Apply(v)+zero, lo), hi))
			at += x.outC
		}
	}
}

// tap adds to every sum the products of one position in its window.
func (x *exceptions) tap(acc []int32, in, weights []int8) {
	step, zero := x.StrideW*x.inC, x.inZero
	if len(weights) == 1 {
		w, at := int32(weights[0]), 0
		for i := range acc {
			acc[i] += (int32(in[at]) - zero) * w
			at += step
		}
		return
	}
	for i := range acc {
		sum := acc[i]
		for k, v := range in[i*step:][:len(weights)] {
			sum += (int32(v) - zero) * int32(weights[k])
		}
		acc[i] = sum
	}
}
