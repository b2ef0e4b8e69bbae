package kernel

import "unsafe"

// bands is how a layer's input comes into reach of the micro-kernels. A band is
// a number of output rows whose pixels are the rows of one matrix product. Its
// input is the image itself where no copy is needed, or else a copy in which
// padding is written out, so that a window is always Runs pieces at fixed
// distances.
type bands struct {
	inH, inW, outH, outW int // pointwise layers see an image one pixel wide
	strideH              int
	padTop, padLeft      int
	inC, depth           int // channels of the image; of a group
	zero                 int8
	size                 int // bytes of an element of the copy

	direct  bool // the image itself is the band
	rows    int  // output rows in a full band
	step    int  // image rows from one row of the copy to the next
	reachH  int  // rows of the copy under one output row's windows
	line    int  // elements of a row of the copy
	pitch   int  // from one of them to the next
	rolls   bool // the copy is a ring of rows, see roll
	offsets []int32
	reach   []int32
	length  int // elements of a run
	scratch int // bytes of a full band's copy
}

// What a band holds at most, unless a single output row needs more: its copy
// stays in the first-level cache, and in the arena.
const (
	bandRows  = 256
	bandBytes = 6 << 10
	// ampleBytes is from which quarter of its input on a layer may take half of it:
	// there it is only a part of what a model needs, and bands of few rows copy
	// many of them twice.
	ampleBytes = 1 << 10
	// Of an operator's bookkeeping, which the reference keeps in its arena and we do
	// not, half may go to the largest copy; not in models of few operators.
	spareBytes   = 256
	fewOperators = 8
	// margin is how far behind its data a copy may be read. What lies there
	// meets weights that are zero, or lanes that are not stored.
	margin = 64
)

// copyBytes is how long a band's copy of the image is at most, unless that of a
// single output row is longer.
func (e *engine) copyBytes(image int) int {
	most := image / 4
	if most >= ampleBytes {
		most *= 2
	}
	return min(max(most, e.spare), bandBytes)
}

// extends reports whether the activations are extended to 16 bits in the copy,
// which for a single output row must not be too long for that.
func (e *engine) extends(s *bands) bool {
	return e.wide && s.scratch <= max(e.copyBytes(s.inH*s.inW*s.depth), 2*e.spare)
}

// bands lays out the windows of c in runs padded to a multiple of unit elements.
// With perTap set every tap is a run of its own, of the pixel's whole depth.
func (e *engine) bands(c *Conv, unit int, perTap, mayDirect bool) bands {
	depth := c.InC / c.Groups
	s := bands{
		inH: c.InH, inW: c.InW, outH: c.OutH, outW: c.OutW, strideH: c.StrideH,
		padTop: c.PadTop, padLeft: c.PadLeft, inC: c.InC, depth: depth, zero: int8(c.InZero), size: 1, step: 1,
	}
	if e.wide {
		s.size, mayDirect = 2, false
	}
	strideW := c.StrideW
	if c.pointwise() && c.StrideH == 1 && c.StrideW == 1 {
		s.inH, s.inW = c.InH*c.InW, 1
		s.outH, s.outW = s.inH, 1
	}
	raw := c.KernelW * depth
	if perTap || c.DilationW != 1 {
		raw = depth
	}
	s.length = (raw + unit - 1) / unit * unit
	s.direct = mayDirect && c.within() && c.Groups == 1 && raw == s.length
	width := (s.outW-1)*strideW + (c.KernelW-1)*c.DilationW + 1
	s.line = width * depth
	s.pitch = s.line
	rowStep := c.StrideH
	if s.direct {
		s.pitch = s.inW * s.inC
	} else if c.KernelH == 1 && c.withinH() {
		rowStep, s.step = 1, c.StrideH
	}
	s.reachH = (c.KernelH-1)*c.DilationH + 1
	s.rows = min(max(bandRows/s.outW, 1), s.outH)
	if !s.direct {
		for s.rows > 1 && s.copied(s.rows)*s.pitch*s.size > e.copyBytes(s.inH*s.inW*depth) {
			s.rows--
		}
		s.level(e.gemm[0].tiles[0].rows)
		s.scratch = s.copied(s.rows)*s.pitch*s.size + margin
	}
	s.offsets = make([]int32, 0, s.rows*s.outW)
	for y := range s.rows {
		for x := range s.outW {
			s.offsets = append(s.offsets, int32((y*rowStep*s.pitch+x*strideW*depth)*s.size))
		}
	}
	for ky := range c.KernelH {
		at := ky * c.DilationH * s.pitch * s.size
		if raw != depth || c.KernelW == 1 {
			s.reach = append(s.reach, int32(at))
			continue
		}
		for kx := range c.KernelW {
			s.reach = append(s.reach, int32(at+kx*c.DilationW*depth*s.size))
		}
	}
	return s
}

// level makes the bands of a pointwise layer of about equal length, in whole
// tiles of n rows.
func (s *bands) level(n int) {
	if s.outW > 1 || s.rows <= n {
		return
	}
	count := (s.outH + s.rows - 1) / s.rows
	rows := (s.outH + count - 1) / count
	if rows = (rows + n - 1) / n * n; rows > s.rows {
		rows = s.rows / n * n
	}
	s.rows = min(rows, s.rows)
}

// often reports whether bands copy so much that reading bytes takes no longer:
// rows more than twice, or a pixel for hardly more than one result.
func (s *bands) often() bool {
	return s.copied(s.rows) > 2*s.rows*s.strideH || len(s.reach)*s.outH*s.outW <= 2*s.inH*s.inW
}

// widen lets one step of a depthwise convolution take several neighboring pixels
// of few channels as one pixel of more: their bytes lie side by side, and so do
// the results. It returns how many.
func (s *bands) widen(lanes, strideW int) int {
	n := lanes / s.inC
	if strideW != 1 || n < 2 || lanes%s.inC != 0 || s.outW%n != 0 || s.direct {
		return 1
	}
	kept := s.offsets[:0]
	for i := 0; i < len(s.offsets); i += n {
		kept = append(kept, s.offsets[i])
	}
	s.offsets = kept
	s.outW /= n
	return n
}

// copied is the number of rows in the copy for n output rows.
func (s *bands) copied(n int) int {
	if s.step != 1 {
		return n
	}
	return (n-1)*s.strideH + s.reachH
}

// place returns where the band of n output rows from y on begins: in the image,
// or in the copy that it makes of group g. next says that the copy holds the band
// before it.
func (s *bands) place(l *layer, image, scratch []int8, y, n, g int, next bool, w *Work) unsafe.Pointer {
	if s.direct {
		return unsafe.Pointer(&image[y*s.strideH*s.pitch])
	}
	if s.rolls {
		s.roll(l, image, scratch, y, next, w)
	} else {
		s.copy(l, scratch, image, y*s.strideH-s.padTop, s.copied(n), g, w)
	}
	return unsafe.Pointer(unsafe.SliceData(scratch))
}

// copy copies n rows of the image, of which the first is row top, which like any
// may lie beyond an edge.
func (s *bands) copy(l *layer, dst, image []int8, top, n, g int, w *Work) {
	first := min(max(-top, 0), n)
	end := max(min((s.inH-1-top)/s.step+1, n), first)
	zero := s.zero
	if l.flipped != nil {
		zero ^= -128
	}
	pitch := s.pitch * s.size
	s.pad(l, dst[:first*pitch], &w.lines, zero)
	if first < end {
		s.lines(l, dst[first*pitch:], image[(top+first*s.step)*s.inW*s.inC:], end-first, g, &w.lines, zero)
	}
	s.pad(l, dst[end*pitch:n*pitch], &w.lines, zero)
}

// pad fills rows of the copy with zero.
func (s *bands) pad(l *layer, dst []int8, c *lines, zero int8) {
	if s.size == 1 || len(dst) == 0 {
		fill(dst, zero)
		return
	}
	*c = lines{dst: &dst[0], n: 1, left: len(dst)/s.size - (s.pitch - s.line), pad: zero}
	l.engine.lines(c)
	c.dst = nil
}

// lines is a copy of n rows of an image, dstPitch and srcPitch bytes apart, each
// with left and right elements of pad beside its size elements. Up to margin
// bytes behind the last row may be overwritten.
type lines struct {
	dst, src              *int8
	n, dstPitch, srcPitch int
	left, size, right     int
	pad                   int8
}

// lines copies n rows of the image, which begins with the first of them, with
// padding left and right.
func (s *bands) lines(l *layer, dst, image []int8, n, g int, c *lines, zero int8) {
	left := min(s.padLeft*s.depth, s.line)
	size := min(s.line-left, s.inW*s.depth)
	if l.engine.lines != nil && s.depth == s.inC && (s.size == 2 || !l.engine.wide) {
		// Field by field, which need not be built elsewhere and copied.
		c.dst, c.src, c.n = &dst[0], &image[0], n
		c.dstPitch, c.srcPitch = s.pitch*s.size, s.step*s.inW*s.inC
		c.left, c.size, c.right, c.pad = left, size, s.line-left-size, zero
		if c.left+c.right == 0 && c.srcPitch == size && c.dstPitch == size*s.size {
			c.size, c.n = size*n, 1
		}
		l.engine.lines(c)
		c.dst, c.src = nil, nil
		return
	}
	if s.size == 2 {
		s.wideRows(dst, image, n, g, left, size)
		return
	}
	for i := range n {
		s.row(l, dst[i*s.pitch:][:s.line], image[i*s.step*s.inW*s.inC:][:s.inW*s.inC], g, left, size, zero)
	}
}

// wideRows copies the part of n lines that windows reach, of one group of
// channels, as 16-bit numbers.
func (s *bands) wideRows(dst, image []int8, n, g, left, size int) {
	for i := range n {
		row := unsafe.Slice((*int16)(unsafe.Pointer(&dst[i*s.pitch*2])), s.line)
		line := image[i*s.step*s.inW*s.inC:][:s.inW*s.inC]
		for x := range row {
			at := x - left
			row[x] = int16(s.zero)
			if at >= 0 && at < size {
				row[x] = int16(line[at/s.depth*s.inC+g*s.depth+at%s.depth])
			}
		}
	}
}

// row copies the part of a line that windows reach, of one group of channels.
func (s *bands) row(l *layer, dst, line []int8, g, left, size int, zero int8) {
	fill(dst[:left], zero)
	dst = dst[left:]
	if s.depth == s.inC {
		copy(dst[:size], line)
	} else {
		for i := 0; i < size; i += s.depth {
			copy(dst[i:i+s.depth], line[i/s.depth*s.inC+g*s.depth:])
		}
	}
	if l.flipped != nil {
		l.flipped(dst[:size], dst[:size])
	}
	fill(dst[size:], zero)
}

// vast reports whether windows are spread over more cells than a band is laid out
// for; offsets in it have 32 bits.
func (c *Conv) vast() bool {
	const most = 1 << 26
	w := int64(c.OutW-1)*int64(c.StrideW) + int64(c.KernelW-1)*int64(c.DilationW) + 1
	h := int64(c.OutH-1)*int64(c.StrideH) + int64(c.KernelH-1)*int64(c.DilationH) + 1
	return w > most || h > most || w*h > most || w*h*int64(c.InC) > most
}
