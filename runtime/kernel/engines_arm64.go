package kernel

import (
	"encoding/binary"
	"math"

	"golang.org/x/sys/cpu"
)

//go:generate go run ./internal/asmgen .

// engines lists what this build has beside plain Go, best last.
func engines() []*engine { return []*engine{&neon, &dotprod} }

// neon is for every 64-bit ARM processor.
var neon = engine{
	name:     "neon",
	detected: func() bool { return cpu.ARM64.HasASIMD },
	depth:    4,
	narrow:   true,
	shuffle:  &[16]byte{0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15},
	gemm: []panelKernels{
		{columns: 16, tiles: []tile{{4, gemmNEON4x16}, {2, gemmNEON2x16}, {1, gemmNEON1x16}}},
		{columns: 8, tiles: []tile{{4, gemmNEON4x8}, {2, gemmNEON2x8}, {1, gemmNEON1x8}}},
	},
	single: []panelKernels{
		{columns: 32, repeated: true, tiles: []tile{{1, gemmNEON1x32}}}, {columns: 16, repeated: true, tiles: []tile{{1, gemmNEON1x16}}}, {columns: 8, repeated: true, tiles: []tile{{1, gemmNEON1x8}}},
	},
	lanes:      16,
	tapGroup:   1,
	narrowTaps: true,
	nine:       []tile{{2, depthwiseNEON9x2}, {1, depthwiseNEON9x1}},
	depthwise:  []tile{{2, depthwiseNEON2}, {1, depthwiseNEON1}},
	pace:       1 << 17,
	params:     arm64Params,
	add:        addNEON,
	lines:      linesNEON,
	extreme:    extremeNEON,
	lookup:     lookupNEON,
	quantize:   quantizeNEON,
	peak: func(n int) int64 {
		peakNEON(n)
		return int64(n) * 16 * 16 // sums, products of each
	},
}

// dotprod is for those with a dot product: from Cortex-A55 and A75 on.
var dotprod = engine{
	name:     "dotprod",
	detected: func() bool { return cpu.ARM64.HasASIMD && cpu.ARM64.HasASIMDDP },
	depth:    4,
	gemm: []panelKernels{
		{columns: 16, tiles: []tile{{4, gemmDot4x16}, {2, gemmDot2x16}, {1, gemmDot1x16}}},
		{columns: 8, tiles: []tile{{4, gemmDot4x8}, {2, gemmDot2x8}, {1, gemmDot1x8}}},
	},
	single: []panelKernels{
		{columns: 32, repeated: true, tiles: []tile{{1, gemmDot1x32}}}, {columns: 16, repeated: true, tiles: []tile{{1, gemmDot1x16}}}, {columns: 8, repeated: true, tiles: []tile{{1, gemmDot1x8}}},
	},
	lanes:      16,
	tapGroup:   1,
	narrowTaps: true,
	nine:       []tile{{1, depthwiseDot3x3}},
	depthwise:  []tile{{2, depthwiseNEON2}, {1, depthwiseNEON1}},
	pace:       1 << 17,
	params:     arm64Params,
	add:        addNEON,
	lines:      linesNEON,
	extreme:    extremeNEON,
	lookup:     lookupNEON,
	quantize:   quantizeNEON,
	peak: func(n int) int64 {
		peakDot(n)
		return int64(n) * 16 * 16 // sums, products of each
	},
}

// arm64Params lays out the epilogue as vectors of biases, multipliers and left
// shifts, which are negative, and a word that is not zero where a shift is, or
// where a result may not fit in 16 bits before it is limited to eight.
func arm64Params(p []channel, _ int32) []byte {
	out := make([]byte, 0, 12*len(p)+4)
	careful := uint32(0)
	for _, c := range p {
		out = binary.LittleEndian.AppendUint32(out, uint32(c.bias))
	}
	for _, c := range p {
		out = binary.LittleEndian.AppendUint32(out, uint32(c.m))
	}
	for _, c := range p {
		out = binary.LittleEndian.AppendUint32(out, uint32(-c.shift))
		if c.shift == 0 || int64(c.most)*int64(c.m)>>uint32(31+c.shift) >= math.MaxInt16 {
			careful = 1
		}
	}
	return binary.LittleEndian.AppendUint32(out, careful)
}

//go:noescape
func gemmNEON4x16(b *block)

//go:noescape
func gemmNEON2x16(b *block)

//go:noescape
func gemmNEON1x16(b *block)

//go:noescape
func gemmNEON4x8(b *block)

//go:noescape
func gemmNEON2x8(b *block)

//go:noescape
func gemmNEON1x8(b *block)

//go:noescape
func gemmNEON1x32(b *block)

//go:noescape
func gemmDot4x16(b *block)

//go:noescape
func gemmDot2x16(b *block)

//go:noescape
func gemmDot1x16(b *block)

//go:noescape
func gemmDot4x8(b *block)

//go:noescape
func gemmDot2x8(b *block)

//go:noescape
func gemmDot1x8(b *block)

//go:noescape
func gemmDot1x32(b *block)

//go:noescape
func depthwiseNEON9x2(b *block)

//go:noescape
func depthwiseNEON9x1(b *block)

//go:noescape
func depthwiseNEON2(b *block)

//go:noescape
func depthwiseNEON1(b *block)

//go:noescape
func addNEON(l *linearAdd, v, w, out *int8, n int)

//go:noescape
func linesNEON(c *lines)

//go:noescape
func depthwiseDot3x3(b *block)

//go:noescape
func peakNEON(n int)

//go:noescape
func peakDot(n int)
