package kernel

import (
	"encoding/binary"

	"golang.org/x/sys/cpu"
)

// avx2 is for processors with AVX2, which has no instruction that multiplies
// bytes exactly: activations and weights become 16-bit numbers.
var avx2 = engine{
	name:     "avx2",
	detected: func() bool { return cpu.X86.HasAVX2 },
	depth:    2,
	wide:     true,
	pace:     1 << 20,
	gemm: []panelKernels{
		{columns: 16, tiles: []tile{{4, gemmAVX2x4x16}, {2, gemmAVX2x2x16}, {1, gemmAVX2x1x16}}, arrange: widened},
		{columns: 8, tiles: []tile{{8, gemmAVX2x8x8}, {2, gemmAVX2x2x8}, {1, gemmAVX2x1x8}}, arrange: widened},
	},
	single: []panelKernels{
		{columns: 64, tiles: []tile{{1, gemmAVX2single64}}, arrange: reordered},
		{columns: 32, tiles: []tile{{1, gemmAVX2single32}}, arrange: reordered},
		{columns: 16, tiles: []tile{{1, gemmAVX2single16}}, arrange: reordered},
		{columns: 8, tiles: []tile{{1, gemmAVX2single8}}, arrange: reordered},
	},
	lanes:        16,
	tapGroup:     2,
	depthwise:    []tile{{4, depthwiseAVX2x4}, {2, depthwiseAVX2x2}, {1, depthwiseAVX2x1}},
	bytewise:     []tile{{4, depthwiseAVX2bytes4}, {2, depthwiseAVX2bytes2}, {1, depthwiseAVX2bytes1}},
	arrange:      widened,
	repeatedTaps: true,
	params:       avx2Params,
	lines:        linesAVX2,
	addPaired:    addAVX2,
	extreme:      extremeAVX2,
	lookup:       lookupAVX2,
	quantize:     quantizeAVX2,
	bilinear:     bilinearAVX2,
	peak: func(n int) int64 {
		peakAVX2(n)
		return int64(n) * 8 * 16 // instructions, products of each
	},
}

// avx2Column is which of n columns is the i-th in the order of vectors: what is
// packed within their halves must come out in order.
func avx2Column(i, n int) int {
	if n%16 != 0 {
		return i
	}
	return i&^15 | [16]int{0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15}[i&15]
}

// reordered brings weights, two of every column side by side, into the order of
// vectors.
func reordered(packed []byte, columns int) []byte {
	out := make([]byte, 0, len(packed))
	for ; len(packed) > 0; packed = packed[2*columns:] {
		for i := range columns {
			c := 2 * avx2Column(i, columns)
			out = append(out, packed[c], packed[c+1])
		}
	}
	return out
}

// widened is reordered, with 16 bits for each weight.
func widened(packed []byte, columns int) []byte {
	out := make([]byte, 0, 2*len(packed))
	for _, w := range reordered(packed, columns) {
		out = binary.LittleEndian.AppendUint16(out, uint16(int8(w)))
	}
	return out
}

// avx2Params lays out the epilogue by 8 columns: biases with 2^30 more, twice the
// multipliers, those of the odd columns moved to the even ones, the 64-bit
// constants of the even and of the odd columns, right shifts, and the shifts that
// leave the sign of a sum with 2^30 more, or nothing where it does not count. The
// results to shift have the middle ones of every four exchanged.
func avx2Params(p []channel, zero int32) []byte {
	out := make([]byte, 0, 28*len(p))
	for first := 0; first < len(p); first += 8 {
		var bias, m, odd, shift, sign [8]int32
		var constants [2][4]int64
		for i := range 8 {
			c, next := p[avx2Column(first+i, len(p))], p[avx2Column(first+i|1, len(p))]
			bias[i], m[i], odd[i], sign[i] = c.bias+1<<30, c.m<<1, next.m<<1, 31
			constants[i%2][i/2] = epilogueConstant(c, zero)
			shift[i&^3|[4]int{0, 2, 1, 3}[i%4]] = c.shift
			if c.shift > 0 {
				sign[i] = 30
				if c.bounded {
					constants[i%2][i/2] += 1 << 32
				}
			}
		}
		out, _ = binary.Append(out, binary.LittleEndian, bias)
		out, _ = binary.Append(out, binary.LittleEndian, m)
		out, _ = binary.Append(out, binary.LittleEndian, odd)
		out, _ = binary.Append(out, binary.LittleEndian, constants)
		out, _ = binary.Append(out, binary.LittleEndian, shift)
		out, _ = binary.Append(out, binary.LittleEndian, sign)
	}
	return out
}

//go:noescape
func gemmAVX2x4x16(b *block)

//go:noescape
func gemmAVX2x2x16(b *block)

//go:noescape
func gemmAVX2x1x16(b *block)

//go:noescape
func gemmAVX2x8x8(b *block)

//go:noescape
func gemmAVX2x2x8(b *block)

//go:noescape
func gemmAVX2x1x8(b *block)

//go:noescape
func gemmAVX2single64(b *block)

//go:noescape
func gemmAVX2single32(b *block)

//go:noescape
func gemmAVX2single16(b *block)

//go:noescape
func gemmAVX2single8(b *block)

//go:noescape
func depthwiseAVX2x4(b *block)

//go:noescape
func depthwiseAVX2x2(b *block)

//go:noescape
func depthwiseAVX2x1(b *block)

//go:noescape
func depthwiseAVX2bytes4(b *block)

//go:noescape
func depthwiseAVX2bytes2(b *block)

//go:noescape
func depthwiseAVX2bytes1(b *block)

//go:noescape
func addAVX2(p *pairedAdd, x, y, out *int8, n int)

//go:noescape
func linesAVX2(c *lines)

//go:noescape
func peakAVX2(n int)
