package graph

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
