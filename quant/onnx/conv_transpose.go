package onnx

import (
	"slices"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// convTranspose imports ConvTranspose: inputs x (n, in, …), W (in, out/group, …),
// perhaps b (out). Dilated filters are written with the zeros between their
// taps.
func convTranspose(c *call) []*value {
	f, ok := c.filters(1)
	if !ok {
		return nil
	}
	w, out, ok := c.spread(c.extent(), f.kernel)
	if !ok {
		return nil
	}
	win, _, _ := w.in2D()
	op := graph.TransposeConv{
		StrideH: win.StrideH, StrideW: win.StrideW, PadTop: win.Pad.Top, PadLeft: win.Pad.Left,
		OutputH: 1, OutputW: out[len(out)-1],
	}
	if len(out) == 2 {
		op.OutputH = out[0]
	}
	t := c.dilate(c.outputFirst(f), win.DilationH, win.DilationW)
	return c.result(c.ofImage(c.grouped(op, c.image(0), t, f)))
}

// spread reads the geometry: padding, and the extents of the output, which are
// given (output_shape) or follow from the padding.
func (c *call) spread(extent, kernel []int) (window, []int, bool) {
	w, ok := c.window(extent, kernel)
	if !ok {
		return w, nil, false
	}
	n := len(extent)
	extra, out := c.extents("output_padding", n, 0, 0), c.extents("output_shape", n, 1, 0)
	mode := c.text("auto_pad", "NOTSET")
	for i := range n {
		full := (extent[i]-1)*w.stride[i] + extra[i] + w.span(i)
		switch {
		case out[i] > 0:
		case mode == "SAME_UPPER" || mode == "SAME_LOWER":
			out[i] = extent[i] * w.stride[i]
		default:
			if out[i] = full - w.before[i] - w.after[i]; out[i] < 1 {
				c.invalid("pads leave nothing of %d elements", full)
			}
			continue
		}
		// The output's extent decides the padding; a larger output ends in zeros.
		total := max(full-out[i], 0)
		w.before[i] = total - total/2
		if mode == "SAME_UPPER" {
			w.before[i] = total / 2
		}
	}
	return w, out, c.err == nil
}

// outputFirst turns (in, out/group, h, w) into (out, h, w, in/group).
func (c *call) outputFirst(f filters) Tensor {
	s := f.weights.Shape
	size := len(f.weights.Float) / f.groups
	all := Tensor{Shape: tensor.Shape{f.out, s[2], s[3], s[0] / f.groups}, Type: f.weights.Type}
	if err := c.im.spent.spend(2 * len(f.weights.Float)); err != nil {
		c.fail(err)
		return all
	}
	for g := range f.groups {
		part := Tensor{Shape: tensor.Shape{s[0] / f.groups, s[1], s[2], s[3]}, Type: f.weights.Type, Float: f.weights.Float[g*size : (g+1)*size]}
		all.Float = append(all.Float, c.permute(part, []int{1, 2, 3, 0}).Float...)
	}
	return all
}

// dilate puts h − 1 and w − 1 zeros between the taps of weights (out, h, w, in).
func (c *call) dilate(t Tensor, h, w int) Tensor {
	if c.err != nil || h == 1 && w == 1 {
		return t
	}
	s := slices.Clone(t.Shape)
	s[1], s[2] = (s[1]-1)*h+1, (s[2]-1)*w+1
	n, ok := s.Elements()
	if !ok {
		c.invalid("weights %v with dilations %d, %d", t.Shape, h, w)
		return t
	}
	if err := c.im.spent.spend(n); err != nil {
		c.fail(err)
		return t
	}
	out := Tensor{Shape: s, Type: t.Type, Float: make([]float32, n)}
	depth := s[3]
	for i := range len(t.Float) / depth { // tap by tap
		x, y, o := i%t.Shape[2], i/t.Shape[2]%t.Shape[1], i/t.Shape[2]/t.Shape[1]
		at := (o*s[1]+y*h)*s[2] + x*w
		copy(out.Float[at*depth:(at+1)*depth], t.Float[i*depth:])
	}
	return out
}
