package graph

import (
	"fmt"

	"kedge/runtime/tensor"
)

// Conv2D is y = Activation(conv(x, W) + b). Inputs: x (n, h, w, in), W (out,
// kh, kw, in) constant, optionally b (out) constant; outside the image x is 0.
// Output: (n, oh, ow, out).
type Conv2D struct {
	Window     Window
	Activation Activation
}

// Name implements Op.
func (Conv2D) Name() string { return "CONV_2D" }

func (op Conv2D) infer(g *Graph, n *Node) ([]tensor.Shape, error) {
	x, w, err := g.weighted(n, op.Activation, 4, 0)
	if err != nil {
		return nil, err
	}
	if err := image(x); err != nil {
		return nil, err
	}
	if x[3] != w[3] {
		return nil, fmt.Errorf("%w: weights %v for %d channels, the input %v has %d", ErrInvalid, w, w[3], x, x[3])
	}
	oh, ow, err := op.Window.fit(x, w[1], w[2])
	if err != nil {
		return nil, err
	}
	return []tensor.Shape{{x[0], oh, ow, w[0]}}, nil
}

func (Conv2D) pack(w *Tensor) []float32 { return packLayer(w) }

// eval multiplies a matrix that has every output's patch of the image as a row
// (im2col) by the weights. A filter of one tap over all elements needs no
// patches: the image is that matrix.
func (op Conv2D) eval(e *Executor, n *Node) {
	x, y := e.values[n.Inputs[0]], e.values[n.Outputs[0]]
	xs, ws, ys := e.g.Tensor(n.Inputs[0]).Shape, e.g.Tensor(n.Inputs[1]).Shape, e.g.Tensor(n.Outputs[0]).Shape
	l := e.layer(n, op.Activation)
	if ws[1] == 1 && ws[2] == 1 && op.Window.StrideH == 1 && op.Window.StrideW == 1 && op.Window.Pad == (Padding{}) {
		l.run(y, x)
		return
	}
	p := patches{Window: op.Window, h: xs[1], w: xs[2], c: xs[3], fh: ws[1], fw: ws[2], ow: ys[2]}
	pixels, rows := ys[1]*ys[2], scratchRows(l.in)
	buffer := e.buffer(rows * l.in)
	for b := range xs[0] {
		image := x[b*xs[1]*xs[2]*xs[3]:][:xs[1]*xs[2]*xs[3]]
		for first := 0; first < pixels; first += rows {
			count := min(rows, pixels-first)
			for i := range count {
				p.extract(buffer[i*l.in:(i+1)*l.in], image, first+i)
			}
			l.run(y[(b*pixels+first)*l.out:][:count*l.out], buffer[:count*l.in])
		}
	}
}

// patches cuts what a filter covers out of an image (h, w, c).
type patches struct {
	Window
	h, w, c, fh, fw, ow int
}

// extract writes the patch (fh, fw, c) under output element number pixel to dst,
// zeros where it reaches beyond the image.
func (p *patches) extract(dst, image []float32, pixel int) {
	top, left := pixel/p.ow*p.StrideH-p.Pad.Top, pixel%p.ow*p.StrideW-p.Pad.Left
	y0, y1 := taps(top, p.fh, p.DilationH, p.h)
	x0, x1 := taps(left, p.fw, p.DilationW, p.w)
	row := p.fw * p.c
	clear(dst[:y0*row])
	clear(dst[y1*row:])
	for ky := y0; ky < y1; ky++ {
		to, line := dst[ky*row:(ky+1)*row], image[(top+ky*p.DilationH)*p.w*p.c:][:p.w*p.c]
		clear(to[:x0*p.c])
		clear(to[x1*p.c:])
		if p.DilationW == 1 {
			if x0 < x1 {
				copy(to[x0*p.c:x1*p.c], line[(left+x0)*p.c:])
			}
			continue
		}
		for kx := x0; kx < x1; kx++ {
			copy(to[kx*p.c:(kx+1)*p.c], line[(left+kx*p.DilationW)*p.c:])
		}
	}
}
