package main

import "fmt"

// avx2Depthwise takes 16 channels and rows pixels at a time, and two taps of each;
// then the pixels' next 16 channels.
//
// Registers: the pixels' addresses; SI, DX two taps' reach; CX the weights; R12
// the next reaches; R15 the parameters; DI the argument. On the stack: rows left,
// next offsets, channels left, where the pixels' results go, and those of the
// channels.
func avx2Depthwise(s *source, rows int, bytes bool) {
	pixels := []string{"R8", "R9", "R10", "R11"}[:rows]
	name, load, doc, size := "depthwiseAVX2x%d", "VMOVDQU", "%d pixels at a time, 16 channels of each.", 2
	if bytes {
		name, load, doc, size = "depthwiseAVX2bytes%d", "VPMOVSXBW", "%d pixels at a time, 16 channels of bytes of each.", 1
	}
	s.function(fmt.Sprintf(name, rows), fmt.Sprintf(doc, rows), 40)
	vnniArguments(s)
	tile, channels, taps, next := s.label("tile"), s.label("channels"), s.label("taps"), s.label("next")
	s.at(tile)
	s.op("MOVQ out-32(SP), AX")
	s.op("MOVQ AX, results-40(SP)")
	s.op("MOVQ block_columns(DI), AX")
	s.op("MOVQ AX, columns-24(SP)")
	s.op("MOVQ next-16(SP), CX")
	s.op("MOVQ block_a(DI), DX")
	for r := range rows {
		s.op("MOVLQSX %d(CX), %s", 4*r, pixels[r])
		s.op("ADDQ DX, %s", pixels[r])
	}
	s.op("ADDQ $%d, CX", 4*rows)
	s.op("MOVQ CX, next-16(SP)")
	s.op("MOVQ block_b(DI), CX")
	s.op("MOVQ block_params(DI), R15")
	s.at(channels)
	for r := range rows {
		for i := range 2 {
			s.op("VMOVDQU %d(R15), Y%d", avx2Block*i, 2*r+i)
		}
	}
	s.op("MOVQ block_runs(DI), BX")
	s.op("MOVQ block_reach(DI), R12")
	s.at(taps)
	s.op("MOVLQSX (R12), SI")
	s.op("MOVLQSX 4(R12), DX")
	s.op("VMOVDQU (CX), Y8")
	s.op("VMOVDQU 32(CX), Y9")
	for r, p := range pixels {
		s.op("%s (%s)(SI*1), Y10", load, p)
		s.op("%s (%s)(DX*1), Y11", load, p)
		s.op("VPUNPCKLWD Y11, Y10, Y12")
		s.op("VPUNPCKHWD Y11, Y10, Y13")
		s.op("VPMADDWD Y8, Y12, Y12")
		s.op("VPMADDWD Y9, Y13, Y13")
		s.op("VPADDD Y12, Y%d, Y%d", 2*r, 2*r)
		s.op("VPADDD Y13, Y%d, Y%d", 2*r+1, 2*r+1)
	}
	s.op("ADDQ $8, R12")
	s.op("ADDQ $64, CX")
	s.op("SUBQ $2, BX")
	s.op("JNZ %s", taps)
	s.op("MOVQ results-40(SP), SI")
	s.op("MOVQ block_stride(DI), DX")
	avx2ScaleAll(s, "R15", rows, 2)
	s.op("MOVQ columns-24(SP), R13")
	avx2Store16(s, rows, true)
	s.op("SUBQ $16, columns-24(SP)")
	s.op("JLE %s", next)
	for _, p := range pixels {
		s.op("ADDQ $%d, %s", 16*size, p)
	}
	s.op("ADDQ $%d, R15", 2*avx2Block)
	s.op("ADDQ $16, results-40(SP)")
	s.op("JMP %s", channels)
	s.at(next)
	s.op("MOVQ out-32(SP), SI")
	s.op("LEAQ (SI)(DX*%d), SI", rows)
	avx2Next(s, rows, tile)
}
