package kernel

import (
	"fmt"
	"math"
	"slices"
)

// engine is what an instruction set brings to the layers that multiply and
// accumulate: micro-kernels, and how they want their operands laid out.
type engine struct {
	name string
	// detected reports whether the processor has what the micro-kernels use.
	detected func() bool
	// test makes sure before the first use of a set that was asked for by name
	// against detection; nil where detection is certain.
	test func() error
	// depth is how many consecutive bytes of a row meet one column's weights in
	// one step. Runs of activations and of weights are padded to a multiple.
	depth int
	// flip is added to the activations of matrix products: 0x80 where the
	// instruction takes them as unsigned. The bias takes it out again.
	flip byte
	// shuffle is the order in which each 16 bytes of packed weights for matrix
	// products are read; nil for that of their addresses.
	shuffle *[16]byte
	// place puts a run's weights of one column among those of so many columns; nil
	// for an order by depth, as block.b describes it.
	place func(run []byte, columns, column int, weights []int8)
	// narrow is set where a weight of -128 is not exact in matrix products.
	narrow bool
	// partial is set where columns that are not in use cost nothing.
	partial bool
	// wide kernels take activations as 16-bit numbers, to which the copy of every
	// band extends them; lines must be set. Those of single and of bytewise take
	// bytes all the same.
	wide bool
	// gemm lists the micro-kernels by the width of their panel, widest first.
	gemm []panelKernels
	// double is for layers of few columns, nil for none.
	double *panelKernels
	// single lists kernels of one row that read the image itself, and add flip or
	// extend the activations, for layers that have hardly more rows; or none.
	single []panelKernels
	// direct lists those of gemm for layers whose bands need not be copied but for
	// flip, which they add; or none.
	direct []panelKernels
	// lanes is the number of channels that depthwise takes at a time, or 0.
	// Its taps come in groups of tapGroup, whose weights lie side by side for each
	// channel; those that fill up the last group are zero. tapFlip is for its
	// activations what flip is for those of matrix products.
	lanes     int
	tapGroup  int
	tapFlip   byte
	depthwise []tile
	nine      []tile // for windows of 3x3 pixels, or empty
	// repeatedTaps is panelKernels.repeated for depthwise.
	repeatedTaps bool
	// narrowTaps is narrow for depthwise.
	narrowTaps bool
	bytewise   []tile                                // depthwise of a wide engine
	arrange    func(taps []byte, columns int) []byte // what it is in panelKernels
	quads      *quadKernels                          // in place of depthwise, or nil
	// spare is how much memory the copy of a band may take where it could do with
	// less.
	spare int
	// params lays out the epilogue of one panel.
	params func(p []channel, zero int32) []byte
	// linear is params in the form of linearParams, and nil where it is not exact;
	// or nil for kernels that do not know it. It is for matrix products.
	linear func(p []channel, o *Output) []byte
	// flipped copies bytes and adds 0x80; nil where flip is 0.
	flipped func(dst, src []int8)
	// pace is about how many multiply-accumulate operations a layer must have to
	// gain by a second thread: those of ten microseconds or so.
	pace int64
	// lines copies rows with padding and adds flip, or extends them; nil to do it
	// by flipped.
	lines func(*lines)
	// add and addPaired compute n sums; an engine needs at most one of them.
	add       func(l *linearAdd, v, w, out *int8, n int)
	addPaired func(p *pairedAdd, x, y, out *int8, n int)
	// extreme, lookup, quantize and bilinear do what the set's methods do, nil for
	// none: of rows a multiple of 16 bytes, of bytes a multiple of 64, of numbers a
	// multiple of 16, of every pixel's channels a multiple of 8.
	extreme  func(out, x, y *byte, length, count, outPitch, xPitch, yPitch, order int)
	lookup   func(table *[256]byte, out, in *byte, n int)
	quantize func(q *Quantizer, out *byte, in *float32, n int)
	bilinear func(out, top, bottom *int8, columns *Column, count, depth, whole, weight int)
	// peak is the loop of Set.Peak; nil for none.
	peak func(n int) (macs int64)
}

// plainFactor makes with a shift of 1 a factor of a quarter, and a thousandth of
// that more, which is not felt by 4·v for |v| < 256: so sums of that kind do not
// lie on the edge between two results, where linearParams is not exact.
const plainFactor = 1<<30 + 1<<20

// requantization is what the epilogue needs of n channels, and those of them for
// which it would not be exact for every accumulator that they can reach: it takes
// factors from 2^-23 to 1 and accumulators within ±2^30. Where they are too many
// it is nil. magnitude is Σ|w| of channel i, and folded its bias with everything
// that zero points add.
func (e *engine) requantization(magnitude func(i int) int64, bias, folded []int32, o *Output) ([]channel, []int) {
	cs := make([]channel, len(o.Multipliers))
	var others []int
	bounded := o.Min >= o.Zero
	for i, m := range o.Multipliers {
		sum, b := magnitude(i), int32(0)
		if bias != nil {
			b = bias[i]
		}
		if sum == 0 {
			// The result is always the same, and 4·v times a quarter is v whatever the
			// factor was.
			cs[i] = channel{bias: 4 * (int32(o.requantize(b, i)) - o.Zero), m: plainFactor, shift: 1, most: 1 << 10, bounded: bounded}
			continue
		}
		most := 255*sum + max(int64(b), -int64(b))
		if m.Shift > 0 || m.Shift < -22 || m.M < 1<<30 || most >= 1<<30 {
			cs[i] = channel{m: plainFactor, shift: 1}
			if others = append(others, i); len(others) > len(cs)/exceptional {
				return nil, nil
			}
			continue
		}
		cs[i] = channel{folded[i], m.M, -m.Shift, int32(most), bounded}
	}
	return cs, others
}

// magnitude is Σ|w|, or for a weight of -128 where that is not exact something
// that no layer is prepared for.
func (e *engine) magnitude(weights []int8) int64 {
	sum, least := int64(0), int32(0)
	for chunk := range slices.Chunk(weights, 1<<20) {
		part := int32(0)
		for _, w := range chunk {
			w := int32(w)
			part += max(w, -w)
			least = min(least, w)
		}
		sum += int64(part)
	}
	if e.narrow && least == math.MinInt8 {
		return math.MaxInt32
	}
	return sum
}

// widest chooses the micro-kernels for the next of n columns: the widest panel
// that they fill, or the narrowest that holds them all. Where columns that are
// not in use cost nothing it need not be filled.
func (e *engine) widest(all []panelKernels, n int) *panelKernels {
	best := &all[0]
	for i := range all[1:] {
		next := &all[i+1]
		if best.columns > n && (next.columns >= n || !e.partial) {
			best = next
		}
	}
	return best
}

// padded is the number of columns of the panels for n.
func (e *engine) padded(all []panelKernels, n int) int {
	columns := 0
	for columns < n {
		columns += e.widest(all, n-columns).columns
	}
	return columns
}

// check is the error of choosing the engine by name.
func (e *engine) check() error {
	if e.detected() {
		return nil
	}
	if e.test != nil {
		return e.test()
	}
	return fmt.Errorf("kernel set %q: this processor cannot run it", e.name)
}

// bytes is a wide engine for activations that are not extended.
func (e *engine) bytes() *engine {
	n := *e
	n.wide = false
	return &n
}
