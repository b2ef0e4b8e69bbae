package kernel

import (
	"math"
	"slices"
	"unsafe"
)

// layer is a convolution prepared for an engine.
type layer struct {
	engine *engine
	bands  bands
	quads  *quads // nil where the input is laid out by bands alone
	// Every group of channels has the same number of panels of its own.
	panels           []panel
	perGroup         int
	flipped          func(dst, src []int8)
	zero, min, max   int32
	batch, inC, outC int
	exceptions       *exceptions // nil for none
	once             *once       // nil where one call does not do

	bandCount int  // of an image
	chunks    int  // of the panels of a band
	parts     int  // that can be computed apart: chunks of bands of images
	shared    bool // among threads
}

// Work is what kernels compute with beside their arguments and the arena. It
// belongs to one session.
type Work struct {
	Team  *Team // nil for one thread
	block block
	lines lines
	weave weave
	reach [rollRuns]int32

	foreign foreign // at work
}

// newConv prepares c, or returns nil where the engine is not exact or take does
// not grant the memory.
func (e *engine) newConv(c *Conv, take Take) *layer {
	if c.vast() {
		return nil
	}
	c, parts := c.symmetric(take)
	if c == nil {
		return nil
	}
	s := e.bands(c, e.depth, false, e.flip == 0).repeated(parts)
	switch direct := e.bytes().bands(c, e.depth, false, true).repeated(parts); {
	case len(e.single) > 0 && direct.direct && c.Batch*c.OutH*c.OutW <= fewRows, e.wide && !e.extends(&s):
		return e.newMatrix(c, direct, e.single, take)
	case e.double != nil && c.OutC == e.double.columns && c.Groups == 1 && s.outW*s.rows%2 == 0 && s.outW*s.outH%2 == 0:
		s = e.bands(c, 2*e.depth, false, e.flip == 0).repeated(parts)
		return e.newMatrix(c, s, []panelKernels{*e.double}, take)
	case len(e.direct) > 0 && direct.direct:
		return e.newMatrix(c, direct, e.direct, take)
	}
	return e.newMatrix(c, s, e.gemm, take)
}

// fewRows is up to how many rows one kernel of a single row, which need not copy
// its input, is better than one of several.
const fewRows = 2

// newMatrix prepares c for windows laid out as in s.
func (e *engine) newMatrix(c *Conv, s bands, kernels []panelKernels, take Take) *layer {
	k, filters := len(c.Weights)/c.OutC, c.OutC/c.Groups
	// Asked for first, so that where it is refused weights are not gone through.
	if size := s.length * len(s.reach) * s.size; !take(c.Groups*e.padded(kernels, filters)*(size+16) + 4*len(s.offsets)) {
		return nil
	}
	magnitude := func(i int) int64 { return e.magnitude(c.Weights[i*k : (i+1)*k]) }
	// The zero point as in prepareConvGeneric; what flip adds goes the same way.
	folded := foldBias(c.Weights, c.OutC, c.Bias, c.InZero+int32(e.flip), 0)
	channels, others := e.requantization(magnitude, c.Bias, folded, &c.Output)
	if channels == nil || len(others) > 0 && k != c.KernelH*c.KernelW*c.InC/c.Groups {
		return nil
	}
	l := e.newLayer(c, s)
	if !s.direct {
		l.flipped = e.flipped
	}
	for first := 0; first < c.OutC; {
		p := panel{panelKernels: e.widest(kernels, filters-first%filters), first: first}
		left := filters - first%filters
		p.used = min(left, p.columns)
		p.weights = p.arranged(e.pack(&p, c.Weights, len(s.reach), k/len(s.reach), s.length))
		e.epilogue(&p, channels[first:first+p.used], &c.Output)
		first += p.used
		l.panels = join(l.panels, p, left == filters, left)
	}
	l.perGroup = len(l.panels) / c.Groups
	return l.except(c, others)
}

// epilogue sets the panel's params, for its channels in use.
func (e *engine) epilogue(p *panel, used []channel, o *Output) {
	cs := p.filled(used)
	if p.doubled {
		cs = nil
		for pair := range slices.Chunk(used, 2) {
			cs = slices.Concat(cs, pair, pair)
		}
	}
	if e.linear != nil {
		p.params = e.linear(cs, o)
	}
	if p.params != nil {
		p.linear = 1
		return
	}
	p.params = e.params(cs, o.Zero)
}

func (e *engine) newLayer(c *Conv, s bands) *layer {
	o := &c.Output
	return &layer{engine: e, bands: s, zero: o.Zero, min: o.Min, max: o.Max, batch: c.Batch, inC: c.InC, outC: c.OutC}
}

// pack brings the weights of a panel's channels, runs pieces of raw bytes each,
// into the order in which a micro-kernel reads them. Columns and ends of runs
// without weights hold zero.
func (e *engine) pack(p *panel, weights []int8, runs, raw, length int) []byte {
	packed := make([]byte, runs*length*p.columns)
	for column := range p.used {
		filter := weights[(p.first+column)*runs*raw:]
		for run := range runs {
			if e.place != nil {
				e.place(packed[run*length*p.columns:(run+1)*length*p.columns], p.columns, column, filter[run*raw:(run+1)*raw])
				continue
			}
			at := run*length*p.columns + column*e.depth
			for i, w := range filter[run*raw : (run+1)*raw] {
				packed[at+i/e.depth*p.columns*e.depth+i%e.depth] = byte(w)
			}
		}
	}
	for i := 0; e.shuffle != nil && i < len(packed); i += 16 {
		group := [16]byte(packed[i:])
		for to, from := range e.shuffle {
			packed[i+to] = group[from]
		}
	}
	return packed
}

// newDepthwise prepares d, or returns nil.
func (e *engine) newDepthwise(d *Depthwise, take Take) *layer {
	if d.InC == 1 {
		return e.newConv(d.plain(), take)
	}
	d, parts := d.symmetric(take)
	if d == nil {
		return nil
	}
	taps := len(d.Weights) / d.OutC
	magnitude := func(i int) int64 {
		sum := int64(0)
		for t := range taps {
			w := int64(d.Weights[t*d.OutC+i])
			if e.narrowTaps && w == math.MinInt8 {
				return math.MaxInt32
			}
			sum += max(w, -w)
		}
		return sum
	}
	if d.Multiplier != 1 || e.lanes == 0 && e.quads == nil {
		return nil
	}
	folded := d.folded(d.InZero + int32(e.tapFlip))
	channels, others := e.requantization(magnitude, d.Bias, folded, &d.Output)
	if channels == nil || len(others) > 0 && parts > 1 {
		return nil
	}
	c := &Conv{Window: d.Window, InC: d.InC, OutC: d.OutC, Groups: 1, InZero: d.InZero, Output: d.Output}
	if c.vast() {
		return nil
	}
	if e.quads != nil {
		return e.newQuadLayer(d, c, parts, channels, take).exceptTaps(d, others)
	}
	whole := d.InC%e.lanes == 0
	l, tiles := e.newLayer(c, e.bands(c, 1, true, e.tapFlip == 0 && whole).repeated(parts)), e.depthwise
	if bytes := e.bytes().bands(c, 1, true, whole); e.wide && (bytes.direct && l.bands.often() || !e.extends(&l.bands)) {
		l.bands, tiles = bytes.repeated(parts), e.bytewise
	}
	repeat := l.bands.widen(e.lanes, d.StrideW)
	s := &l.bands
	for len(s.reach)%e.tapGroup != 0 {
		s.reach = append(s.reach, s.reach[0]) // with a weight of zero
	}
	if !take((d.OutC*repeat+e.lanes)*(len(s.reach)*s.size+24) + 4*len(s.offsets)) {
		return nil
	}
	if e.tapFlip != 0 {
		l.flipped = e.flipped
	}
	kernels := &panelKernels{columns: e.lanes, tiles: tiles, arrange: e.arrange, repeated: e.repeatedTaps}
	if parts == 1 && d.KernelH == 3 && d.KernelW == 3 && len(e.nine) > 0 {
		kernels.tiles = e.nine
	}
	l.outC *= repeat
	for first := 0; first < l.outC; first += e.lanes {
		p := panel{panelKernels: kernels, first: first, used: min(e.lanes, l.outC-first), from: first * s.size}
		e.packTaps(&p, d, len(s.reach), channels)
		l.panels = join(l.panels, p, first == 0, l.outC-first)
	}
	l.perGroup = len(l.panels)
	return l.exceptTaps(d, others)
}

// packTaps lays out a panel's weights and epilogue; its channels may repeat
// those of the layer.
func (e *engine) packTaps(p *panel, d *Depthwise, taps int, channels []channel) {
	p.weights = make([]byte, taps*e.lanes)
	var cs []channel
	for i := range p.used {
		c := (p.first + i) % d.OutC
		cs = append(cs, channels[c])
		for t := range len(d.Weights) / d.OutC {
			p.weights[(t/e.tapGroup*e.lanes+i)*e.tapGroup+t%e.tapGroup] = byte(d.Weights[t*d.OutC+c])
		}
	}
	p.weights = p.arranged(p.weights)
	p.params = e.params(p.filled(cs), d.Output.Zero)
}

// plain is a layer with one input channel as the convolution that it is.
func (d *Depthwise) plain() *Conv {
	c := &Conv{Window: d.Window, InC: 1, OutC: d.OutC, Groups: 1, InZero: d.InZero, WeightZero: d.WeightZero, Bias: d.Bias, Output: d.Output}
	c.Weights = make([]int8, len(d.Weights))
	taps := len(d.Weights) / d.OutC
	for i, w := range d.Weights {
		c.Weights[i%d.OutC*taps+i/d.OutC] = w
	}
	return c
}

// folded is bias − zero·Σw for every channel.
func (d *Depthwise) folded(zero int32) []int32 {
	folded := make([]int32, d.OutC)
	for i, w := range d.Weights {
		folded[i%d.OutC] -= zero * int32(w)
	}
	for i, b := range d.Bias {
		folded[i] += b
	}
	return folded
}

// run computes the layer, on several threads if it was split for them.
func (l *layer) run(in, out []int8, scratch []byte, w *Work) {
	if l.once != nil {
		l.once.run(in, out, &w.block)
		return
	}
	if l.shared && w.Team != nil {
		w.Team.run(l, l.parts, in, nil, out, int8s(scratch), w)
	} else {
		l.bandsOf(0, l.parts, in, out, int8s(scratch), w)
	}
	if l.exceptions != nil {
		s := &l.bands
		image, result := s.inH*s.inW*s.inC, s.outH*s.outW*l.outC
		for n := range l.batch {
			l.exceptions.run(in[n*image:(n+1)*image], out[n*result:(n+1)*result])
		}
	}
}

// split divides the layer among threads and returns the scratch memory that it
// takes.
func (l *layer) split(threads int, macs int64) int {
	s := &l.bands
	count := (s.outH + s.rows - 1) / s.rows
	l.shared = threads > 1 && macs >= l.engine.pace && l.batch*s.outH*len(l.panels) <= partMask
	parts := threads
	if macs >= longer*l.engine.pace {
		parts *= 2
	}
	if l.shared {
		l.shorten(parts)
		count = (s.outH + s.rows - 1) / s.rows
	}
	if l.quads == nil {
		s.mayRoll(l.engine.spare / 4)
	}
	l.bandCount, l.chunks = count, 1
	if !l.shared {
		l.parts = l.batch * count
		l.once = l.newOnce()
		return s.scratch
	}
	l.chunks = min(max(parts/count, 1), l.perGroup)
	l.parts = l.batch * l.chunks * count
	l.shared = l.parts > 1
	s.scratch = (s.scratch + margin - 1) / margin * margin
	return threads * s.scratch
}

// longer is how many times as long a layer must be as to be shared at all for
// threads to have several parts each: that makes other layers slower, for there are
// more bands, but one that is held up has less to do.
const longer = 1 << 9

// shorten makes bands of about equal length, their number a multiple of parts.
func (l *layer) shorten(parts int) {
	s := &l.bands
	unit := 1
	switch {
	case l.quads != nil:
		unit = l.quads.rows
	case l.panels[0].doubled && s.outW%2 != 0: // the pixels of a band must be even
		return
	case s.outW == 1:
		unit = l.panels[0].tiles[0].rows
	}
	if l.quads == nil && l.perGroup >= 2*parts && l.mostlyWeights() {
		return // rather by panels
	}
	count := (s.outH + s.rows - 1) / s.rows
	count = (count + parts - 1) / parts * parts
	rows := (s.outH + count - 1) / count
	for unit > 1 && unit > rows/fewTiles {
		unit /= 2
	}
	s.rows = min((rows+unit-1)/unit*unit, s.rows)
}

// mostlyWeights reports whether the layer has so many more weights than activations
// that threads had better read different weights than different rows.
func (l *layer) mostlyWeights() bool {
	weights, pixels := 0, int64(l.bands.outH)*int64(l.bands.outW)
	for i := range l.panels {
		weights += len(l.panels[i].weights)
	}
	return int64(weights) > 4*pixels*int64(l.bands.inC+l.outC)
}

// fewTiles is up to how many tiles a band may end within one.
const fewTiles = 4

// compute implements job.
func (l *layer) compute(first, end int, t *task, scratch []int8, w *Work) {
	l.bandsOf(first, end, t.x, t.out, scratch, w)
}

// bandsOf computes the parts from first to end, which is not included.
func (l *layer) bandsOf(first, end int, in, out []int8, scratch []int8, w *Work) {
	s := &l.bands
	image, result := s.inH*s.inW*s.inC, s.outH*s.outW*l.outC
	l.begin(&w.block)
	for i := first; i < end; i++ {
		band, n := i%l.bandCount, i/l.bandCount/l.chunks
		chunk := i / l.bandCount % l.chunks
		from, to := chunk*l.perGroup/l.chunks, (chunk+1)*l.perGroup/l.chunks
		in, out := in[n*image:(n+1)*image], out[n*result:(n+1)*result]
		if l.quads != nil {
			l.quads.band(l, in, out, scratch, band*s.rows, min((band+1)*s.rows, s.outH), from, to, w)
		} else {
			l.band(in, out, scratch, band*s.rows, from, to, i > first && band > 0, w)
		}
	}
	w.block.a, w.block.out = nil, nil // keep no memory alive
}

// begin sets what of b is the same for the whole layer.
func (l *layer) begin(b *block) {
	s := &l.bands
	b.reach, b.runs, b.length = unsafe.SliceData(s.reach), len(s.reach), s.length
	b.zero, b.min, b.max = l.zero, l.min, l.max
}

// band computes the output rows of the band that begins with row y, for panels
// from to to, which is not included, of every group. next says that the copy that
// w and scratch hold is that of the band before it.
func (l *layer) band(in, out []int8, scratch []int8, y, from, to int, next bool, w *Work) {
	b := &w.block
	s := &l.bands
	if s.rolls {
		b.reach = s.turned(y, w)
	}
	n := min(s.rows, s.outH-y)
	for at := 0; at < len(l.panels); at += l.perGroup {
		band := s.place(l, in, scratch, y, n, at/l.perGroup, next, w)
		for i := at + from; i < at+to; i++ {
			p := &l.panels[i]
			b.a = unsafe.Add(band, p.from)
			p.multiply(b, s.offsets[:n*s.outW], out[y*s.outW*l.outC:], l.outC)
		}
	}
}
