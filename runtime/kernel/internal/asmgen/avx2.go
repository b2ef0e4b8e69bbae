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
	avx2ScaleAll(s, rows, n)
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
	avx2ScaleAll(s, 1, n)
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

// avx2Scale turns 8 sums into results that have their zero point but not their
// bounds yet, as vnniScale does, from sums to which 2^30 has been added: they are
// not negative, twice the multiplier is a factor without sign, and bit 30 tells
// the sign. With p = (sum + 2^30)·2m the result is
//
//	((p + constant)>>32 + [sum≥0]) >> e
//
// where the constant takes off what 2^30 brought, and for e > 0 the one that is
// right only for sums ≥ 0. For e = 0 the sign does not count.
//
// params: bias + 2^30, 2m, 2m of the odd columns, the constants of the even
// columns and of the odd ones, e, and the shift after which the sign remains.
func avx2Scale(s *source, sum, a, b int, param [7]string) {
	s.op("VPSRLQ $32, Y%d, Y%d", sum, a)
	s.op("VPSRLVD %s, Y%d, Y%d", param[6], sum, b)
	s.op("VPMULUDQ %s, Y%d, Y%d", param[1], sum, sum)
	s.op("VPMULUDQ %s, Y%d, Y%d", param[2], a, a)
	s.op("VPADDQ %s, Y%d, Y%d", param[3], sum, sum)
	s.op("VPADDQ %s, Y%d, Y%d", param[4], a, a)
	s.op("VPSRLQ $32, Y%d, Y%d", sum, sum)
	s.op("VPBLENDD $0xAA, Y%d, Y%d, Y%d", a, sum, sum)
	s.op("VPADDD Y%d, Y%d, Y%d", b, sum, sum)
	s.op("VPSRAVD %s, Y%d, Y%d", param[5], sum, sum)
}

// avx2ScaleAll scales a tile's sums, rows times n vectors of them, and sets the
// bounds for packing. Several rows take the parameters from registers.
func avx2ScaleAll(s *source, rows, n int) {
	s.op("MOVQ block_params(DI), CX")
	for i := range n {
		var param [7]string
		for f := 1; f < len(param); f++ {
			param[f] = fmt.Sprintf("%d(CX)", avx2Block*i+32*f)
			if rows > 1 {
				s.op("VMOVDQU %s, Y%d", param[f], 9+f)
				param[f] = fmt.Sprintf("Y%d", 9+f)
			}
		}
		for r := range rows {
			avx2Scale(s, r*n+i, 8, 9, param)
		}
	}
	s.op("VPBROADCASTB block_min(DI), Y14")
	s.op("VPBROADCASTB block_max(DI), Y15")
}

// avx2Pack16 packs two times 16 results, in two vectors each, into bytes in the
// first, and bounds them.
func avx2Pack16(s *source, a, b int) {
	s.op("VPACKSSDW Y%d, Y%d, Y%d", a+1, a, a)
	if b != a {
		s.op("VPACKSSDW Y%d, Y%d, Y%d", b+1, b, b)
	}
	s.op("VPACKSSWB Y%d, Y%d, Y%d", b, a, a)
	s.op("VPMAXSB Y14, Y%d, Y%d", a, a)
	s.op("VPERMQ $0xD8, Y%d, Y%d", a, a)
	s.op("VPMINSB Y15, Y%d, Y%d", a, a)
}

// avx2Store16 stores rows of 16 results, or as many of each as there are columns
// in use.
func avx2Store16(s *source, rows int, columns bool) {
	for r := 0; r < rows; r += 2 {
		avx2Pack16(s, 2*r, 2*min(r+1, rows-1))
		if rows > 1 {
			s.op("VEXTRACTI128 $1, Y%d, X%d", 2*r, 2*r+2)
		}
	}
	part, end := s.label("part"), s.label("end")
	if columns {
		s.op("MOVQ block_columns(DI), R13")
		s.op("CMPQ R13, $16")
		s.op("JNE %s", part)
	}
	for r := range rows {
		s.op("VMOVDQU X%d, (SI)", 2*r)
		s.op("ADDQ DX, SI")
	}
	if !columns {
		return
	}
	s.op("JMP %s", end)
	s.at(part)
	for r := range rows {
		half, rest := s.label("half"), s.label("rest")
		s.op("MOVQ SI, R12")
		s.op("VMOVQ X%d, R8", 2*r)
		s.op("TESTQ $8, R13")
		s.op("JEQ %s", half)
		s.op("MOVQ R8, (R12)")
		s.op("ADDQ $8, R12")
		s.op("VPEXTRQ $1, X%d, R8", 2*r)
		s.at(half)
		avx2Part(s)
		s.at(rest)
		s.op("ADDQ DX, SI")
	}
	s.at(end)
}

// avx2Part stores the lowest R13&7 bytes of R8 at R12.
func avx2Part(s *source) {
	for _, c := range []struct {
		n     int
		store string
	}{{4, "MOVL"}, {2, "MOVW"}, {1, "MOVB"}} {
		skip := s.label("skip")
		s.op("TESTQ $%d, R13", c.n)
		s.op("JEQ %s", skip)
		s.op("%s R8, (R12)", c.store)
		if c.n > 1 {
			s.op("SHRQ $%d, R8", 8*c.n)
			s.op("ADDQ $%d, R12", c.n)
		}
		s.at(skip)
	}
}

// avx2Store8 stores rows of up to 8 results.
func avx2Store8(s *source, rows int) {
	s.op("VMOVDQU fourAVX2<>(SB), Y13")
	for r := 0; r < rows; r += 4 {
		row := func(i int) int { return min(r+i, rows-1) }
		s.op("VPACKSSDW Y%d, Y%d, Y%d", row(1), r, r)
		if row(2) != row(1) {
			s.op("VPACKSSDW Y%d, Y%d, Y%d", row(3), r+2, r+2)
			s.op("VPACKSSWB Y%d, Y%d, Y%d", r+2, r, r)
		} else {
			s.op("VPACKSSWB Y%d, Y%d, Y%d", r, r, r)
		}
		s.op("VPMAXSB Y14, Y%d, Y%d", r, r)
		s.op("VPERMD Y%d, Y13, Y%d", r, r)
		s.op("VPMINSB Y15, Y%d, Y%d", r, r)
		if row(2) != row(1) {
			s.op("VEXTRACTI128 $1, Y%d, X%d", r, r+1)
		}
	}
	part, end := s.label("part"), s.label("end")
	s.op("MOVQ block_columns(DI), R13")
	s.op("CMPQ R13, $8")
	s.op("JNE %s", part)
	for r := range rows {
		if r%2 == 0 {
			s.op("VMOVQ X%d, (SI)", r/4*4+r%4/2)
		} else {
			s.op("VPEXTRQ $1, X%d, (SI)", r/4*4+r%4/2)
		}
		s.op("ADDQ DX, SI")
	}
	s.op("JMP %s", end)
	s.at(part)
	for r := range rows {
		s.op("MOVQ SI, R12")
		s.op("VPEXTRQ $%d, X%d, R8", r%2, r/4*4+r%4/2)
		avx2Part(s)
		s.op("ADDQ DX, SI")
	}
	s.at(end)
}

// avx2Depthwise takes 16 channels and rows pixels at a time, and two taps of each.
//
// Registers: the pixels' addresses; SI, DX two taps' reach; CX the weights; R12
// the next reaches; DI the argument. On the stack as in vnniTile.
func avx2Depthwise(s *source, rows int, bytes bool) {
	pixels := []string{"R8", "R9", "R10", "R11"}[:rows]
	name, load, doc := "depthwiseAVX2x%d", "VMOVDQU", "%d pixels at a time, 16 channels."
	if bytes {
		name, load, doc = "depthwiseAVX2bytes%d", "VPMOVSXBW", "%d pixels at a time, 16 channels of bytes."
	}
	s.function(fmt.Sprintf(name, rows), fmt.Sprintf(doc, rows), 32)
	vnniArguments(s)
	tile, taps := s.label("tile"), s.label("taps")
	s.at(tile)
	s.op("MOVQ block_params(DI), CX")
	for r := range rows {
		for i := range 2 {
			s.op("VMOVDQU %d(CX), Y%d", avx2Block*i, 2*r+i)
		}
	}
	s.op("MOVQ next-16(SP), CX")
	s.op("MOVQ block_a(DI), DX")
	for r := range rows {
		s.op("MOVLQSX %d(CX), %s", 4*r, pixels[r])
		s.op("ADDQ DX, %s", pixels[r])
	}
	s.op("ADDQ $%d, CX", 4*rows)
	s.op("MOVQ CX, next-16(SP)")
	s.op("MOVQ block_runs(DI), BX")
	s.op("MOVQ block_reach(DI), R12")
	s.op("MOVQ block_b(DI), CX")
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
	s.op("MOVQ out-32(SP), SI")
	s.op("MOVQ block_stride(DI), DX")
	avx2ScaleAll(s, rows, 2)
	avx2Store16(s, rows, true)
	avx2Next(s, rows, tile)
}

// avx2Add adds 16 elements at a time; pairedAdd states the arithmetic. What is
// left at the end goes through the stack.
func avx2Add(s *source) {
	s.labels = 0
	s.line("\n// func addAVX2(p *pairedAdd, x, y, out *int8, n int)")
	s.line("TEXT ·addAVX2(SB), NOSPLIT, $32-40")
	for _, arg := range []string{"p+0(FP), DI", "x+8(FP), SI", "y+16(FP), DX", "out+24(FP), R8", "n+32(FP), R9"} {
		s.op("MOVQ %s", arg)
	}
	for i, field := range []string{"high", "low", "cHigh", "cLow"} {
		s.op("VPBROADCASTD pairedAdd_%s(DI), Y%d", field, 8+i)
	}
	s.op("VMOVD pairedAdd_shift(DI), X12")
	s.op("VPBROADCASTB pairedAdd_min(DI), X14")
	s.op("VPBROADCASTB pairedAdd_max(DI), X15")
	loop, tail, in, out, end := s.label("loop"), s.label("tail"), s.label("in"), s.label("out"), s.label("end")
	s.op("MOVQ $16, R10") // results of a step
	s.op("CMPQ R9, R10")
	s.op("JLT %s", tail)
	s.at(loop)
	s.op("VPMOVSXBW (SI), Y0")
	s.op("VPMOVSXBW (DX), Y1")
	s.op("VPUNPCKLWD Y1, Y0, Y2")
	s.op("VPUNPCKHWD Y1, Y0, Y3")
	for half := range 2 {
		pair, high, low := 2+half, 4+half, 6+half
		s.op("VPMADDWD Y8, Y%d, Y%d", pair, high)
		s.op("VPMADDWD Y9, Y%d, Y%d", pair, low)
		s.op("VPADDD Y10, Y%d, Y%d", high, high)
		s.op("VPADDD Y11, Y%d, Y%d", low, low)
		s.op("VPSLLD $7, Y%d, Y%d", high, high)
		s.op("VPSRAD $8, Y%d, Y%d", low, low)
		s.op("VPADDD Y%d, Y%d, Y%d", low, high, high)
		s.op("VPSRAD X12, Y%d, Y%d", high, high)
	}
	s.op("VPACKSSDW Y5, Y4, Y4")
	s.op("VEXTRACTI128 $1, Y4, X5")
	s.op("VPACKSSWB X5, X4, X4")
	s.op("VPMAXSB X14, X4, X4")
	s.op("VPMINSB X15, X4, X4")
	s.op("CMPQ R10, $16")
	s.op("JNE %s", out)
	s.op("VMOVDQU X4, (R8)")
	s.op("ADDQ $16, SI")
	s.op("ADDQ $16, DX")
	s.op("ADDQ $16, R8")
	s.op("SUBQ $16, R9")
	s.op("CMPQ R9, $16")
	s.op("JGE %s", loop)
	s.at(tail)
	s.op("TESTQ R9, R9")
	s.op("JEQ %s", end)
	s.op("MOVQ R9, R10")
	s.op("XORQ BX, BX")
	s.at(in)
	s.op("MOVB (SI)(BX*1), AX")
	s.op("MOVB AX, x-32(SP)(BX*1)")
	s.op("MOVB (DX)(BX*1), AX")
	s.op("MOVB AX, y-16(SP)(BX*1)")
	s.op("INCQ BX")
	s.op("CMPQ BX, R9")
	s.op("JLT %s", in)
	s.op("LEAQ x-32(SP), SI")
	s.op("LEAQ y-16(SP), DX")
	s.op("JMP %s", loop)
	s.at(out)
	s.op("VMOVDQU X4, x-32(SP)")
	s.op("XORQ BX, BX")
	again := s.label("again")
	s.at(again)
	s.op("MOVB x-32(SP)(BX*1), AX")
	s.op("MOVB AX, (R8)(BX*1)")
	s.op("INCQ BX")
	s.op("CMPQ BX, R9")
	s.op("JLT %s", again)
	s.at(end)
	s.op("VZEROUPPER")
	s.op("RET")
}

// avx2Lines copies rows as 16-bit numbers. Padding is written in whole vectors,
// what is too much of it being overwritten by what follows. The end of a row is
// done again together with what is before it, or byte by byte if it is short.
func avx2Lines(s *source) {
	s.labels = 0
	s.line("\n// func linesAVX2(c *lines)")
	s.line("TEXT ·linesAVX2(SB), NOSPLIT, $0-8")
	s.op("MOVQ c+0(FP), DI")
	s.op("MOVBLSX lines_pad(DI), AX")
	s.op("VMOVD AX, X1")
	s.op("VPBROADCASTW X1, Y1")
	s.op("MOVQ lines_n(DI), BX")
	s.op("MOVQ lines_src(DI), R8")
	s.op("MOVQ lines_dst(DI), R9")
	row, body, tail, short, middle, bytes, done := s.label("row"), s.label("body"), s.label("tail"),
		s.label("short"), s.label("middle"), s.label("bytes"), s.label("done")
	pad := func(field string) {
		loop, end := s.label(field), s.label(field)
		s.op("MOVQ lines_%s(DI), CX", field)
		s.op("LEAQ (R11)(CX*2), R12")
		s.op("TESTQ CX, CX")
		s.op("JEQ %s", end)
		s.at(loop)
		s.op("VMOVDQU Y1, (R11)")
		s.op("ADDQ $32, R11")
		s.op("SUBQ $16, CX")
		s.op("JGT %s", loop)
		s.at(end)
		s.op("MOVQ R12, R11")
	}
	s.at(row)
	s.op("MOVQ R8, R10")
	s.op("MOVQ R9, R11")
	pad("left")
	s.op("MOVQ lines_size(DI), CX")
	s.op("LEAQ (R11)(CX*2), R13")
	s.op("SUBQ $16, CX")
	s.op("JLT %s", short)
	s.at(body)
	s.op("VPMOVSXBW (R10), Y2")
	s.op("VMOVDQU Y2, (R11)")
	s.op("ADDQ $16, R10")
	s.op("ADDQ $32, R11")
	s.op("SUBQ $16, CX")
	s.op("JGE %s", body)
	s.at(tail)
	s.op("CMPQ CX, $-16")
	s.op("JEQ %s", done)
	s.op("VPMOVSXBW (R10)(CX*1), Y2") // the last 16
	s.op("VMOVDQU Y2, (R11)(CX*2)")
	s.op("JMP %s", done)
	s.at(short)
	s.op("ADDQ $8, CX") // 8 less than the size
	s.op("JLT %s", middle)
	s.op("VPMOVSXBW (R10), X2")
	s.op("VPMOVSXBW (R10)(CX*1), X3")
	s.op("VMOVDQU X2, (R11)")
	s.op("VMOVDQU X3, (R11)(CX*2)")
	s.op("JMP %s", done)
	s.at(middle)
	s.op("ADDQ $8, CX")
	s.op("JEQ %s", done)
	s.at(bytes)
	s.op("MOVBLSX -1(R10)(CX*1), AX")
	s.op("MOVW AX, -2(R11)(CX*2)")
	s.op("DECQ CX")
	s.op("JNZ %s", bytes)
	s.at(done)
	s.op("MOVQ R13, R11")
	pad("right")
	s.op("ADDQ lines_srcPitch(DI), R8")
	s.op("ADDQ lines_dstPitch(DI), R9")
	s.op("DECQ BX")
	s.op("JNZ %s", row)
	s.op("VZEROUPPER")
	s.op("RET")
}
