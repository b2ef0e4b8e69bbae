package main

import "fmt"

// avx2Tiles are the tiles of the amd64 AVX2 set by panel width.
var avx2Tiles = []struct{ columns, rows int }{{16, 4}, {16, 2}, {16, 1}, {8, 8}, {8, 2}, {8, 1}}

// avx2Block is the length of the epilogue's parameters of 8 columns.
const avx2Block = 224

// Activations are 16-bit numbers, two of which VPMADDWD multiplies with two
// weights of a column and adds. Columns lie in vectors of 8, in panels of 16 in
// the order in which packing brings them back to theirs: 0-3 and 8-11, 4-7 and
// 12-15.
func avx2(s *source) {
	s.line("")
	for i, v := range []int{0, 4, 1, 5, 2, 6, 3, 7} {
		s.line("DATA fourAVX2<>+%d(SB)/4, $%d", 4*i, v)
	}
	s.line("GLOBL fourAVX2<>(SB), RODATA|NOPTR, $32")
	for i := range 8 { // see avx2Scale
		s.line("DATA middleAVX2<>+%d(SB)/4, $0x%08x", 4*i, 0x03010200+i%4*0x04040404)
	}
	s.line("GLOBL middleAVX2<>(SB), RODATA|NOPTR, $32")
	for _, t := range avx2Tiles {
		avx2Tile(s, t.columns, t.rows)
	}
	for _, columns := range []int{64, 32, 16, 8} {
		avx2Single(s, columns)
	}
	for _, bytes := range []bool{false, true} {
		for _, rows := range []int{4, 2, 1} {
			avx2Depthwise(s, rows, bytes)
		}
	}
	avx2Add(s)
	avx2Lines(s)
	avx2Peak(s)
}

// avx2Tile multiplies rows with a panel of weights of 16 bits.
//
// Registers: as in vnniTile. Y8 and Y9 hold weights, Y10 a row's pair.
func avx2Tile(s *source, columns, rows int) {
	n := columns / 8
	sum := func(r, i int) int { return r*n + i }
	s.function(fmt.Sprintf("gemmAVX2x%dx%d", rows, columns), fmt.Sprintf("%d rows at a time times %d columns.", rows, columns), 32)
	vnniArguments(s)
	tile, run, step, last, end := s.label("tile"), s.label("run"), s.label("step"), s.label("last"), s.label("end")
	s.at(tile)
	s.op("MOVQ block_params(DI), CX")
	for i := range n {
		for r := range rows {
			s.op("VMOVDQU %d(CX), Y%d", avx2Block*i, sum(r, i))
		}
	}
	vnniRowAddresses(s, rows)
	s.at(run)
	s.op("MOVLQSX (R15), SI")
	s.op("ADDQ $4, R15")
	s.op("MOVQ block_length(DI), DX")
	s.op("LEAQ -4(SI)(DX*2), DX")
	// One step of two inputs.
	multiply := func(half int) {
		for i := range n {
			s.op("VMOVDQU %d(CX), Y%d", half*32*n+32*i, 8+i)
		}
		for r := range rows {
			s.op("VPBROADCASTD %d(%s)(SI*1), Y10", 4*half, vnniRows[r])
			for i := range n {
				s.op("VPMADDWD Y%d, Y10, Y%d", 8+i, 11+i)
			}
			for i := range n {
				s.op("VPADDD Y%d, Y%d, Y%d", 11+i, sum(r, i), sum(r, i))
			}
		}
	}
	s.op("CMPQ SI, DX")
	s.op("JGE %s", last)
	s.at(step)
	multiply(0)
	multiply(1)
	s.op("ADDQ $%d, CX", 64*n)
	s.op("ADDQ $8, SI")
	s.op("CMPQ SI, DX")
	s.op("JLT %s", step)
	s.at(last)
	s.op("JGT %s", end)
	multiply(0)
	s.op("ADDQ $%d, CX", 32*n)
	s.at(end)
	s.op("DECQ runs-24(SP)")
	s.op("JNZ %s", run)
	s.op("MOVQ out-32(SP), SI")
	s.op("MOVQ block_stride(DI), DX")
	s.op("MOVQ block_params(DI), CX")
	avx2ScaleAll(s, "CX", rows, n)
	if n == 2 {
		avx2Store16(s, rows, false)
	} else {
		avx2Store8(s, rows)
	}
	avx2Next(s, rows, tile)
}

// avx2Next goes on with the next rows.
func avx2Next(s *source, rows int, tile string) {
	s.op("MOVQ SI, out-32(SP)")
	s.op("SUBQ $%d, left-8(SP)", rows)
	s.op("JNZ %s", tile)
	s.op("VZEROUPPER")
	s.op("RET")
}

// avx2Single multiplies one row of bytes with a panel of bytes. All are extended
// here: weights are read once, and from farther away than the first-level cache.
func avx2Single(s *source, columns int) {
	n := columns / 8
	s.function(fmt.Sprintf("gemmAVX2single%d", columns), fmt.Sprintf("One row at a time times %d columns of bytes.", columns), 32)
	vnniArguments(s)
	tile, run, step := s.label("tile"), s.label("run"), s.label("step")
	s.at(tile)
	s.op("MOVQ block_params(DI), CX")
	for i := range n {
		s.op("VMOVDQU %d(CX), Y%d", avx2Block*i, i)
	}
	vnniRowAddresses(s, 1)
	s.at(run)
	s.op("MOVLQSX (R15), SI")
	s.op("ADDQ $4, R15")
	s.op("MOVQ block_length(DI), DX")
	s.op("ADDQ SI, DX")
	s.at(step)
	s.op("VPBROADCASTW (R8)(SI*1), X8")
	s.op("VPMOVSXBW X8, Y8")
	for i := range n {
		t := 9 + i%4
		s.op("VPMOVSXBW %d(CX), Y%d", 16*i, t)
		s.op("VPMADDWD Y8, Y%d, Y%d", t, t)
		s.op("VPADDD Y%d, Y%d, Y%d", t, i, i)
	}
	s.op("ADDQ $%d, CX", 16*n)
	s.op("ADDQ $2, SI")
	s.op("CMPQ SI, DX")
	s.op("JLT %s", step)
	s.op("DECQ runs-24(SP)")
	s.op("JNZ %s", run)
	s.op("MOVQ out-32(SP), SI")
	s.op("MOVQ block_stride(DI), DX")
	s.op("MOVQ block_params(DI), CX")
	avx2ScaleAll(s, "CX", 1, n)
	if n == 1 {
		avx2Store8(s, 1)
	} else {
		for i := 0; i < n; i += 4 {
			avx2Pack16(s, i, min(i+2, n-2))
			if n == 2 {
				s.op("VMOVDQU X%d, (SI)", i)
			} else {
				s.op("VMOVDQU Y%d, %d(SI)", i, 8*i)
			}
		}
		s.op("ADDQ DX, SI")
	}
	avx2Next(s, 1, tile)
}

// avx2Peak multiplies pairs and adds them to 8 vectors of sums, n times.
func avx2Peak(s *source) {
	s.labels = 0
	s.line("\n// func peakAVX2(n int)")
	s.line("TEXT ·peakAVX2(SB), NOSPLIT, $0-8")
	s.op("MOVQ n+0(FP), CX")
	loop := s.label("loop")
	s.at(loop)
	for i := range 8 {
		product := 8 + i%4
		s.op("VPMADDWD Y14, Y15, Y%d", product)
		s.op("VPADDD Y%d, Y%d, Y%d", product, i, i)
	}
	s.op("DECQ CX")
	s.op("JNZ %s", loop)
	s.op("VZEROUPPER")
	s.op("RET")
}
