package kernel

import "unsafe"

// quadKernels are micro-kernels for depthwise convolutions by an instruction that
// multiplies and adds four bytes at a time: four rows are woven together byte by
// byte, once for all the windows that a pixel is in.
type quadKernels struct {
	weave func(*weave)
	// run computes one and two rows of results from quads, three those of windows of
	// three taps at equal distances, the first of them 0.
	run, three [2]func(*block)
}

// quadLanes are the channels of a quad, quadBytes its length.
const (
	quadLanes = 16
	quadBytes = 4 * quadLanes
	quadRows  = 4
)

// weave brings the rows of an image that lie under a window together, four by four:
// first row top, and so on, dilation apart; those that are not in the image are
// padding. Rows behind the last only fill up its quads. Of every row it takes runs
// pieces of size bytes, step apart, between so many bytes of padding on the left
// and on the right. Quads of the next four rows follow region bytes behind. Less
// than margin bytes behind them may be overwritten.
type weave struct {
	dst, image, padding *int8
	height, pitch       int
	top, last           int // first row; the last one's number, counted from it
	dilation            int
	groups, region      int
	runs, size, step    int
	left, right         int
	pad                 int8
}

// quads is how a depthwise layer lies in quads. A quad holds four rows of the
// image under the window, and serves two rows of results where they fit, the
// second with weights moved by the stride. A tap is a column of such a window.
type quads struct {
	Window
	channels int
	kernels  *quadKernels
	rows     int // of results at a time, 1 or 2
	groups   int // quads from top to bottom of a window
	wide     int // pixels that are computed as one of so many times the channels
	piece    int // channels of a panel, but for the last
	region   int // bytes of the longest row of quads
	zero     int8
	three    bool      // taps, at equal distances
	reach    [][]int32 // of every panel's taps
	spans    []span
	padding  []int8 // in place of rows outside of the image
}

// span is a part of a row of results: n pixels from x on, which see count pixels of
// the image between left and right ones of padding.
type span struct{ x, n, left, from, count, right int }

const (
	// mostWide is how many channels several pixels are joined to at most.
	mostWide = 256
	// fewPixels is from how many pixels on a row is not shortened for the sake of
	// more channels at a time.
	fewPixels = 8
	// mostQuads bounds the bytes of quads that several pixels take.
	mostQuads = 24 << 10
	// mostVast bounds those that a few take.
	mostVast = 1 << 22
)

// newQuads lays out c, or returns nil where its windows are too wide.
func (e *engine) newQuads(c *Conv) *quads {
	q := &quads{Window: c.Window, channels: c.InC, kernels: e.quads, rows: 1, wide: 1, zero: int8(c.InZero)}
	if q.InW == 1 && q.KernelW*q.KernelH == 1 && q.within() {
		q.InH, q.InW, q.OutH, q.OutW, q.StrideH, q.StrideW = 1, q.InH, 1, q.OutH, q.StrideW, q.StrideH
	}
	if q.DilationH == 1 && q.OutH > 1 && quadsOf(q.KernelH+q.StrideH) < 2*quadsOf(q.KernelH) {
		q.rows = 2
	}
	q.groups = quadsOf(q.KernelH + (q.rows-1)*q.StrideH)
	for q.StrideW == 1 && q.wide*c.InC%quadLanes != 0 {
		q.wide *= 2
	}
	if q.wide > q.OutW || q.wide*c.InC > mostWide {
		q.wide = 1
	}
	// With the results quads take one and a half times what the image does.
	most := 3*c.InH*c.InW*c.InC/2 - c.OutH*c.OutW*c.OutC
	n := q.divide(min(max(most, e.spare, bandBytes/2), mostQuads) / (quadRows * q.groups))
	q.region = (quadRows*q.width(n)*q.piece + margin - 1) / margin * margin
	if int64(quadRows*q.groups)*int64(q.width(n))*int64(q.piece) > mostVast {
		return nil
	}
	longest := 0
	for x := 0; x < q.OutW; x += n {
		s := q.span(x, min(n, q.OutW-x))
		longest = max(longest, s.count)
		q.spans = append(q.spans, s)
	}
	if q.PadTop > 0 || (q.OutH-1)*q.StrideH-q.PadTop+(q.KernelH-1)*q.DilationH >= q.InH {
		q.padding = make([]int8, longest*q.piece)
		fill(q.padding, q.zero)
	}
	return q
}

// quadsOf is how many quads hold n rows.
func quadsOf(n int) int { return (n + quadRows - 1) / quadRows }

// width is how many pixels the windows of n results reach over.
func (q *quads) width(n int) int { return (n-1)*q.StrideW + (q.KernelW-1)*q.DilationW + 1 }

// divide chooses how many channels are taken at a time, and returns how many pixels
// of a row of results, for most quads where a few pixels do not take more.
func (q *quads) divide(most int) int {
	q.piece = q.channels
	for q.wide == 1 && q.piece > quadLanes && q.width(min(q.OutW, fewPixels))*q.piece > most {
		unit := min(q.piece/2, quadBytes)
		unit = max(unit/quadLanes, 1) * quadLanes
		q.piece = (q.piece/2 + unit - 1) / unit * unit
	}
	unit := 4 / q.rows * q.wide // what the micro-kernels take at a time
	n := q.OutW
	if n > unit && q.width(n)*q.piece > most {
		for n = n / unit * unit; n > unit && q.width(n)*q.piece > most; {
			n -= unit
		}
		count := (q.OutW + n - 1) / n
		n = (q.OutW + count*unit - 1) / (count * unit) * unit
	}
	return n
}

// span describes n results from x on.
func (q *quads) span(x, n int) span {
	first := x*q.StrideW - q.PadLeft
	width := q.width(n)
	s := span{x: x, n: n, left: min(max(-first, 0), width), from: max(first, 0)}
	s.count = max(min(width-s.left, q.InW-s.from), 0)
	s.right = width - s.left - s.count
	return s
}

// band computes output rows from y on, before end, for panels from to to, which is
// not included.
func (q *quads) band(l *layer, in, out, scratch []int8, y, end, from, to int, w *Work) {
	b, v := &w.block, &w.weave
	b.stride, b.tapStep = q.OutW*q.channels, q.rows*quadBytes
	v.dst, v.image, v.padding = &scratch[0], &in[0], unsafe.SliceData(q.padding)
	v.height, v.pitch, v.dilation = q.InH, q.InW*q.channels, q.DilationH
	v.groups, v.region, v.step, v.pad = q.groups, q.region, q.channels, q.zero
	for i := from; i < to; i++ {
		p := &l.panels[i]
		b.b, b.params = unsafe.Pointer(&p.weights[0]), unsafe.Pointer(&p.params[0])
		b.reach, b.runs = &q.reach[i][0], len(q.reach[i])
		b.panel = b.runs * b.tapStep
		b.step, b.outStep = p.used/q.wide*q.StrideW*quadRows, q.channels
		if q.wide > 1 {
			b.step, b.outStep = p.used*quadRows, p.used
		}
		for j := range q.spans {
			s := &q.spans[j]
			q.columns(v, p, s, in)
			for top := y; top < end; top += q.rows {
				rows := min(q.rows, end-top)
				v.top, v.last = top*q.StrideH-q.PadTop, q.KernelH-1+(rows-1)*q.StrideH
				q.kernels.weave(v)
				b.columns, b.rows = p.used, s.n/q.wide
				q.multiply(b, rows, 0, scratch, out[(top*q.OutW+s.x)*q.channels+p.first:])
				if rest := s.n % q.wide; rest > 0 {
					b.columns, b.rows = rest*q.channels, 1
					q.multiply(b, rows, s.n/q.wide, scratch, out[(top*q.OutW+s.x+s.n-rest)*q.channels:])
				}
			}
		}
	}
	v.dst, v.image, v.padding = nil, nil, nil
}

// columns is what a span of p's channels sees of every row.
func (q *quads) columns(v *weave, p *panel, s *span, in []int8) {
	channels := p.used / q.wide
	v.left, v.right = s.left*channels*quadRows, s.right*channels*quadRows
	v.runs, v.size = s.count, channels
	if channels == q.channels {
		v.runs, v.size = min(s.count, 1), s.count*channels
	}
	if s.count > 0 {
		v.image = &in[s.from*q.channels+p.first]
	}
}

// multiply computes the pixels of one or two rows, from pixel x of the quads on; out
// begins with their first result.
func (q *quads) multiply(b *block, rows, x int, scratch, out []int8) {
	b.a, b.out = unsafe.Pointer(&scratch[x*b.step]), unsafe.Pointer(&out[0])
	if q.three {
		q.kernels.three[rows-1](b)
	} else {
		q.kernels.run[rows-1](b)
	}
}
