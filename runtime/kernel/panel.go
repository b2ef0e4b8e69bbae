package kernel

import (
	"slices"
	"unsafe"
)

// panelKernels are the micro-kernels for panels of one width.
type panelKernels struct {
	columns int
	tiles   []tile // by falling rows; the last takes one row
	// arrange turns packed weights into what the kernels read; nil where it is that.
	arrange func(packed []byte, columns int) []byte
	// doubled kernels take two steps at a time, and hold two columns of a row beside
	// two of the next. Their epilogue is laid out so; results of neighboring rows must
	// be adjacent, which is so in layers of just as many columns. The last tile takes
	// two rows.
	doubled bool
	// repeated kernels take any number of panels that lie one behind the other, as
	// one of as many times the columns.
	repeated bool
}

// tile is a micro-kernel: it multiplies rows of activations, a multiple of its
// own number, with one panel of weights, and writes the requantized results.
type tile struct {
	rows int
	run  func(*block)
}

// block is the argument of a micro-kernel. The assembly reads it by its fields'
// names.
//
// A row of the matrix product is the window under one output pixel: runs pieces
// of length consecutive bytes each. For a depthwise convolution it is runs taps
// of as many channels as the engine has lanes.
type block struct {
	a       unsafe.Pointer // what offsets count from
	offsets *int32         // of every row, in bytes
	rows    int
	reach   *int32 // offset of every run from the row's, in bytes
	runs    int
	length  int            // bytes of a run, a multiple of the engine's depth
	b       unsafe.Pointer // the panel's weights: [run][length/depth][column][depth], depthwise [run][lane]
	params  unsafe.Pointer // the panel's epilogue, as the engine lays it out
	out     unsafe.Pointer // first row, the panel's first channel
	stride  int            // bytes from one output row to the next
	columns int            // channels of the panel that are in use
	width   int            // those that it has weights for
	linear  int            // 1 where params have the form of linearParams
	zero    int32          // of the output
	min     int32
	max     int32

	// Of quads: rows is how many pixels a row of results has, and columns may be more
	// than there are lanes. Bytes from one pixel's quads to the next's, from its
	// results to the next's, from the weights of 16 channels to the next ones', from a
	// tap's to the next one's.
	step, outStep, panel, tapStep int
}

// channel is the requantization of one output channel: what is added to the
// accumulator, the factor m·2^(−31−shift), and the most that the sum can be,
// whatever its sign.
type channel struct {
	bias, m, shift, most int32
	bounded              bool // the output's lower bound is not below its zero point
}

// panel is a group of neighboring output channels with what the micro-kernels
// need of them.
type panel struct {
	*panelKernels
	first, used int // channels
	from        int // byte of a pixel that its windows begin at
	weights     []byte
	params      []byte
	linear      int // what it is in block
}

// mostRepeated is up to how many bytes of weights panels are joined: that is long
// enough that calls do not count, and leaves parts for several threads.
const mostRepeated = 128 << 10

// join appends p to panels, or to the last of them where kernels can take both as
// one; first is set where p must not follow what is there. The channels of p and
// behind it are left.
func join(panels []panel, p panel, first bool, left int) []panel {
	if !p.repeated {
		return append(panels, p)
	}
	if !first {
		last := &panels[len(panels)-1]
		if p.panelKernels == last.panelKernels && p.linear == last.linear && len(last.weights)+len(p.weights) <= mostRepeated {
			last.used += p.used
			last.weights, last.params = append(last.weights, p.weights...), append(last.params, p.params...)
			return panels
		}
	}
	more := max(min((left+p.columns-1)/p.columns, mostRepeated/len(p.weights))-1, 0)
	p.weights, p.params = slices.Grow(p.weights, more*len(p.weights)), slices.Grow(p.params, more*len(p.params))
	return append(panels, p)
}

// plainParams lays out an epilogue as three vectors: biases, multipliers, right
// shifts.
func plainParams(p []channel, _ int32) []byte {
	out := make([]byte, 0, 12*len(p))
	for field := range 3 {
		for _, c := range p {
			v := [3]int32{c.bias, c.m, c.shift}[field]
			out = append(out, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
		}
	}
	return out
}

// filled adds to the channels in use those that fill up the panel. They are not
// stored, but the epilogue must be able to apply them.
func (p *panel) filled(used []channel) []channel {
	cs := append(make([]channel, 0, p.columns), used...)
	for len(cs) < p.columns {
		cs = append(cs, unused)
	}
	return cs
}

// unused is a channel that only fills up a panel.
var unused = channel{m: plainFactor, shift: 1}

// begin sets what of b is the same for all of the panel's rows, which lie stride
// bytes apart in the output.
func (p *panel) begin(b *block, stride int) {
	b.b, b.params = unsafe.Pointer(unsafe.SliceData(p.weights)), unsafe.Pointer(unsafe.SliceData(p.params))
	b.stride, b.columns, b.width, b.linear = stride, p.used, p.columns, p.linear
}

// multiply computes the panel's channels of the rows that offsets lists: as many
// of them as fit with each size of tile. out begins at the first row.
func (p *panel) multiply(b *block, offsets []int32, out []int8, stride int) {
	p.begin(b, stride)
	done := 0
	for _, t := range p.tiles {
		n := len(offsets) - done
		if n < t.rows {
			continue
		}
		n -= int(uint32(n) % uint32(t.rows)) // a shorter division
		b.rows, b.offsets = n, &offsets[done]
		b.out = unsafe.Pointer(&out[done*stride+p.first])
		t.run(b)
		done += n
	}
}

// arranged is packed weights as the panel's kernels read them.
func (p *panelKernels) arranged(packed []byte) []byte {
	if p.arrange == nil {
		return packed
	}
	return p.arrange(packed, p.columns)
}
