package op

import (
	"cmp"

	"kedge/runtime/kernel"
	"kedge/runtime/tensor"
)

// realTransposeConv is TRANSPOSE_CONV on float32: to every output element the
// products that reach it are added one by one, in the input's order, then comes
// the bias and the clamp of the fused activation.
type realTransposeConv struct {
	in, weights, bias, out int // bias -1 for none
	kernel.Window
	inC, outC int
	bounds
}

// realTransposeConv is prepareTransposeConv for float32.
func (p *Prep) realTransposeConv(in, w, out operand) (Evaluator, error) {
	if err := cmp.Or(
		p.types(w, in.Type), p.types(out, in.Type), p.rank(in, 4), p.rank(w, 4), p.rank(out, 4),
	); err != nil {
		return nil, err
	}
	c := &realTransposeConv{in: in.id, weights: w.id, bias: -1, out: out.id, inC: in.Shape[3], outC: w.Shape[0]}
	if err := cmp.Or(
		p.shape(w, tensor.Shape{c.outC, w.Shape[1], w.Shape[2], c.inC}),
		p.shape(out, tensor.Shape{in.Shape[0], out.Shape[1], out.Shape[2], c.outC}),
	); err != nil {
		return nil, err
	}
	var err error
	if c.Window, err = p.transposeWindow(in, w, out); err != nil {
		return nil, err
	}
	b := p.in(3)
	if b.given() {
		if err := cmp.Or(p.types(b, tensor.Float32), p.shape(b, tensor.Shape{c.outC})); err != nil {
			return nil, err
		}
		c.bias = b.id
	}
	c.bounds, err = p.bounds(activation(p.Operator.Options.Byte(3, 0)))
	p.MACs = int64(in.elements()) * int64(c.KernelH*c.KernelW) * int64(c.outC)
	return c, err
}

func (c *realTransposeConv) Eval(m *Memory) {
	in, weights, out := get[float32](m, c.in), get[float32](m, c.weights), get[float32](m, c.out)
	var bias []float32
	if c.bias >= 0 {
		bias = get[float32](m, c.bias)
	}
	for b := range c.Batch {
		image := in[b*c.InH*c.InW*c.inC : (b+1)*c.InH*c.InW*c.inC]
		for y := range c.OutH {
			for x := range c.OutW {
				for o := range c.outC {
					sum := c.gather(image, weights[o*c.KernelH*c.KernelW*c.inC:], y+c.PadTop, x+c.PadLeft)
					if bias != nil {
						sum += bias[o]
					}
					out[o] = c.clamp(sum)
				}
				out = out[c.outC:]
			}
		}
	}
}

// gather is the sum of what reaches position (y, x), counted from the padding.
func (c *realTransposeConv) gather(image, weights []float32, y, x int) float32 {
	sum := float32(0)
	for row := range c.InH {
		ky := y - row*c.StrideH
		if ky < 0 || ky >= c.KernelH {
			continue
		}
		for col := range c.InW {
			kx := x - col*c.StrideW
			if kx < 0 || kx >= c.KernelW {
				continue
			}
			w := weights[(ky*c.KernelW+kx)*c.inC:]
			at := (row*c.InW + col) * c.inC
			for i, v := range image[at : at+c.inC] {
				sum += float32(v * w[i])
			}
		}
	}
	return sum
}
