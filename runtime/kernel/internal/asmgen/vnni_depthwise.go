package main

import "fmt"

// vnniTranspose are the shuffles that bring four pixels of 16 channels into the
// order channel by channel: dwords across the vector, then bytes within 16.
func vnniTranspose(s *source) {
	s.line("")
	for i := range 16 {
		s.line("DATA dwordsVNNI<>+%d(SB)/4, $%d", 4*i, i%4*4+i/4)
	}
	s.line("GLOBL dwordsVNNI<>(SB), RODATA|NOPTR, $64")
	for i := range 16 {
		s.line("DATA bytesVNNI<>+%d(SB)/4, $0x%02x%02x%02x%02x", 4*i, 12+i%4, 8+i%4, 4+i%4, i%4)
	}
	s.line("GLOBL bytesVNNI<>(SB), RODATA|NOPTR, $64")
}

// vnniDepthwise takes 16 channels and rows pixels at a time: four taps of a pixel
// are brought together channel by channel, and VPDPBUSD multiplies and adds them.
//
// Registers: the pixels' addresses; SI, DX, R15, R13 four taps' reach; CX the
// weights; R12 the next reaches; DI the argument. On the stack as in vnniTile.
func vnniDepthwise(s *source, rows int) {
	pixels := []string{"R8", "R9", "R10", "R11"}[:rows]
	s.function(fmt.Sprintf("depthwiseVNNI%d", rows), fmt.Sprintf("%d pixels at a time, 16 channels.", rows), 32)
	vnniArguments(s)
	s.op("MOVQ block_columns(DI), CX")
	s.op("MOVQ $-1, AX")
	s.op("BZHIQ CX, AX, AX")
	vnniConstants(s, 1, "block_params(DI)")
	s.op("VMOVDQU64 bytesVNNI<>(SB), Z28")
	tile, taps := s.label("tile"), s.label("taps")
	s.at(tile)
	s.op("MOVQ block_params(DI), CX")
	for r := range rows {
		s.op("VMOVDQU64 (CX), Z%d", r)
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
	tap := []string{"SI", "DX", "R15", "R13"}
	for i, reg := range tap {
		s.op("MOVLQSX %d(R12), %s", 4*i, reg)
	}
	s.op("VMOVDQU64 (CX), Z27")
	for r, p := range pixels {
		x := 8 + 2*r
		s.op("VMOVDQU (%s)(%s*1), X%d", p, tap[0], x)
		s.op("VMOVDQU (%s)(%s*1), X%d", p, tap[2], x+1)
		s.op("VINSERTI128 $1, (%s)(%s*1), Y%d, Y%d", p, tap[1], x, x)
		s.op("VINSERTI128 $1, (%s)(%s*1), Y%d, Y%d", p, tap[3], x+1, x+1)
		s.op("VINSERTI64X4 $1, Y%d, Z%d, Z%d", x+1, x, x)
		s.op("VPERMD Z%d, Z29, Z%d", x, x)
		s.op("VPSHUFB Z28, Z%d, Z%d", x, x)
		s.op("VPDPBUSD Z27, Z%d, Z%d", x, r)
	}
	s.op("ADDQ $16, R12")
	s.op("ADDQ $64, CX")
	s.op("SUBQ $4, BX")
	s.op("JNZ %s", taps)
	s.op("MOVQ block_params(DI), CX")
	s.op("MOVQ out-32(SP), SI")
	s.op("MOVQ block_stride(DI), DX")
	vnniStore(s, rows, 1, func(r, _ int) string { return fmt.Sprintf("Z%d", r) })
	s.op("MOVQ SI, out-32(SP)")
	s.op("SUBQ $%d, left-8(SP)", rows)
	s.op("JNZ %s", tile)
	s.op("VZEROUPPER")
	s.op("RET")
}

// vnniGather brings four pixels of 16 channels together channel by channel.
func vnniGather(s *source) {
	s.labels = 0
	s.line("\n// func gatherVNNI(dst, src *int8, stride, n, rows, pitch int)")
	s.line("TEXT ·gatherVNNI(SB), NOSPLIT, $0-48")
	for _, arg := range []string{"dst+0(FP), DI", "src+8(FP), R9", "stride+16(FP), DX", "n+24(FP), BX", "rows+32(FP), R10", "pitch+40(FP), R11"} {
		s.op("MOVQ %s", arg)
	}
	s.op("VMOVDQU64 dwordsVNNI<>(SB), Z29")
	s.op("VMOVDQU64 bytesVNNI<>(SB), Z28")
	row, loop := s.label("row"), s.label("loop")
	s.at(row)
	s.op("MOVQ R9, SI")
	s.op("MOVQ BX, CX")
	s.at(loop)
	s.op("LEAQ (SI)(DX*2), R8")
	s.op("VMOVDQU (SI), X0")
	s.op("VMOVDQU (R8), X1")
	s.op("VINSERTI128 $1, (SI)(DX*1), Y0, Y0")
	s.op("VINSERTI128 $1, (R8)(DX*1), Y1, Y1")
	s.op("VINSERTI64X4 $1, Y1, Z0, Z0")
	s.op("VPERMD Z0, Z29, Z0")
	s.op("VPSHUFB Z28, Z0, Z0")
	s.op("VMOVDQU64 Z0, (DI)")
	s.op("MOVQ R8, SI")
	s.op("ADDQ $64, DI")
	s.op("DECQ CX")
	s.op("JNZ %s", loop)
	s.op("ADDQ R11, R9")
	s.op("DECQ R10")
	s.op("JNZ %s", row)
	s.op("VZEROUPPER")
	s.op("RET")
}

// vnniQuads computes four pixels at a time: two from each of two quads, the second
// with weights moved by a pixel. Windows of three rows keep their weights in
// registers.
//
// Registers: the quads' addresses; SI, DX, R15 the reach of the window's rows; CX
// the weights; R13, AX the next offsets and results; BX quads left; DI the argument.
func vnniQuads(s *source) {
	const shifts = 2
	quads := []string{"R8", "R9"}
	s.function("depthwiseQuadsVNNI", "Two pixels of every quad, two quads at a time.", 0)
	s.op("MOVQ b+0(FP), DI")
	s.op("MOVQ block_columns(DI), CX")
	s.op("MOVQ $-1, AX")
	s.op("BZHIQ CX, AX, AX")
	vnniConstants(s, 1, "block_params(DI)")
	s.op("MOVQ block_rows(DI), BX")
	s.op("MOVQ block_offsets(DI), R13")
	s.op("MOVQ block_results(DI), AX")
	s.op("CMPQ block_runs(DI), $3")
	tile, three := s.label("tile"), s.label("three")
	s.op("JEQ %s", three)

	s.at(tile)
	vnniQuadStart(s, quads)
	row := s.label("row")
	s.op("MOVQ block_b(DI), CX")
	s.op("MOVQ block_reach(DI), R12")
	s.op("MOVQ block_runs(DI), DX")
	s.at(row)
	s.op("MOVLQSX (R12), SI")
	for i := range shifts {
		s.op("VMOVDQU64 %d(CX), Z%d", 64*i, 20+i)
	}
	for i, q := range quads {
		s.op("VMOVDQU64 (%s)(SI*1), Z24", q)
		for shift := range shifts {
			s.op("VPDPBUSD Z%d, Z24, Z%d", 20+shift, i*shifts+shift)
		}
	}
	s.op("ADDQ $4, R12")
	s.op("ADDQ $%d, CX", 64*shifts)
	s.op("DECQ DX")
	s.op("JNZ %s", row)
	s.op("MOVQ block_params(DI), CX")
	vnniQuadStore(s)
	s.op("SUBQ $%d, BX", len(quads))
	s.op("JNZ %s", tile)
	s.op("VZEROUPPER")
	s.op("RET")

	s.at(three)
	tile = s.label("tile")
	s.op("MOVQ block_b(DI), CX")
	s.op("MOVQ block_reach(DI), R12")
	reach := []string{"SI", "DX", "R15"}
	for ky, r := range reach {
		s.op("MOVLQSX %d(R12), %s", 4*ky, r)
		for shift := range shifts {
			s.op("VMOVDQU64 %d(CX), Z%d", 64*(ky*shifts+shift), 8+ky*shifts+shift)
		}
	}
	s.op("MOVQ block_params(DI), CX")
	s.at(tile)
	vnniQuadStart(s, quads)
	for ky, r := range reach {
		for i, q := range quads {
			s.op("VMOVDQU64 (%s)(%s*1), Z%d", q, r, 20+i)
			for shift := range shifts {
				s.op("VPDPBUSD Z%d, Z%d, Z%d", 8+ky*shifts+shift, 20+i, i*shifts+shift)
			}
		}
	}
	vnniQuadStore(s)
	s.op("SUBQ $%d, BX", len(quads))
	s.op("JNZ %s", tile)
	s.op("VZEROUPPER")
	s.op("RET")
}

// vnniQuadStart takes up the next quads' addresses and the biases.
func vnniQuadStart(s *source, quads []string) {
	s.op("MOVQ block_params(DI), R12")
	s.op("MOVQ block_a(DI), CX")
	for i, q := range quads {
		s.op("MOVLQSX %d(R13), %s", 4*i, q)
		s.op("ADDQ CX, %s", q)
	}
	s.op("ADDQ $%d, R13", 4*len(quads))
	s.op("MOVQ R12, CX")
	s.op("VMOVDQU64 (CX), Z0")
	for i := range 3 {
		s.op("VMOVDQA64 Z0, Z%d", i+1)
	}
}

// vnniQuadStore scales and stores four pixels, the second of each quad first.
func vnniQuadStore(s *source) {
	r := []string{"Z0", "Z1", "Z2", "Z3"}
	for _, z := range r {
		vnniScale(s, 0, z, "K2")
	}
	vnniPack(s, r)
	s.op("MOVQ block_out(DI), R12")
	for _, i := range []int{1, 0, 3, 2} {
		s.op("MOVLQSX %d(AX), R8", 4*i)
		s.op("VEXTRACTI32X4 $%d, Z0, X%d", i, 4+i)
		s.op("VMOVDQU8 X%d, K1, (R12)(R8*1)", 4+i)
	}
	s.op("ADDQ $16, AX")
}
