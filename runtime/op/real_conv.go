package op

import (
	"cmp"

	"kedge/runtime/kernel"
	"kedge/runtime/tensor"
)

// realConv is CONV_2D, DEPTHWISE_CONV_2D or FULLY_CONNECTED on float32: products
// are added one by one, over the window row by row and within a pixel by input
// channel, then comes the bias and the clamp of the fused activation. Weights and
// bias may be computed.
type realConv struct {
	in, weights, bias, out int // bias -1 for none
	kernel.Window
	inC, outC, groups       int
	depth                   int // input channels that a filter sees
	filterStride, tapStride int // from one output channel's weights, and one tap's, to the next
	bounds
}

// realConv2D is prepareConv2D for float32.
func (p *Prep) realConv2D(in, w, out operand) (Evaluator, error) {
	if err := cmp.Or(p.rank(in, 4), p.rank(w, 4), p.rank(out, 4)); err != nil {
		return nil, err
	}
	c, err := p.convGeometry(in, w, out)
	if err != nil {
		return nil, err
	}
	taps, depth := c.KernelH*c.KernelW, w.Shape[3]
	return p.realConv(realConv{Window: c.Window, inC: c.InC, outC: c.OutC, groups: c.Groups,
		depth: depth, filterStride: taps * depth, tapStride: depth}, activation(p.Operator.Options.Byte(3, 0)))
}

// realDepthwiseConv2D is prepareDepthwiseConv2D for float32.
func (p *Prep) realDepthwiseConv2D(in, w, out operand) (Evaluator, error) {
	if err := cmp.Or(p.rank(in, 4), p.rank(w, 4), p.rank(out, 4)); err != nil {
		return nil, err
	}
	d, err := p.depthwiseGeometry(in, w, out)
	if err != nil {
		return nil, err
	}
	return p.realConv(realConv{Window: d.Window, inC: d.InC, outC: d.OutC, groups: d.InC,
		depth: 1, filterStride: 1, tapStride: d.OutC}, activation(p.Operator.Options.Byte(4, 0)))
}

// realFullyConnected is prepareFullyConnected for float32, each row an image of
// one pixel.
func (p *Prep) realFullyConnected(in, w, out operand) (Evaluator, error) {
	if err := p.rank(w, 2); err != nil {
		return nil, err
	}
	d, err := p.denseGeometry(in, w, out)
	if err != nil {
		return nil, err
	}
	g := widePixels(&d)
	return p.realConv(realConv{Window: g.Window, inC: d.K, outC: d.N, groups: 1, depth: d.K,
		filterStride: d.K, tapStride: d.K}, activation(p.Operator.Options.Byte(0, 0)))
}

// realConv completes c, whose geometry is set, with the operands and the fused
// activation.
func (p *Prep) realConv(c realConv, a activation) (Evaluator, error) {
	in, w, b, out := p.in(0), p.in(1), p.in(2), p.out(0)
	if err := cmp.Or(p.types(w, tensor.Float32), p.types(out, tensor.Float32)); err != nil {
		return nil, err
	}
	c.in, c.weights, c.bias, c.out = in.id, w.id, -1, out.id
	if b.given() {
		if err := cmp.Or(p.types(b, tensor.Float32), p.shape(b, tensor.Shape{c.outC})); err != nil {
			return nil, err
		}
		c.bias = b.id
	}
	var err error
	c.bounds, err = p.bounds(a)
	p.MACs = int64(out.elements()) * int64(c.KernelH*c.KernelW*c.depth)
	return &c, err
}

func (c *realConv) Eval(m *Memory) {
	in, weights, out := get[float32](m, c.in), get[float32](m, c.weights), get[float32](m, c.out)
	var bias []float32
	if c.bias >= 0 {
		bias = get[float32](m, c.bias)
	}
	filters := c.outC / c.groups
	for b := range c.Batch {
		image := in[b*c.InH*c.InW*c.inC : (b+1)*c.InH*c.InW*c.inC]
		for y := range c.OutH {
			for x := range c.OutW {
				for o := range c.outC {
					sum := c.dot(image, weights[o*c.filterStride:], y*c.StrideH-c.PadTop, x*c.StrideW-c.PadLeft, o/filters*c.depth)
					if bias != nil {
						sum += bias[o]
					}
					out[o] = c.clamp(sum + 0) // the definition adds 0, which turns -0 into 0
				}
				out = out[c.outC:]
			}
		}
	}
}

// dot is a filter over the window at (top, left), input channels from first on.
func (c *realConv) dot(image, weights []float32, top, left, first int) float32 {
	sum := float32(0)
	for ky := range c.KernelH {
		y := top + ky*c.DilationH
		if y < 0 || y >= c.InH {
			continue
		}
		for kx := range c.KernelW {
			x := left + kx*c.DilationW
			if x < 0 || x >= c.InW {
				continue
			}
			w := weights[(ky*c.KernelW+kx)*c.tapStride:]
			at := (y*c.InW+x)*c.inC + first
			for i, v := range image[at : at+c.depth] {
				sum += float32(v * w[i])
			}
		}
	}
	return sum
}
