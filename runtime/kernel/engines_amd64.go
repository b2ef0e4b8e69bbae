package kernel

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/cpu"
)

//go:generate go run ./internal/asmgen .

// engines lists what this build has beside plain Go, best last.
func engines() []*engine { return []*engine{&avx2, &vnni} }

// vnni is for processors with AVX-512 and its vector neural network
// instructions.
var vnni = engine{
	name: "avx512vnni",
	detected: func() bool {
		x := &cpu.X86
		return x.HasAVX512F && x.HasAVX512BW && x.HasAVX512VL && x.HasAVX512DQ && x.HasAVX512VNNI && x.HasBMI2
	},
	depth: 4,
	flip:  0x80,
	gemm: []panelKernels{
		{columns: 64, tiles: []tile{{4, gemmVNNI4x64}, {2, gemmVNNI2x64}, {1, gemmVNNI1x64}}},
		{columns: 32, tiles: []tile{{8, gemmVNNI8x32}, {4, gemmVNNI4x32}, {2, gemmVNNI2x32}, {1, gemmVNNI1x32}}},
		{columns: 16, tiles: []tile{{8, gemmVNNI8x16}, {4, gemmVNNI4x16}, {2, gemmVNNI2x16}, {1, gemmVNNI1x16}}},
	},
	direct: []panelKernels{
		{columns: 64, tiles: []tile{{4, gemmFlipVNNI4x64}, {2, gemmFlipVNNI2x64}, {1, gemmFlipVNNI1x64}}},
		{columns: 32, tiles: []tile{{8, gemmFlipVNNI8x32}, {4, gemmFlipVNNI4x32}, {2, gemmFlipVNNI2x32}, {1, gemmFlipVNNI1x32}}},
		{columns: 16, tiles: []tile{{8, gemmFlipVNNI8x16}, {4, gemmFlipVNNI4x16}, {2, gemmFlipVNNI2x16}, {1, gemmFlipVNNI1x16}}},
	},
	double: &panelKernels{columns: 8, tiles: []tile{{8, gemmVNNI8x8}, {2, gemmVNNI2x8}}, doubled: true, arrange: pairedSteps},
	single: []panelKernels{
		{columns: 64, repeated: true, tiles: []tile{{1, gemmFlipVNNI1x64}}},
		{columns: 32, repeated: true, tiles: []tile{{1, gemmFlipVNNI1x32}}},
		{columns: 16, repeated: true, tiles: []tile{{1, gemmFlipVNNI1x16}}},
	},
	tapFlip: 0x80,
	quads: &quadKernels{
		weave: weaveVNNI,
		run:   [2]func(*block){depthwiseVNNI1, depthwiseVNNI2},
		three: [2]func(*block){depthwiseThreeVNNI1, depthwiseThreeVNNI2},
	},
	pace:      1 << 17,
	params:    vnniParams,
	linear:    linearParams,
	lines:     linesVNNI,
	addPaired: addVNNI,
	extreme:   extremeAVX2,
	lookup:    lookupVNNI,
	quantize:  quantizeAVX2,
	bilinear:  bilinearAVX2,
	flipped:   func(dst, src []int8) { flipVNNI(unsafe.SliceData(dst), unsafe.SliceData(src), len(src)) },
	peak: func(n int) int64 {
		peakVNNI(n)
		return int64(n) * 16 * 64 // instructions, products of each
	},
}

// vnniParams lays out the epilogue by 16 columns: biases and 2^30, which makes
// every sum positive, twice the multipliers, those of the odd columns moved to the
// even ones, the 64-bit constants of the even and of the odd columns, right shifts.
func vnniParams(p []channel, zero int32) []byte {
	out := make([]byte, 0, 24*len(p))
	for ; len(p) > 0; p = p[16:] {
		for i := range 16 {
			out = binary.LittleEndian.AppendUint32(out, uint32(p[i].bias)+1<<30)
		}
		for i := range 16 {
			out = binary.LittleEndian.AppendUint32(out, 2*uint32(p[i].m))
		}
		for i := range 16 {
			out = binary.LittleEndian.AppendUint32(out, 2*uint32(p[i|1].m))
		}
		for odd := range 2 {
			for i := odd; i < 16; i += 2 {
				out = binary.LittleEndian.AppendUint64(out, uint64(epilogueConstant(p[i], zero)))
			}
		}
		for i := range 16 {
			out = binary.LittleEndian.AppendUint32(out, uint32(p[i].shift))
		}
	}
	return out
}

// epilogueConstant is what is added to twice the product of a sum with 2^30 more
// and its multiplier: the halves of both roundings, the output's zero point, and
// what takes off the 2^30 again, and for shifts the one that is right only for
// sums that are not negative.
func epilogueConstant(c channel, zero int32) int64 {
	v := int64(zero) << uint(c.shift)
	if c.shift > 0 {
		v += 1<<uint(c.shift-1) - 1
	}
	return 1<<31 + v<<32 - int64(c.m)<<31
}

// pairedSteps brings the weights of every two steps together column by column.
func pairedSteps(packed []byte, columns int) []byte {
	out := make([]byte, 0, len(packed))
	for step := 0; step < len(packed); step += 8 * columns {
		for column := range columns {
			first := packed[step+4*column:]
			out = append(append(out, first[:4]...), first[4*columns:][:4]...)
		}
	}
	return out
}

//go:noescape
func flipVNNI(dst, src *int8, n int)

//go:noescape
func gemmVNNI4x64(b *block)

//go:noescape
func gemmVNNI2x64(b *block)

//go:noescape
func gemmVNNI1x64(b *block)

//go:noescape
func gemmVNNI8x32(b *block)

//go:noescape
func gemmVNNI4x32(b *block)

//go:noescape
func gemmVNNI2x32(b *block)

//go:noescape
func gemmVNNI1x32(b *block)

//go:noescape
func gemmVNNI8x16(b *block)

//go:noescape
func gemmVNNI4x16(b *block)

//go:noescape
func gemmVNNI2x16(b *block)

//go:noescape
func gemmVNNI1x16(b *block)

//go:noescape
func depthwiseVNNI2(b *block)

//go:noescape
func depthwiseVNNI1(b *block)

//go:noescape
func addVNNI(p *pairedAdd, x, y, out *int8, n int)

//go:noescape
func gemmFlipVNNI4x64(b *block)

//go:noescape
func gemmFlipVNNI2x64(b *block)

//go:noescape
func gemmFlipVNNI8x32(b *block)

//go:noescape
func gemmFlipVNNI4x32(b *block)

//go:noescape
func gemmFlipVNNI2x32(b *block)

//go:noescape
func gemmFlipVNNI8x16(b *block)

//go:noescape
func gemmFlipVNNI4x16(b *block)

//go:noescape
func gemmFlipVNNI2x16(b *block)

//go:noescape
func gemmFlipVNNI1x64(b *block)

//go:noescape
func gemmFlipVNNI1x32(b *block)

//go:noescape
func gemmFlipVNNI1x16(b *block)

//go:noescape
func depthwiseThreeVNNI1(b *block)

//go:noescape
func depthwiseThreeVNNI2(b *block)

//go:noescape
func weaveVNNI(w *weave)

//go:noescape
func peakVNNI(n int)

//go:noescape
func linesVNNI(c *lines)

//go:noescape
func gemmVNNI8x8(b *block)

//go:noescape
func gemmVNNI2x8(b *block)
