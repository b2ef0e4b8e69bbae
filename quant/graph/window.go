package graph

import (
	"fmt"
	"math"

	"kedge/runtime/tensor"
)

// Window is how a filter moves over an image: rows are H, columns W.
type Window struct {
	StrideH, StrideW     int // at least 1
	DilationH, DilationW int // distance of neighboring taps, at least 1
	Pad                  Padding
}

// Padding is the border that a filter may reach beyond the image, in elements.
// What the border holds is the operator's business: zeros for convolutions,
// nothing for pooling.
type Padding struct{ Top, Left, Bottom, Right int }

// Dense is the window of stride 1 without dilation or padding.
func Dense() Window { return Window{StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1} }

// Output gives the extent of a result for an image of h × w elements and a
// filter of fh × fw taps; not positive when the filter does not fit.
func (w Window) Output(h, width, fh, fw int) (oh, ow int) {
	return extent(h+w.Pad.Top+w.Pad.Bottom, fh, w.StrideH, w.DilationH), extent(width+w.Pad.Left+w.Pad.Right, fw, w.StrideW, w.DilationW)
}

func extent(size, filter, stride, dilation int) int {
	span := (filter-1)*dilation + 1
	if size < span {
		return 0
	}
	return (size-span)/stride + 1
}

// Same gives w the padding that TFLite calls SAME for that image and filter:
// the result has ⌈size/stride⌉ elements and an odd border has its extra element
// at the bottom and right.
func (w Window) Same(h, width, fh, fw int) Window {
	w.Pad.Top, w.Pad.Bottom = same(h, fh, w.StrideH, w.DilationH)
	w.Pad.Left, w.Pad.Right = same(width, fw, w.StrideW, w.DilationW)
	return w
}

func same(size, filter, stride, dilation int) (before, after int) {
	span := (filter-1)*dilation + 1
	total := max(((size+stride-1)/stride-1)*stride+span-size, 0)
	return total / 2, total - total/2
}

// maxStep bounds strides, dilations and paddings, far beyond any image, so that
// sums and products of them cannot overflow.
const maxStep = 1 << 24

// check says what makes w unusable for a filter of fh × fw taps.
func (w Window) check(fh, fw int) error {
	switch p := w.Pad; {
	case min(w.StrideH, w.StrideW) < 1 || max(w.StrideH, w.StrideW) > maxStep:
		return fmt.Errorf("%w: strides %d, %d, want 1 to %d", ErrInvalid, w.StrideH, w.StrideW, maxStep)
	case min(w.DilationH, w.DilationW) < 1 || max(w.DilationH, w.DilationW) > maxStep:
		return fmt.Errorf("%w: dilations %d, %d, want 1 to %d", ErrInvalid, w.DilationH, w.DilationW, maxStep)
	case min(p.Top, p.Left, p.Bottom, p.Right) < 0 || max(p.Top, p.Left, p.Bottom, p.Right) > maxStep:
		return fmt.Errorf("%w: padding top %d, left %d, bottom %d, right %d, want 0 to %d", ErrInvalid, p.Top, p.Left, p.Bottom, p.Right, maxStep)
	case min(fh, fw) < 1 || max(fh, fw) > math.MaxInt32:
		return fmt.Errorf("%w: filter of %d × %d taps, want at least 1", ErrInvalid, fh, fw)
	}
	return nil
}

// fit checks w and returns the extent of the result for an image x.
func (w Window) fit(x tensor.Shape, fh, fw int) (oh, ow int, err error) {
	if err := w.check(fh, fw); err != nil {
		return 0, 0, err
	}
	oh, ow = w.Output(x[1], x[2], fh, fw)
	if oh < 1 || ow < 1 {
		return 0, 0, fmt.Errorf("%w: filter of %d × %d taps with dilations %d, %d is larger than the image %v with its padding", ErrInvalid, fh, fw, w.DilationH, w.DilationW, x)
	}
	return oh, ow, nil
}

// taps returns the taps from lo up to, not including, hi that lie in an image of
// size elements when tap 0 is at start; lo = hi when none does.
func taps(start, filter, dilation, size int) (lo, hi int) {
	if start < 0 {
		lo = min((-start+dilation-1)/dilation, filter)
	}
	if start < size {
		hi = min((size-start+dilation-1)/dilation, filter)
	}
	return lo, max(lo, hi)
}

// sight is what one output element sees of the image: the taps y0 ≤ ky < y1 and
// x0 ≤ kx < x1, or none, then y0 = y1.
type sight struct {
	y0, y1, x0, x1 int
	output         int // index of the output's first channel
	first          int // index of the first channel under tap (y0, x0)
	stepY, stepX   int // distance of neighboring taps' elements
}

// line is the index of the first channel under tap (ky, x0).
func (s *sight) line(ky int) int { return s.first + (ky-s.y0)*s.stepY }

// slide calls see for every output element, in order. x and y are the shapes of
// image and output.
func (w Window) slide(x, y tensor.Shape, fh, fw int, see func(sight)) {
	s := sight{stepY: w.DilationH * x[2] * x[3], stepX: w.DilationW * x[3]}
	for b := range y[0] {
		for oy := range y[1] {
			top := oy*w.StrideH - w.Pad.Top
			y0, y1 := taps(top, fh, w.DilationH, x[1])
			for ox := range y[2] {
				left := ox*w.StrideW - w.Pad.Left
				s.x0, s.x1 = taps(left, fw, w.DilationW, x[2])
				if s.y0, s.y1 = y0, y1; s.x0 == s.x1 {
					s.y1 = y0
				}
				s.first = ((b*x[1]+top+s.y0*w.DilationH)*x[2] + left + s.x0*w.DilationW) * x[3]
				see(s)
				s.output += y[3]
			}
		}
	}
}
