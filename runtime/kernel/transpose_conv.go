package kernel

// TransposeConv is a transposed convolution, NHWC, weights [OutC, KernelH,
// KernelW, InC]: input pixel (y, x) times tap (ky, kx) goes to output pixel
// (y·StrideH − PadTop + ky, x·StrideW − PadLeft + kx). Integer sums may be taken
// in any order, so every output pixel gathers what reaches it and no
// accumulators have to be kept.
type TransposeConv struct {
	Window
	InC, OutC  int
	InZero     int32 // within int8; 0 for int16
	WeightZero int32 // within int8; 0 for symmetric weights
	Weights    []int8
	Bias       []int32 // per output channel, or nil; of int8
	WideBias   []int64 // the same of int16
	Output     Output
}

// Run8 computes the layer on int8 with 32-bit accumulators.
func (c *TransposeConv) Run8(in, out []int8) {
	transposeConv(c, in, out, func(acc int64, o int) int8 {
		sum := int32(acc)
		if c.Bias != nil {
			sum += c.Bias[o]
		}
		return c.Output.requantize(sum, o)
	})
}

// Run16 computes the layer on int16 with 64-bit accumulators.
func (c *TransposeConv) Run16(in, out []int16) {
	transposeConv(c, in, out, func(acc int64, o int) int16 {
		if c.WideBias != nil {
			acc += c.WideBias[o]
		}
		return int16(min(max(c.Output.Multipliers[o].ApplyWide(acc), c.Output.Min), c.Output.Max))
	})
}

// transposeConv gathers the sum of each output element and hands it to finish.
func transposeConv[T int8 | int16](c *TransposeConv, in, out []T, finish func(acc int64, o int) T) {
	at := 0
	for b := range c.Batch {
		image := in[b*c.InH*c.InW*c.InC : (b+1)*c.InH*c.InW*c.InC]
		for y := range c.OutH {
			for x := range c.OutW {
				for o := range c.OutC {
					out[at] = finish(gatherTaps(c, image, y, x, o), o)
					at++
				}
			}
		}
	}
}

// gatherTaps is the sum over the taps of output channel o that reach pixel
// (y, x): those at which the distance to the window's start is a multiple of the
// stride.
func gatherTaps[T int8 | int16](c *TransposeConv, image []T, y, x, o int) int64 {
	var acc int64
	y, x = y+c.PadTop, x+c.PadLeft
	for ky := firstTap(y, c.StrideH, c.InH); ky < c.KernelH && ky <= y; ky += c.StrideH {
		row := (y - ky) / c.StrideH
		for kx := firstTap(x, c.StrideW, c.InW); kx < c.KernelW && kx <= x; kx += c.StrideW {
			col := (x - kx) / c.StrideW
			from := ((o*c.KernelH+ky)*c.KernelW + kx) * c.InC
			w := c.Weights[from : from+c.InC]
			pixel := (row*c.InW + col) * c.InC
			for i, v := range image[pixel : pixel+c.InC] {
				acc += int64((int32(v) - c.InZero) * int32(w[i]))
			}
			if c.WeightZero != 0 {
				for _, v := range image[pixel : pixel+c.InC] {
					acc -= int64((int32(v) - c.InZero) * c.WeightZero)
				}
			}
		}
	}
	return acc
}

// firstTap is the first tap that reaches output position at from one of size input
// positions, the last of them; behind at if there is none. Windows may be far
// larger than the input, and taps that nothing reaches are not work worth doing.
func firstTap(at, stride, size int) int { return at - stride*min(at/stride, size-1) }
