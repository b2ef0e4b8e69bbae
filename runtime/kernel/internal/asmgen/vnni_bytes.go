package main

// vnniFlip copies bytes with their top bit inverted.
func vnniFlip(s *source) {
	s.labels = 0
	s.line("\n// func flipVNNI(dst, src *int8, n int)")
	s.line("//\n// Copies n bytes and adds 128 to each.")
	s.line("TEXT ·flipVNNI(SB), NOSPLIT, $0-24")
	s.op("MOVQ dst+0(FP), DI")
	s.op("MOVQ src+8(FP), SI")
	s.op("MOVQ n+16(FP), CX")
	s.op("MOVL $0x80, AX")
	s.op("VPBROADCASTB AX, Z0")
	loop, tail, end := s.label("loop"), s.label("tail"), s.label("end")
	s.op("SUBQ $64, CX")
	s.op("JLT %s", tail)
	s.at(loop)
	s.op("VPXORD (SI), Z0, Z1")
	s.op("VMOVDQU64 Z1, (DI)")
	s.op("ADDQ $64, SI")
	s.op("ADDQ $64, DI")
	s.op("SUBQ $64, CX")
	s.op("JGE %s", loop)
	s.at(tail)
	s.op("ADDQ $64, CX")
	s.op("JEQ %s", end)
	s.op("MOVQ $-1, AX")
	s.op("BZHIQ CX, AX, AX")
	s.op("KMOVQ AX, K1")
	s.op("VMOVDQU8.Z (SI), K1, Z1")
	s.op("VPXORD Z1, Z0, Z1")
	s.op("VMOVDQU8 Z1, K1, (DI)")
	s.at(end)
	s.op("VZEROUPPER")
	s.op("RET")
}

// vnniAdd adds 32 elements at a time; pairedAdd states the arithmetic.
func vnniAdd(s *source) {
	s.labels = 0
	s.line("\n// func addVNNI(p *pairedAdd, x, y, out *int8, n int)")
	s.line("TEXT ·addVNNI(SB), NOSPLIT, $0-40")
	for _, arg := range []string{"p+0(FP), DI", "x+8(FP), SI", "y+16(FP), DX", "out+24(FP), R8", "n+32(FP), R9"} {
		s.op("MOVQ %s", arg)
	}
	for i, field := range []string{"high", "low", "cHigh", "cLow"} {
		s.op("VPBROADCASTD pairedAdd_%s(DI), Z%d", field, 16+i)
	}
	s.op("VMOVD pairedAdd_shift(DI), X20")
	s.op("VPBROADCASTB pairedAdd_min(DI), Y21")
	s.op("VPBROADCASTB pairedAdd_max(DI), Y22")
	s.op("MOVL $-1, AX")
	s.op("KMOVD AX, K1")
	loop, body := s.label("loop"), s.label("body")
	s.at(loop)
	s.op("CMPQ R9, $32")
	s.op("JGE %s", body)
	s.op("MOVL $-1, AX")
	s.op("BZHIL R9, AX, AX")
	s.op("KMOVD AX, K1")
	s.op("MOVQ $32, R9") // the last
	s.at(body)
	s.op("VPMOVSXBW.Z (SI), K1, Z0")
	s.op("VPMOVSXBW.Z (DX), K1, Z1")
	s.op("VPUNPCKLWD Z1, Z0, Z2")
	s.op("VPUNPCKHWD Z1, Z0, Z3")
	for half := range 2 {
		pair, high, low := 2+half, 4+half, 6+half
		s.op("VMOVDQA64 Z18, Z%d", high)
		s.op("VMOVDQA64 Z19, Z%d", low)
		s.op("VPDPWSSD Z16, Z%d, Z%d", pair, high)
		s.op("VPDPWSSD Z17, Z%d, Z%d", pair, low)
		s.op("VPSLLD $7, Z%d, Z%d", high, high)
		s.op("VPSRAD $8, Z%d, Z%d", low, low)
		s.op("VPADDD Z%d, Z%d, Z%d", low, high, high)
		s.op("VPSRAD X20, Z%d, Z%d", high, high)
	}
	s.op("VPACKSSDW Z5, Z4, Z4")
	s.op("VPMOVSWB Z4, Y4")
	s.op("VPMAXSB Y21, Y4, Y4")
	s.op("VPMINSB Y22, Y4, Y4")
	s.op("VMOVDQU8 Y4, K1, (R8)")
	s.op("ADDQ $32, SI")
	s.op("ADDQ $32, DX")
	s.op("ADDQ $32, R8")
	s.op("SUBQ $32, R9")
	s.op("JNZ %s", loop)
	s.op("VZEROUPPER")
	s.op("RET")
}

// vnniPeak multiplies and adds as fast as the processor can, in registers.
func vnniPeak(s *source) {
	s.labels = 0
	s.line("\n// func peakVNNI(n int)")
	s.line("TEXT ·peakVNNI(SB), NOSPLIT, $0-8")
	s.op("MOVQ n+0(FP), CX")
	loop := s.label("loop")
	s.at(loop)
	for i := range 16 {
		s.op("VPDPBUSD Z30, Z31, Z%d", i)
	}
	s.op("DECQ CX")
	s.op("JNZ %s", loop)
	s.op("VZEROUPPER")
	s.op("RET")
}

// vnniLines copies rows with their top bits inverted. Padding is written in whole
// vectors, what is too much of it being overwritten by what follows.
func vnniLines(s *source) {
	s.labels = 0
	s.line("\n// func linesVNNI(c *lines)")
	s.line("TEXT ·linesVNNI(SB), NOSPLIT, $0-8")
	s.op("MOVQ c+0(FP), DI")
	s.op("VPBROADCASTB lines_pad(DI), Z1")
	s.op("MOVL $0x80808080, AX")
	s.op("VPBROADCASTD AX, Z0")
	s.op("MOVQ lines_n(DI), BX")
	s.op("MOVQ lines_src(DI), R8")
	s.op("MOVQ lines_dst(DI), R9")
	s.op("MOVQ lines_size(DI), CX")
	s.op("ANDQ $63, CX")
	s.op("MOVQ $-1, AX")
	s.op("BZHIQ CX, AX, AX")
	s.op("KMOVQ AX, K1") // the rest of a row, which may be nothing
	row, body, tail := s.label("row"), s.label("body"), s.label("tail")
	pad := func(field string) {
		loop, end := s.label(field), s.label(field)
		s.op("MOVQ lines_%s(DI), CX", field)
		s.op("LEAQ (R11)(CX*1), R12")
		s.op("TESTQ CX, CX")
		s.op("JEQ %s", end)
		s.at(loop)
		s.op("VMOVDQU64 Z1, (R11)")
		s.op("ADDQ $64, R11")
		s.op("SUBQ $64, CX")
		s.op("JGT %s", loop)
		s.at(end)
		s.op("MOVQ R12, R11")
	}
	s.at(row)
	s.op("MOVQ R8, R10")
	s.op("MOVQ R9, R11")
	pad("left")
	s.op("MOVQ lines_size(DI), CX")
	s.op("LEAQ (R11)(CX*1), R13")
	s.op("SUBQ $64, CX")
	s.op("JLT %s", tail)
	s.at(body)
	s.op("VPXORD (R10), Z0, Z2")
	s.op("VMOVDQU64 Z2, (R11)")
	s.op("ADDQ $64, R10")
	s.op("ADDQ $64, R11")
	s.op("SUBQ $64, CX")
	s.op("JGE %s", body)
	s.at(tail)
	s.op("VMOVDQU8.Z (R10), K1, Z2")
	s.op("VPXORD Z2, Z0, Z2")
	s.op("VMOVDQU8 Z2, K1, (R11)")
	s.op("MOVQ R13, R11")
	pad("right")
	s.op("ADDQ lines_srcPitch(DI), R8")
	s.op("ADDQ lines_dstPitch(DI), R9")
	s.op("DECQ BX")
	s.op("JNZ %s", row)
	s.op("VZEROUPPER")
	s.op("RET")
}
