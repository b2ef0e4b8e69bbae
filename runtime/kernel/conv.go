package kernel

// Conv is a 2D convolution of int8 tensors, NHWC, weights [OutC, KernelH,
// KernelW, InC/Groups]. Output channel o sees the input channels of its group.
type Conv struct {
	Window
	InC, OutC, Groups int
	InZero            int32 // within int8
	WeightZero        int32 // within int8; 0 for symmetric weights
	Weights           []int8
	Bias              []int32 // per output channel, or nil
	Output            Output

	Scratch int // bytes that Run needs

	layer   *layer     // nil for plain Go
	folded  []int32    // bias − InZero·Σ(weights − WeightZero)
	triples []*triples // of each group, nil where not packed
}

// Run computes the layer.
func (c *Conv) Run(in, out []int8, scratch []byte, w *Work) {
	if c.layer != nil {
		c.layer.run(in, out, scratch, w)
		return
	}
	convGeneric(c, in, out, scratch)
}

// prepareConvGeneric folds the input's zero point into the bias: Σ w(x−z) =
// Σ wx − zΣw. Padding is written as z, whose contribution then cancels, exactly
// as if the taps outside of the image were left out. Integers wrap, so
// reordering the sum changes nothing. The weights' zero point is taken out
// through the sum of the patch: Σ(w−zw)x = Σwx − zwΣx.
func prepareConvGeneric(c *Conv, take Take) {
	c.folded = foldBias(c.Weights, c.OutC, c.Bias, c.InZero, c.WeightZero)
	k, filters := len(c.Weights)/c.OutC, c.OutC/c.Groups
	for g := range c.Groups {
		c.triples = append(c.triples, newTriples(c.Weights[g*filters*k:(g+1)*filters*k], filters, take))
	}
	if !c.pointwise() {
		c.Scratch = c.KernelH * c.KernelW * (c.InC / c.Groups)
	}
}

// foldBias is bias − zero·Σ(w−weightZero) for each of n rows of weights.
func foldBias(weights []int8, n int, bias []int32, zero, weightZero int32) []int32 {
	folded := make([]int32, n)
	k := len(weights) / n
	for i := range folded {
		sum := total(weights[i*k:(i+1)*k]) - weightZero*int32(k)
		folded[i] = -zero * sum
		if bias != nil {
			folded[i] += bias[i]
		}
	}
	return folded
}

// pointwise: the window is one pixel with all its channels, so the input itself
// is the patch.
func (c *Conv) pointwise() bool {
	return c.KernelH == 1 && c.KernelW == 1 && c.Groups == 1 && c.within()
}

// convGeneric gathers the patch under the window into contiguous memory, then
// multiplies it with every filter.
func convGeneric(c *Conv, in, out []int8, scratch []byte) {
	patch := int8s(scratch)
	filters := c.OutC / c.Groups
	k := c.KernelH * c.KernelW * (c.InC / c.Groups)
	pointwise := c.pointwise()
	for b := range c.Batch {
		image := in[b*c.InH*c.InW*c.InC : (b+1)*c.InH*c.InW*c.InC]
		for y := range c.OutH {
			for x := range c.OutW {
				for g := range c.Groups {
					if pointwise {
						at := (y*c.StrideH*c.InW + x*c.StrideW) * c.InC
						patch = image[at : at+c.InC]
					} else {
						c.gather(patch, image, y, x, g)
					}
					first := g * filters
					rows(patch, c.triples[g], c.Weights[first*k:(first+filters)*k], c.folded, c.WeightZero, &c.Output, first, out[first:first+filters])
				}
				out = out[c.OutC:]
			}
		}
	}
}

// gather copies the window of output pixel (y, x), group g, and writes the zero
// point where it hangs over the edge.
func (c *Conv) gather(patch, image []int8, y, x, g int) {
	depth := c.InC / c.Groups
	row := c.KernelW * depth
	top, left := y*c.StrideH-c.PadTop, x*c.StrideW-c.PadLeft
	y0, y1 := taps(top, c.KernelH, c.DilationH, c.InH)
	x0, x1 := taps(left, c.KernelW, c.DilationW, c.InW)
	fill(patch[:y0*row], int8(c.InZero))
	for ky := y0; ky < y1; ky++ {
		dst := patch[ky*row : (ky+1)*row]
		fill(dst[:x0*depth], int8(c.InZero))
		fill(dst[x1*depth:], int8(c.InZero))
		line := image[(top+ky*c.DilationH)*c.InW*c.InC:]
		if c.DilationW == 1 && c.Groups == 1 {
			if x0 < x1 {
				copy(dst[x0*depth:x1*depth], line[(left+x0)*depth:])
			}
			continue
		}
		for kx := x0; kx < x1; kx++ {
			copy(dst[kx*depth:(kx+1)*depth], line[(left+kx*c.DilationW)*c.InC+g*depth:])
		}
	}
	fill(patch[y1*row:], int8(c.InZero))
}

func fill(s []int8, v int8) {
	if v == 0 {
		clear(s)
		return
	}
	n := min(len(s), 16)
	for i := range s[:n] {
		s[i] = v
	}
	for n < len(s) {
		n += copy(s[n:], s[:n])
	}
}

// macs is the number of multiply-accumulate operations.
func (c *Conv) macs() int64 {
	return int64(c.Batch) * int64(c.OutH*c.OutW) * int64(len(c.Weights))
}
