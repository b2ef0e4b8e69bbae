package graph

import (
	"fmt"

	"kedge/runtime/tensor"
)

// AveragePool2D is the mean of the elements under each window; those outside the
// image do not count. Input (n, h, w, c), output (n, oh, ow, c). The window has
// no dilation and covers at least one element of the image everywhere.
type AveragePool2D struct {
	Window           Window
	FilterH, FilterW int
	Activation       Activation
}

// Name implements Op.
func (AveragePool2D) Name() string { return "AVERAGE_POOL_2D" }

// MaxPool2D is the greatest element under each window; those outside the image
// do not count. Input (n, h, w, c), output (n, oh, ow, c). The window has no
// dilation and covers at least one element of the image everywhere.
type MaxPool2D struct {
	Window           Window
	FilterH, FilterW int
	Activation       Activation
}

// Name implements Op.
func (MaxPool2D) Name() string { return "MAX_POOL_2D" }

func (op AveragePool2D) infer(g *Graph, n *Node) ([]tensor.Shape, error) {
	return g.pooled(n, op.Window, op.FilterH, op.FilterW, op.Activation)
}

func (op MaxPool2D) infer(g *Graph, n *Node) ([]tensor.Shape, error) {
	return g.pooled(n, op.Window, op.FilterH, op.FilterW, op.Activation)
}

func (g *Graph) pooled(n *Node, w Window, fh, fw int, a Activation) ([]tensor.Shape, error) {
	if len(n.Inputs) != 1 || n.Inputs[0] == None {
		return nil, fmt.Errorf("%w: %d inputs, want 1", ErrInvalid, len(n.Inputs))
	}
	x := g.Tensor(n.Inputs[0]).Shape
	if err := image(x); err != nil {
		return nil, err
	}
	if err := a.check(); err != nil {
		return nil, err
	}
	oh, ow, err := w.fit(x, fh, fw)
	if err != nil {
		return nil, err
	}
	if w.DilationH != 1 || w.DilationW != 1 {
		return nil, fmt.Errorf("%w: pooling with dilations %d, %d, want 1", ErrUnsupported, w.DilationH, w.DilationW)
	}
	// Nothing has neither a mean nor a maximum. The first and the last window
	// are the ones farthest outside.
	if w.Pad.Top >= fh || w.Pad.Left >= fw || (oh-1)*w.StrideH-w.Pad.Top >= x[1] || (ow-1)*w.StrideW-w.Pad.Left >= x[2] {
		return nil, fmt.Errorf("%w: padding %+v puts a window of %d × %d outside the image %v", ErrInvalid, w.Pad, fh, fw, x)
	}
	return []tensor.Shape{{x[0], oh, ow, x[3]}}, nil
}

func (op AveragePool2D) eval(e *Executor, n *Node) {
	x, y := e.values[n.Inputs[0]], e.values[n.Outputs[0]]
	shape := e.g.Tensor(n.Outputs[0]).Shape
	op.Window.slide(e.g.Tensor(n.Inputs[0]).Shape, shape, op.FilterH, op.FilterW, func(s sight) {
		to := y[s.output:][:shape[3]]
		clear(to)
		for ky := s.y0; ky < s.y1; ky++ {
			line := x[s.line(ky):]
			for kx := range s.x1 - s.x0 {
				for i, v := range line[kx*s.stepX:][:len(to)] {
					to[i] += v
				}
			}
		}
		count := float32((s.y1 - s.y0) * (s.x1 - s.x0))
		for i := range to {
			to[i] /= count
		}
		op.Activation.apply(to)
	})
}

func (op MaxPool2D) eval(e *Executor, n *Node) {
	x, y := e.values[n.Inputs[0]], e.values[n.Outputs[0]]
	shape := e.g.Tensor(n.Outputs[0]).Shape
	op.Window.slide(e.g.Tensor(n.Inputs[0]).Shape, shape, op.FilterH, op.FilterW, func(s sight) {
		to := y[s.output:][:shape[3]]
		copy(to, x[s.first:])
		for ky := s.y0; ky < s.y1; ky++ {
			line := x[s.line(ky):]
			for kx := range s.x1 - s.x0 {
				for i, v := range line[kx*s.stepX:][:len(to)] {
					to[i] = max(to[i], v)
				}
			}
		}
		op.Activation.apply(to)
	})
}
