package kernel

import "unsafe"

// quadKernels are micro-kernels for depthwise convolutions by an instruction that
// multiplies and adds four bytes at a time: four neighboring pixels are brought
// together channel by channel, once for all the windows that they are in.
type quadKernels struct {
	// gather writes n quads of 16 channels for each of a number of rows, which
	// are pitch bytes apart. A quad is made of the 16 bytes at src and those at
	// one, two and three strides behind it; the next begins two strides on.
	gather func(dst, src *int8, stride, n, rows, pitch int)
	// run computes two neighboring pixels from every quad, two quads at a time.
	run func(*block)
}

// quadLanes are the channels of a quad, quadBytes its length.
const (
	quadLanes = 16
	quadBytes = 4 * quadLanes
)

// quads is how a depthwise layer of stride 1, with windows two or three pixels
// wide, lies in quads: one begins at every second column and serves two windows,
// the second with weights moved by a pixel.
type quads struct {
	*bands
	padded   int // bytes of the copy with padding, which quads are made of
	line     int // of a row of quads
	kernels  *quadKernels
	perRow   int // quads
	channels int
	// For a full band, and for the last: offsets of the quads, and of the results.
	full, last struct{ from, to []int32 }
}

// newQuads lays out c, or returns nil where it does not fit in quads.
func (e *engine) newQuads(c *Conv) *quads {
	k := e.quads
	if k == nil || c.DilationW != 1 || c.StrideW != 1 || c.KernelW > 3 || c.KernelW < 2 || c.InC < quadLanes {
		return nil
	}
	width := c.OutW
	q := &quads{kernels: k, channels: c.InC, perRow: (width + 1) / 2}
	s := e.bands(c, 1, true, false)
	q.bands = &s
	q.line = q.perRow * quadBytes
	for s.rows = s.outH; s.rows > 1 && s.copied(s.rows)*(s.pitch+q.line) > e.copyBytes(s.inH*s.inW*c.InC); {
		s.rows--
	}
	// The last quads of a row reach beyond it.
	q.padded = (s.copied(s.rows)*s.pitch + 4*c.InC + margin) &^ (margin - 1)
	s.scratch = q.padded + s.copied(s.rows)*q.line
	if s.scratch > s.inH*s.inW*c.InC {
		return nil // more than the input itself: a small image
	}
	s.reach = nil
	for ky := range c.KernelH {
		s.reach = append(s.reach, int32(ky*c.DilationH*q.line))
	}
	step := s.strideH
	if s.step != 1 {
		step = 1
	}
	q.full.from, q.full.to = q.table(s.rows, step, width)
	q.last.from, q.last.to = q.table((s.outH-1)%s.rows+1, step, width)
	return q
}

// table lists where the quads of n output rows begin and where their results go,
// an even number by repeating the last. The second result of a quad that has only
// one goes where the first does, which is stored after.
func (q *quads) table(n, step, width int) (from, to []int32) {
	for i := 0; i < n*q.perRow || i%2 != 0; i++ {
		at := min(i, n*q.perRow-1)
		y, x := at/q.perRow, at%q.perRow
		from = append(from, int32(y*step*q.line+x*quadBytes))
		first, second := y*width+2*x, y*width+min(2*x+1, width-1)
		to = append(to, int32(first*q.channels), int32(second*q.channels))
	}
	return from, to
}

// weights packs the weights of 16 lanes from channel first on: four taps of each
// lane side by side, for every row of the window, the second pixel's behind the
// first's.
func (q *quads) weights(d *Depthwise, first, used int) []byte {
	const shifts = 2
	packed := make([]byte, d.KernelH*shifts*quadBytes)
	for ky := range d.KernelH {
		for shift := range shifts {
			for lane := range used {
				for kx := range d.KernelW {
					w := d.Weights[(ky*d.KernelW+kx)*d.OutC+first+lane]
					packed[(ky*shifts+shift)*quadBytes+lane*4+kx+shift] = byte(w)
				}
			}
		}
	}
	return packed
}

// band computes the output rows of the band that begins with row y, for panels
// from to to, which is not included.
func (q *quads) band(l *layer, in, out []int8, scratch []int8, y, from, to int, w *Work) {
	b := &w.block
	b.reach, b.runs = &q.reach[0], len(q.reach)
	b.a = unsafe.Pointer(&scratch[q.padded])
	table := &q.full
	n := min(q.rows, q.outH-y)
	if y+n == q.outH {
		table = &q.last
	}
	b.offsets, b.results, b.rows = &table.from[0], &table.to[0], len(table.from)
	q.place(l, in, scratch, y, n, 0, w)
	for i := from; i < to; i++ {
		p := &l.panels[i]
		q.kernels.gather(&scratch[q.padded], &scratch[p.first], q.inC, q.perRow, q.copied(n), q.pitch)
		b.b, b.params = unsafe.Pointer(&p.weights[0]), unsafe.Pointer(&p.params[0])
		b.columns = p.used
		b.out = unsafe.Pointer(&out[y*q.outW*q.channels+p.first])
		q.kernels.run(b)
	}
}
