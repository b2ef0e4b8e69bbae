package onnx

import "kedge/quant/graph"

// window is how a filter moves over an image, one entry for each of the one or
// two extents.
type window struct {
	kernel, stride, dilation, before, after []int
}

// window reads the attributes that Conv and the pools share. With a nil kernel
// it is the attribute kernel_shape.
func (c *call) window(extent, kernel []int) (window, bool) {
	n := len(extent)
	w := window{
		kernel: c.extents("kernel_shape", n, 1, 0), stride: c.extents("strides", n, 1, 1),
		dilation: c.extents("dilations", n, 1, 1), before: make([]int, n), after: make([]int, n),
	}
	for i := range kernel {
		if w.kernel[i] != 0 && w.kernel[i] != kernel[i] {
			c.invalid("kernel_shape %v, the weights have %v", w.kernel, kernel)
		}
		w.kernel[i] = kernel[i]
	}
	for _, k := range w.kernel {
		if k < 1 {
			c.invalid("kernel %v", w.kernel)
		}
	}
	pads := c.extents("pads", 2*n, 0, 0)
	for i := range n {
		switch mode := c.text("auto_pad", "NOTSET"); mode {
		case "NOTSET", "":
			w.before[i], w.after[i] = pads[i], pads[n+i]
		case "VALID":
		case "SAME_UPPER", "SAME_LOWER":
			w.same(i, extent[i], mode == "SAME_UPPER")
		default:
			c.invalid("auto_pad %q", mode)
		}
	}
	return w, c.err == nil
}

func (w window) span(i int) int { return (w.kernel[i]-1)*w.dilation[i] + 1 }

// same pads extent i so that the result has ⌈size/stride⌉ elements; an odd
// element goes behind the image (upper) or before it.
func (w window) same(i, size int, upper bool) {
	total := max(((size+w.stride[i]-1)/w.stride[i]-1)*w.stride[i]+w.span(i)-size, 0)
	w.before[i], w.after[i] = total/2, total-total/2
	if !upper {
		w.before[i], w.after[i] = w.after[i], w.before[i]
	}
}

// ceil extends the padding behind the image so that the last, incomplete window
// counts too (ceil_mode), unless it would begin behind image and padding: such
// a window has nothing in it, and later opsets say that it is left out.
func (w window) ceil(i, size int) {
	padded := size + w.before[i] + w.after[i]
	last := (padded - w.span(i) + w.stride[i] - 1) / w.stride[i] * w.stride[i] // where it begins
	if padded < w.span(i) || last >= size+w.before[i] {
		return
	}
	w.after[i] += max(last+w.span(i)-padded, 0)
}

// in2D is w as graph has it. Of one extent it is the width.
func (w window) in2D() (win graph.Window, kernelH, kernelW int) {
	at := len(w.kernel) - 1
	win = graph.Window{
		StrideH: 1, StrideW: w.stride[at], DilationH: 1, DilationW: w.dilation[at],
		Pad: graph.Padding{Left: w.before[at], Right: w.after[at]},
	}
	if at == 0 {
		return win, 1, w.kernel[0]
	}
	win.StrideH, win.DilationH, win.Pad.Top, win.Pad.Bottom = w.stride[0], w.dilation[0], w.before[0], w.after[0]
	return win, w.kernel[0], w.kernel[1]
}
