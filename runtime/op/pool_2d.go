package op

import (
	"cmp"
	"fmt"
	"math"

	"kedge/runtime/kernel"
	"kedge/runtime/tensor"
)

// pool2D is what AVERAGE_POOL_2D and MAX_POOL_2D share: the window, the channels
// and the clamp of the fused activation.
type pool2D struct {
	in, out int
	window  kernel.Window
	depth   int
	lo, hi  int32
}

func (p *Prep) pool2D() (pool2D, tensor.Type, error) {
	var q pool2D
	if err := p.arity(1, 1, 1); err != nil {
		return q, 0, err
	}
	in, out := p.in(0), p.out(0)
	if err := cmp.Or(
		p.types(in, tensor.Int8, tensor.Uint8, tensor.Int16), p.types(out, in.Type),
		p.rank(in, 4), p.rank(out, 4),
		p.quantized(in), p.quantized(out), p.sameQuant(in, out),
	); err != nil {
		return q, 0, err
	}
	o := p.Operator.Options
	win, err := p.window2D(in, out, int(o.Int32(4, 0)), int(o.Int32(3, 0)), 1, 1)
	if err != nil {
		return q, 0, err
	}
	q = pool2D{in: in.id, out: out.id, window: win, depth: in.Shape[3]}
	if out.Shape[3] != q.depth {
		return q, 0, p.invalid(out, fmt.Sprintf("%d channels", out.Shape[3]), fmt.Sprint(q.depth))
	}
	p.Work = int64(out.elements()) * int64(min(win.KernelH, win.InH)) * int64(min(win.KernelW, win.InW))
	q.lo, q.hi, err = p.clamp(activation(o.Byte(5, 0)), out)
	return q, in.Type, err
}

// sameQuant checks that pooling need not requantize, with the reference's
// tolerance. On uint8 the reference demands it of debug builds only; the raw
// values are pooled whatever the output tensor states.
func (p *Prep) sameQuant(in, out operand) error {
	if in.Type == tensor.Uint8 {
		return nil
	}
	a, b := in.Quant, out.Quant
	if math.Abs(float64(a.Scale()-b.Scale())) > 1e-6 || a.ZeroPoint() != b.ZeroPoint() {
		return p.invalid(out, fmt.Sprintf("scale %g, zero point %d", b.Scale(), b.ZeroPoint()),
			fmt.Sprintf("the input's %g, %d", a.Scale(), a.ZeroPoint()))
	}
	return nil
}

// eachPixel calls f for every output pixel with the position of its first
// channel and the valid cells [y0, y1)×[x0, x1) of its image.
func (q *pool2D) eachPixel(f func(at, image, y0, y1, x0, x1 int)) {
	w := &q.window
	if q.depth == 0 {
		return // the extents of empty images are anything
	}
	at := 0
	for b := range w.Batch {
		image := b * w.InH * w.InW * q.depth
		for y := range w.OutH {
			top := y*w.StrideH - w.PadTop
			for x := range w.OutW {
				left := x*w.StrideW - w.PadLeft
				f(at, image, max(top, 0), min(top+w.KernelH, w.InH), max(left, 0), min(left+w.KernelW, w.InW))
				at += q.depth
			}
		}
	}
}

// row is the cells [x0, x1) of row y of the image at the given position.
func row[T int8 | uint8 | int16](q *pool2D, in []T, image, y, x0, x1 int) []T {
	at := image + y*q.window.InW*q.depth
	return in[at+x0*q.depth : at+x1*q.depth]
}
