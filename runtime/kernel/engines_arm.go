package kernel

import (
	"encoding/binary"

	"golang.org/x/sys/cpu"
)

//go:generate go run ./internal/asmgen .

// engines lists what this build has beside plain Go, best last.
func engines() []*engine { return []*engine{&neon} }

// neon is for 32-bit ARM processors with vectors, such as Cortex-A7. Those
// without, such as ARM1176, run plain Go in the same program.
var neon = engine{
	name:     "neon",
	detected: func() bool { return cpu.ARM.HasNEON },
	depth:    4,
	narrow:   true,
	place:    placeNEON,
	gemm: []panelKernels{
		{columns: 8, tiles: []tile{{3, gemmNEON3x8}, {2, gemmNEON2x8}, {1, gemmNEON1x8}}},
		{columns: 4, tiles: []tile{{4, gemmNEON4x4}, {1, gemmNEON1x4}}},
	},
	single: []panelKernels{
		{columns: 16, tiles: []tile{{1, gemmNEON1x16}}},
		{columns: 8, tiles: []tile{{1, gemmNEON1x8}}},
		{columns: 4, tiles: []tile{{1, gemmNEON1x4}}},
	},
	lanes:      8,
	tapGroup:   1,
	narrowTaps: true,
	nine:       []tile{{2, depthwiseNEON9x2}, {1, depthwiseNEON9x1}},
	depthwise:  []tile{{4, depthwiseNEON4}, {1, depthwiseNEON1}},
	params:     shiftedParams,
	lines:      linesNEON,
	add:        addNEON,
}

// placeNEON orders weights as a matrix product reads them. It takes 16 bytes of a
// run at once as long as there are so many, then 8, then 4: pairs of them that
// lie side by side in a vector, four pairs in either half. Column j meets pair j
// of each half, then the vector is rotated by a pair, and so on; of eight bytes
// the second half is the first one rotated, so that two rotations take place in
// one turn.
func placeNEON(run []byte, columns, column int, weights []int8) {
	j, at, between := column%4, column/4*16+column%4*2, columns*4
	for length := len(run) / columns; len(weights) > 0; {
		size := 16
		for size > length {
			size /= 2
		}
		n := min(size, len(weights))
		for rotated := range size / 2 {
			turn, half := rotated&3, rotated>>2
			if size < 16 {
				turn, half = rotated>>1, rotated&1
			}
			to := (*[2]byte)(run[at+turn*between+half*8:])
			if i := 2 * ((rotated + j) & (size/2 - 1)); i+1 < n {
				to[0], to[1] = byte(weights[i]), byte(weights[i+1])
			} else if i < n {
				to[0] = byte(weights[i])
			}
		}
		weights, run, length = weights[n:], run[size*columns:], length-size
	}
}

// shiftedParams lays out the epilogue as vectors of biases, multipliers and left
// shifts, which are negative, and a word that is not zero where a shift is zero.
func shiftedParams(p []channel, _ int32) []byte {
	out := make([]byte, 0, 12*len(p)+4)
	whole := uint32(0)
	for _, c := range p {
		out = binary.LittleEndian.AppendUint32(out, uint32(c.bias))
	}
	for _, c := range p {
		out = binary.LittleEndian.AppendUint32(out, uint32(c.m))
	}
	for _, c := range p {
		out = binary.LittleEndian.AppendUint32(out, uint32(-c.shift))
		if c.shift == 0 {
			whole = 1
		}
	}
	return binary.LittleEndian.AppendUint32(out, whole)
}

//go:noescape
func gemmNEON1x16(b *block)

//go:noescape
func gemmNEON3x8(b *block)

//go:noescape
func gemmNEON2x8(b *block)

//go:noescape
func gemmNEON1x8(b *block)

//go:noescape
func gemmNEON4x4(b *block)

//go:noescape
func gemmNEON1x4(b *block)

//go:noescape
func depthwiseNEON9x2(b *block)

//go:noescape
func depthwiseNEON9x1(b *block)

//go:noescape
func depthwiseNEON4(b *block)

//go:noescape
func depthwiseNEON1(b *block)

//go:noescape
func addNEON(l *linearAdd, v, w, out *int8, n int)

//go:noescape
func linesNEON(c *lines)
