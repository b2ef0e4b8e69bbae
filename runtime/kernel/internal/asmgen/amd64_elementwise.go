package main

// elementwiseAMD64 writes the loops of operators without weights. AVX2 does as well
// in them as wider vectors, for which memory is too slow; only VBMI looks up bytes
// in tables of 128.
func elementwiseAMD64(s *source) {
	avx2Extreme(s)
	avx2Lookup(s)
	vbmiLookup(s)
	avx2Quantize(s)
	avx2Bilinear(s)
}

// arguments starts a function and loads its arguments of a word each into registers,
// which follow their names.
func (s *source) arguments(signature, doc string, args ...string) {
	s.begin(signature, doc, len(args)/2)
	for i := 0; i < len(args); i += 2 {
		s.op("MOVQ %s+%d(FP), %s", args[i], 4*i, args[i+1])
	}
}

// avx2Extreme combines both sides with the order, takes the larger unsigned bytes,
// and undoes it.
func avx2Extreme(s *source) {
	s.arguments("extremeAVX2(out, x, y *byte, length, count, outPitch, xPitch, yPitch, order int)",
		"Rows of a multiple of 16 bytes.",
		"out", "DI", "x", "SI", "y", "DX", "length", "R8", "count", "R9", "outPitch", "R10", "xPitch", "R11", "yPitch", "R12", "order", "AX")
	s.op("VMOVD AX, X0")
	s.op("VPBROADCASTB X0, Y0")
	row, body, tail, step, next := s.label("row"), s.label("body"), s.label("tail"), s.label("step"), s.label("next")
	s.at(row)
	s.op("XORQ BX, BX")
	s.op("MOVQ R8, CX")
	s.op("SUBQ $64, CX")
	s.op("JLT %s", tail)
	s.at(body)
	for i := range 2 {
		s.op("VPXOR %d(SI)(BX*1), Y0, Y%d", 32*i, 1+i)
		s.op("VPXOR %d(DX)(BX*1), Y0, Y%d", 32*i, 3+i)
		s.op("VPMAXUB Y%d, Y%d, Y%d", 3+i, 1+i, 1+i)
		s.op("VPXOR Y0, Y%d, Y%d", 1+i, 1+i)
	}
	s.op("VMOVDQU Y1, (DI)(BX*1)")
	s.op("VMOVDQU Y2, 32(DI)(BX*1)")
	s.op("ADDQ $64, BX")
	s.op("SUBQ $64, CX")
	s.op("JGE %s", body)
	s.at(tail)
	s.op("ADDQ $64, CX")
	s.op("JEQ %s", next)
	s.at(step)
	s.op("VPXOR (SI)(BX*1), X0, X1")
	s.op("VPXOR (DX)(BX*1), X0, X2")
	s.op("VPMAXUB X2, X1, X1")
	s.op("VPXOR X0, X1, X1")
	s.op("VMOVDQU X1, (DI)(BX*1)")
	s.op("ADDQ $16, BX")
	s.op("SUBQ $16, CX")
	s.op("JNE %s", step)
	s.at(next)
	s.op("ADDQ R10, DI")
	s.op("ADDQ R11, SI")
	s.op("ADDQ R12, DX")
	s.op("DECQ R9")
	s.op("JNZ %s", row)
	s.op("VZEROUPPER")
	s.op("RET")
}

// avx2Lookup looks the low four bits up in all 16 parts of the table and chooses
// among them by the high bits, one after the other.
func avx2Lookup(s *source) {
	s.arguments("lookupAVX2(table *[256]byte, out, in *byte, n int)", "A multiple of 64 bytes.",
		"table", "DX", "out", "DI", "in", "SI", "n", "CX")
	s.op("MOVL $0x0F, AX")
	s.op("VMOVD AX, X0")
	s.op("VPBROADCASTB X0, Y0")
	loop := s.label("loop")
	s.at(loop)
	s.op("VMOVDQU (SI), Y4") // the highest bit chooses last
	s.op("VPAND Y0, Y4, Y5")
	for bit := 1; bit < 4; bit++ {
		s.op("VPSLLW $%d, Y4, Y%d", bit, 4-bit)
	}
	avx2Choose(s, 4, 0, 6)
	s.op("VMOVDQU Y6, (DI)")
	s.op("ADDQ $32, SI")
	s.op("ADDQ $32, DI")
	s.op("SUBQ $32, CX")
	s.op("JNZ %s", loop)
	s.op("VZEROUPPER")
	s.op("RET")
}

// avx2Choose looks bytes up in 2^bits parts of the table from the given one on.
func avx2Choose(s *source, bits, part, to int) {
	if bits == 0 {
		s.op("VBROADCASTI128 %d(DX), Y%d", 16*part, to)
		s.op("VPSHUFB Y5, Y%d, Y%d", to, to)
		return
	}
	avx2Choose(s, bits-1, part, to)
	avx2Choose(s, bits-1, part+1<<(bits-1), to+1)
	s.op("VPBLENDVB Y%d, Y%d, Y%d, Y%d", bits, to+1, to, to)
}

// vbmiLookup looks bytes up in both halves of the table and chooses by the highest
// bit.
func vbmiLookup(s *source) {
	s.arguments("lookupVBMI(table *[256]byte, out, in *byte, n int)", "A multiple of 64 bytes.",
		"table", "DX", "out", "DI", "in", "SI", "n", "CX")
	for i := range 4 {
		s.op("VMOVDQU64 %d(DX), Z%d", 64*i, 16+i)
	}
	loop := s.label("loop")
	s.at(loop)
	s.op("VMOVDQU64 (SI), Z0")
	s.op("VPMOVB2M Z0, K1")
	s.op("VMOVDQA64 Z0, Z1")
	s.op("VPERMI2B Z17, Z16, Z0")
	s.op("VPERMI2B Z19, Z18, Z1")
	s.op("VMOVDQU8 Z1, K1, Z0")
	s.op("VMOVDQU64 Z0, (DI)")
	s.op("ADDQ $64, SI")
	s.op("ADDQ $64, DI")
	s.op("SUBQ $64, CX")
	s.op("JNZ %s", loop)
	s.op("VZEROUPPER")
	s.op("RET")
}

// avx2Quantize adds to the size of every quotient the number before one half, which
// gives the next integer from one half on and nowhere else, cuts off the fraction,
// and puts the sign back. What is not a number becomes 0 before that, what is
// large 2^20.
func avx2Quantize(s *source) {
	s.arguments("quantizeAVX2(q *Quantizer, out *byte, in *float32, n int)", "A multiple of 16 numbers.",
		"q", "DX", "out", "DI", "in", "SI", "n", "CX")
	s.op("VBROADCASTSS Quantizer_Scale(DX), Y8")
	s.op("VPBROADCASTD Quantizer_Zero(DX), Y9")
	s.op("VPBROADCASTB Quantizer_Flip(DX), X10")
	for i, bits := range []string{"0x3EFFFFFF", "0x49800000", "0x7FFFFFFF"} {
		s.op("MOVL $%s, AX", bits)
		s.op("VMOVD AX, X%d", 11+i)
		s.op("VPBROADCASTD X%d, Y%d", 11+i, 11+i)
	}
	loop := s.label("loop")
	s.at(loop)
	for i := range 2 {
		v, m, size := i, 2+i, 4+i
		s.op("VMOVUPS %d(SI), Y%d", 32*i, v)
		s.op("VDIVPS Y8, Y%d, Y%d", v, v)
		s.op("VCMPPS $7, Y%d, Y%d, Y%d", v, v, m) // ordered
		s.op("VANDPS Y13, Y%d, Y%d", v, size)
		s.op("VANDPS Y%d, Y%d, Y%d", m, size, size)
		s.op("VMINPS Y12, Y%d, Y%d", size, size)
		s.op("VADDPS Y11, Y%d, Y%d", size, size)
		s.op("VCVTTPS2DQ Y%d, Y%d", size, size)
		s.op("VPSIGND Y%d, Y%d, Y%d", v, size, size)
		s.op("VPADDD Y9, Y%d, Y%d", size, size)
	}
	s.op("VPACKSSDW Y5, Y4, Y4")
	s.op("VPERMQ $0xD8, Y4, Y4")
	s.op("VEXTRACTI128 $1, Y4, X5")
	s.op("VPACKSSWB X5, X4, X4")
	s.op("VPXOR X10, X4, X4")
	s.op("VMOVDQU X4, (DI)")
	s.op("ADDQ $64, SI")
	s.op("ADDQ $16, DI")
	s.op("SUBQ $16, CX")
	s.op("JNZ %s", loop)
	s.op("VZEROUPPER")
	s.op("RET")
}

// avx2Bilinear mixes eight channels of two neighbors in both rows by products of
// pairs, and the two sums by 32-bit products.
func avx2Bilinear(s *source) {
	s.arguments("bilinearAVX2(out, top, bottom *int8, columns *Column, count, depth, whole, weight int)",
		"The first channels of every pixel, a multiple of 8.",
		"out", "DI", "top", "SI", "bottom", "DX", "columns", "R8", "count", "R9", "depth", "R10", "whole", "R11", "weight", "AX")
	s.op("VMOVD AX, X9")
	s.op("VPBROADCASTD X9, Y9") // of the lower row
	s.op("MOVL $1024, BX")
	s.op("SUBL AX, BX")
	s.op("VMOVD BX, X8")
	s.op("VPBROADCASTD X8, Y8") // of the upper row
	s.op("MOVL $0x80000, BX")
	s.op("VMOVD BX, X10")
	s.op("VPBROADCASTD X10, Y10") // one half
	pixel, channels := s.label("pixel"), s.label("channels")
	s.at(pixel)
	s.op("MOVLQSX Column_First(R8), R12")
	s.op("MOVLQSX Column_Second(R8), R13")
	s.op("VPBROADCASTD Column_Weights(R8), Y11")
	s.op("XORQ CX, CX")
	s.at(channels)
	for i, row := range []string{"SI", "DX"} {
		s.op("LEAQ (%s)(R12*1), AX", row)
		s.op("LEAQ (%s)(R13*1), BX", row)
		s.op("VMOVQ (AX)(CX*1), X%d", 2*i)
		s.op("VMOVQ (BX)(CX*1), X%d", 2*i+1)
		s.op("VPUNPCKLBW X%d, X%d, X%d", 2*i+1, 2*i, 2*i)
		s.op("VPMOVSXBW X%d, Y%d", 2*i, 2*i)
		s.op("VPMADDWD Y11, Y%d, Y%d", 2*i, 2*i)
		s.op("VPMULLD Y%d, Y%d, Y%d", 8+i, 2*i, 2*i)
	}
	s.op("VPADDD Y2, Y0, Y0")
	s.op("VPSRAD $31, Y0, Y1")
	s.op("VPADDD Y10, Y0, Y0")
	s.op("VPADDD Y1, Y0, Y0")
	s.op("VPSRAD $20, Y0, Y0")
	s.op("VEXTRACTI128 $1, Y0, X1")
	s.op("VPACKSSDW X1, X0, X0")
	s.op("VPACKSSWB X0, X0, X0")
	s.op("VMOVQ X0, (DI)(CX*1)")
	s.op("ADDQ $8, CX")
	s.op("CMPQ CX, R11")
	s.op("JLT %s", channels)
	s.op("ADDQ R10, DI")
	s.op("ADDQ $Column__size, R8")
	s.op("DECQ R9")
	s.op("JNZ %s", pixel)
	s.op("VZEROUPPER")
	s.op("RET")
}
