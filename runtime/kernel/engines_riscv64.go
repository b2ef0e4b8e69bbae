package kernel

import (
	"encoding/binary"

	"golang.org/x/sys/cpu"
)

//go:generate go run ./internal/asmgen .

// engines lists what this build has beside plain Go, best last.
func engines() []*engine { return []*engine{newRVV()} }

// newRVV is for processors with the vector extension, version 1.0, and vectors
// of at least 128 bits. It is laid out for their length when it is chosen.
func newRVV() *engine {
	e := &engine{
		name:     "rvv",
		depth:    1,
		tapGroup: 1,
		partial:  true,
		pace:     1 << 16,
		params:   rvvParams,
		lines:    linesRVV,
		add:      addRVV,
		extreme:  extremeRVV,
		lookup:   lookupRVV,
	}
	e.detected = func() bool { return cpu.RISCV64.HasV && hardwareVector() && e.fit() == nil }
	e.test = e.fit
	return e
}

// rvvNarrowest is the width of the narrowest panel.
const rvvNarrowest = 8

// fit lays out panels for the length of this processor's vectors, or says why it
// has none to use.
func (e *engine) fit() error {
	lanes, err := vectorLanes()
	if err == nil {
		e.layOut(lanes)
	}
	return err
}

// layOut chooses the micro-kernels for vectors of which eight hold that many sums:
// those of few registers for few columns, with more rows in turn.
func (e *engine) layOut(lanes int) {
	groups := [][]tile{
		{{3, gemmRVV3x8}, {2, gemmRVV2x8}, {1, gemmRVV1x8}},
		{{7, gemmRVV7x4}, {3, gemmRVV3x4}, {1, gemmRVV1x4}},
		{{8, gemmRVV8x2}, {3, gemmRVV3x2}, {1, gemmRVV1x2}},
	}
	e.gemm = nil
	for columns := lanes; columns >= rvvNarrowest; columns /= 2 {
		e.gemm = append(e.gemm, panelKernels{columns: columns, tiles: groups[0]})
		if len(groups) > 1 {
			groups = groups[1:]
		}
	}
	e.lanes = lanes
	e.depthwise = []tile{{3, depthwiseRVV3}, {1, depthwiseRVV1}}
	e.peak = func(n int) int64 {
		peakRVV(n)
		return int64(n) * 24 * int64(lanes) // instructions, products of each
	}
}

// rvvParams lays out the epilogue: biases and multipliers in 32 bits, right
// shifts in 16.
func rvvParams(p []channel, zero int32) []byte {
	out := plainParams(p, zero)[:8*len(p)]
	for _, c := range p {
		out = binary.LittleEndian.AppendUint16(out, uint16(c.shift))
	}
	return out
}

//go:noescape
func gemmRVV3x8(b *block)

//go:noescape
func gemmRVV2x8(b *block)

//go:noescape
func gemmRVV1x8(b *block)

//go:noescape
func gemmRVV7x4(b *block)

//go:noescape
func gemmRVV3x4(b *block)

//go:noescape
func gemmRVV1x4(b *block)

//go:noescape
func gemmRVV8x2(b *block)

//go:noescape
func gemmRVV3x2(b *block)

//go:noescape
func gemmRVV1x2(b *block)

//go:noescape
func depthwiseRVV3(b *block)

//go:noescape
func depthwiseRVV1(b *block)

//go:noescape
func addRVV(l *linearAdd, v, w, out *int8, n int)

//go:noescape
func linesRVV(c *lines)

//go:noescape
func peakRVV(n int)
