package main

import "fmt"

// avx2Scale turns 8 sums into results that have their zero point but not their
// bounds yet, as vnniScale does, from sums to which 2^30 has been added: they are
// not negative, twice the multiplier is a factor without sign, and bit 30 tells
// the sign. With p = (sum + 2^30)·2m the result is
//
//	((p + constant)>>32 + [sum≥0]) >> e
//
// where the constant takes off what 2^30 brought, and for e > 0 the one that is
// right only for sums ≥ 0. For e = 0 the sign does not count, and neither does it
// where the lower bound is not below the zero point: a sum < 0 then comes to the
// bound without its correction too, as floor((y + half)/2^e) of y ≤ 0 is not above
// 0. There the constant does not take off the one, and nothing is added.
//
// Of every four results the middle ones change places, as all that follows knows.
//
// params: bias + 2^30, 2m, 2m of the odd columns, the constants of the even
// columns and of the odd ones, e in the order of the results, and the shift after
// which the sign remains.
func avx2Scale(s *source, sum, a, b int, param [7]string, bounded bool) {
	s.op("VPSRLQ $32, Y%d, Y%d", sum, a)
	if !bounded {
		s.op("VPSRLVD %s, Y%d, Y%d", param[6], sum, b)
		s.op("VPSHUFD $0xD8, Y%d, Y%d", b, b)
	}
	s.op("VPMULUDQ %s, Y%d, Y%d", param[1], sum, sum)
	s.op("VPMULUDQ %s, Y%d, Y%d", param[2], a, a)
	s.op("VPADDQ %s, Y%d, Y%d", param[3], sum, sum)
	s.op("VPADDQ %s, Y%d, Y%d", param[4], a, a)
	s.op("VSHUFPS $0xDD, Y%d, Y%d, Y%d", a, sum, sum)
	if !bounded {
		s.op("VPADDD Y%d, Y%d, Y%d", b, sum, sum)
	}
	s.op("VPSRAVD %s, Y%d, Y%d", param[5], sum, sum)
}

// avx2ScaleAll scales a tile's sums, rows times n vectors of them, and sets the
// bounds for packing. Several rows take the parameters, at base, from registers.
func avx2ScaleAll(s *source, base string, rows, n int) {
	bounded, scaled := s.label("bounded"), s.label("scaled")
	s.op("MOVL block_min(DI), AX")
	s.op("CMPL AX, block_zero(DI)")
	s.op("JGE %s", bounded)
	avx2ScaleRows(s, base, rows, n, false)
	s.op("JMP %s", scaled)
	s.at(bounded)
	avx2ScaleRows(s, base, rows, n, true)
	s.at(scaled)
	s.op("VPBROADCASTB block_min(DI), Y14")
	s.op("VPBROADCASTB block_max(DI), Y15")
}

func avx2ScaleRows(s *source, base string, rows, n int, bounded bool) {
	fields := 7
	if bounded {
		fields = 6
	}
	for i := range n {
		var param [7]string
		for f := 1; f < fields; f++ {
			param[f] = fmt.Sprintf("%d(%s)", avx2Block*i+32*f, base)
			if rows > 1 {
				s.op("VMOVDQU %s, Y%d", param[f], 9+f)
				param[f] = fmt.Sprintf("Y%d", 9+f)
			}
		}
		for r := range rows {
			avx2Scale(s, r*n+i, 8, 9, param, bounded)
		}
	}
}

// avx2Pack16 packs two times 16 results, in two vectors each, into bytes in the
// first, and bounds them.
func avx2Pack16(s *source, a, b int) {
	s.op("VPACKSSDW Y%d, Y%d, Y%d", a+1, a, a)
	if b != a {
		s.op("VPACKSSDW Y%d, Y%d, Y%d", b+1, b, b)
	}
	s.op("VPACKSSWB Y%d, Y%d, Y%d", b, a, a)
	s.op("VPSHUFB middleAVX2<>(SB), Y%d, Y%d", a, a)
	s.op("VPMAXSB Y14, Y%d, Y%d", a, a)
	s.op("VPERMQ $0xD8, Y%d, Y%d", a, a)
	s.op("VPMINSB Y15, Y%d, Y%d", a, a)
}

// avx2Store16 stores rows of 16 results, or with columns set as many of each as
// R13 says where it is less.
func avx2Store16(s *source, rows int, columns bool) {
	for r := 0; r < rows; r += 2 {
		avx2Pack16(s, 2*r, 2*min(r+1, rows-1))
		if rows > 1 {
			s.op("VEXTRACTI128 $1, Y%d, X%d", 2*r, 2*r+2)
		}
	}
	part, end := s.label("part"), s.label("end")
	if columns {
		s.op("CMPQ R13, $16")
		s.op("JLT %s", part)
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
		s.op("VPSHUFB middleAVX2<>(SB), Y%d, Y%d", r, r)
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
