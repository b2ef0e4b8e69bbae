package onnx

import (
	"slices"

	"kedge/quant/graph"
)

// maxPool's second output, the indices, is not supported.
func maxPool(c *call) []*value {
	if c.integer("storage_order", 0) != 0 && len(c.node.outputs) > 1 {
		return c.unsupported("indices in column-major order")
	}
	w, ok := c.poolWindow()
	if !ok {
		return nil
	}
	win, h, width := w.in2D()
	x := c.image(0)
	if win.DilationH > 1 || win.DilationW > 1 {
		return c.result(c.ofImage(c.dilatedMax(x, win, h, width)))
	}
	return c.result(c.ofImage(c.emit(graph.MaxPool2D{Window: win, FilterH: h, FilterW: width}, x)))
}

// maxTaps bounds the slices that one node may become.
const maxTaps = 256

// dilatedMax is the greatest of the slices of x that each tap of the window
// sees: no pool of TFLite has dilation.
func (c *call) dilatedMax(x graph.TensorID, win graph.Window, h, w int) graph.TensorID {
	s := c.shapeOf(x)
	if c.err != nil {
		return graph.None
	}
	if win.Pad != (graph.Padding{}) {
		c.unsupported("dilation with padding")
		return graph.None
	}
	oh, ow := win.Output(s[1], s[2], h, w)
	if oh < 1 || ow < 1 || h*w > maxTaps {
		c.unsupported("a dilated kernel of %d × %d on %d × %d elements", h, w, s[1], s[2])
		return graph.None
	}
	y := graph.None
	for tap := range h * w {
		part := c.emit(graph.StridedSlice{
			Begin:  []int{0, tap / w * win.DilationH, tap % w * win.DilationW, 0},
			Count:  []int{s[0], oh, ow, s[3]},
			Stride: []int{1, win.StrideH, win.StrideW, 1},
		}, x)
		if y == graph.None {
			y = part
		} else {
			y = c.emit(graph.Binary{Kind: graph.Maximum}, y, part)
		}
	}
	return y
}

// averagePool divides by the elements of the image under the window or, with
// count_include_pad, by those of image and padding. The padding is explicit then.
// What ceil_mode adds behind it never counts.
func averagePool(c *call) []*value {
	include := c.integer("count_include_pad", 0) != 0
	extent := c.extent()
	if c.err != nil {
		return nil
	}
	w, ok := c.poolWindow()
	if !ok {
		return nil
	}
	if slices.Max(w.dilation) > 1 {
		return c.unsupported("dilations %v", w.dilation)
	}
	x := c.image(0)
	win, kh, kw := w.in2D()
	if include && win.Pad != (graph.Padding{}) {
		plain, ok := c.window(extent, nil) // the padding without ceil_mode
		if !ok {
			return nil
		}
		border, _, _ := plain.in2D()
		p, q := border.Pad, &win.Pad
		x = c.emit(graph.Pad{Before: []int{0, p.Top, p.Left, 0}, After: []int{0, p.Bottom, p.Right, 0}}, x)
		q.Top, q.Left, q.Bottom, q.Right = 0, 0, q.Bottom-p.Bottom, q.Right-p.Right
	}
	return c.result(c.ofImage(c.emit(graph.AveragePool2D{Window: win, FilterH: kh, FilterW: kw}, x)))
}

// poolWindow is the window with what ceil_mode adds.
func (c *call) poolWindow() (window, bool) {
	extent := c.extent()
	if c.err != nil {
		return window{}, false
	}
	w, ok := c.window(extent, nil)
	if ok && c.integer("ceil_mode", 0) != 0 {
		for i, size := range extent {
			w.ceil(i, size)
		}
	}
	return w, ok
}

// globalPool reduces all extents of the image, of any rank.
func globalPool(kind graph.Reduction) func(*call) []*value {
	return func(c *call) []*value {
		rank := len(c.shape(0))
		if rank < 3 {
			return c.invalid("input of shape %v is no image", c.shape(0))
		}
		axes := make([]int, rank-2)
		for i := range axes {
			axes[i] = i + 2
		}
		return c.result(c.emit(graph.Reduce{Kind: kind, Axes: axes, KeepDims: true}, c.tensor(0)))
	}
}
