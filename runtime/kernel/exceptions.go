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
		for column := range x.OutW {
			for i := range x.channels {
				e := &x.channels[i]
				acc := x.sum(e, in, y*x.StrideH-x.PadTop, column*x.StrideW-x.PadLeft)
				out[e.channel] = x.output.requantize(acc, e.channel)
			}
			out = out[x.outC:]
		}
	}
}

// sum is the filter over the window at (top, left).
func (x *exceptions) sum(e *exception, image []int8, top, left int) int32 {
	y0, y1 := taps(top, x.KernelH, x.DilationH, x.InH)
	x0, x1 := taps(left, x.KernelW, x.DilationW, x.InW)
	acc := e.bias
	for ky := y0; ky < y1; ky++ {
		for kx := x0; kx < x1; kx++ {
			at := ((top+ky*x.DilationH)*x.InW+left+kx*x.DilationW)*x.inC + e.first
			pixel := image[at : at+e.depth]
			for i, w := range e.weights[(ky*x.KernelW+kx)*e.step:][:e.depth] {
				acc += (int32(pixel[i]) - x.inZero) * int32(w)
			}
		}
	}
	return acc
}
