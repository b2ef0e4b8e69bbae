package main

import "fmt"

// vnniDwords are the orders that results are brought into after packing: the
// transposition of a 4x4 matrix of dwords, and that of the two steps of 8 columns.
func vnniDwords(s *source) {
	s.line("")
	for i := range 16 {
		s.line("DATA dwordsVNNI<>+%d(SB)/4, $%d", 4*i, i%4*4+i/4)
	}
	s.line("GLOBL dwordsVNNI<>(SB), RODATA|NOPTR, $64")
	for i := range 16 {
		s.line("DATA wordsVNNI<>+%d(SB)/4, $0x%04x%04x", 4*i, 8*(2*i%4+1)+i/2, 8*(2*i%4)+i/2)
	}
	s.line("GLOBL wordsVNNI<>(SB), RODATA|NOPTR, $64")
}

// vnniWeave brings four rows together byte by byte: dword i of the result holds
// byte i of each, with its top bit inverted. A row's dwords are transposed first,
// so that what is interleaved within 16 bytes comes out in order.
//
// Registers: R8 to R11 the rows; DI where quads go; CX bytes left of a run, DX those
// behind, R12 runs left; R13 the window's rows before these four, R15 where their
// quads begin; SI the argument. K1 names the bytes of the last piece of a run. On
// the stack: groups left, the rows' steps.
func vnniWeave(s *source) {
	s.labels = 0
	s.line("\n// func weaveVNNI(w *weave)")
	s.line("//\n// Brings four rows together byte by byte, between padding.")
	s.line("TEXT ·weaveVNNI(SB), NOSPLIT, $40-8")
	s.op("MOVQ w+0(FP), SI")
	s.op("VMOVDQU64 dwordsVNNI<>(SB), Z29")
	s.op("MOVL $0x80808080, AX")
	s.op("VPBROADCASTD AX, Z30")
	s.op("VPBROADCASTB weave_pad(SI), Z31")
	s.op("VPXORD Z30, Z31, Z31")
	s.op("MOVQ weave_size(SI), CX")
	s.op("ANDQ $63, CX")
	s.op("MOVQ $-1, AX")
	s.op("BZHIQ CX, AX, AX")
	s.op("KMOVQ AX, K1")
	s.op("MOVQ weave_groups(SI), CX")
	s.op("MOVQ CX, groups-8(SP)")
	s.op("MOVQ weave_dst(SI), R15")
	s.op("XORL R13, R13")
	group := s.label("group")
	s.at(group)
	vnniWeaveRows(s)
	s.op("MOVQ R15, DI")
	vnniWeavePad(s, "left")
	vnniWeaveRuns(s)
	vnniWeavePad(s, "right")
	s.op("ADDQ $4, R13")
	s.op("ADDQ weave_region(SI), R15")
	s.op("DECQ groups-8(SP)")
	s.op("JNZ %s", group)
	s.op("VZEROUPPER")
	s.op("RET")
}

// vnniWovenRows hold the addresses of the rows that are woven.
var vnniWovenRows = []string{"R8", "R9", "R10", "R11"}

// vnniWeaveRows finds the next four rows and their steps, or padding.
func vnniWeaveRows(s *source) {
	for i, r := range vnniWovenRows {
		s.op("LEAQ %d(R13), AX", i)
		s.op("CMPQ AX, weave_last(SI)")
		s.op("CMOVQGT weave_last(SI), AX")
		s.op("IMULQ weave_dilation(SI), AX")
		s.op("ADDQ weave_top(SI), AX")
		s.op("MOVQ weave_pitch(SI), %s", r)
		s.op("IMULQ AX, %s", r)
		s.op("ADDQ weave_image(SI), %s", r)
		s.op("MOVQ weave_step(SI), CX")
		s.op("XORL DX, DX")
		s.op("CMPQ AX, weave_height(SI)")
		s.op("CMOVQCC weave_padding(SI), %s", r)
		s.op("CMOVQCC DX, CX")
		s.op("MOVQ CX, step%d-%d(SP)", i, 16+8*i)
	}
}

// vnniWeaveRuns makes the quads of what the rows have.
func vnniWeaveRuns(s *source) {
	rows := vnniWovenRows
	run, piece, rest, next, end, stored := s.label("run"), s.label("piece"), s.label("rest"), s.label("next"), s.label("end"), s.label("stored")
	s.op("MOVQ weave_runs(SI), R12")
	s.op("TESTQ R12, R12")
	s.op("JEQ %s", end)
	s.at(run)
	s.op("XORL DX, DX")
	s.op("MOVQ weave_size(SI), CX")
	s.op("SUBQ $64, CX")
	s.op("JLT %s", rest)
	s.at(piece)
	for i, r := range rows {
		s.op("VPERMD (%s)(DX*1), Z29, Z%d", r, i)
	}
	vnniInterleave(s)
	for i := range 4 {
		s.op("VMOVDQU64 Z%d, %d(DI)", 8+i, 64*i)
	}
	s.op("ADDQ $64, DX")
	s.op("ADDQ $256, DI")
	s.op("SUBQ $64, CX")
	s.op("JGE %s", piece)
	s.at(rest)
	s.op("ADDQ $64, CX")
	s.op("JEQ %s", next)
	for i, r := range rows {
		s.op("VMOVDQU8.Z (%s)(DX*1), K1, Z%d", r, i)
		s.op("VPERMD Z%d, Z29, Z%d", i, i)
	}
	vnniInterleave(s)
	for i := range 4 {
		s.op("VMOVDQU64 Z%d, %d(DI)", 8+i, 64*i)
		if i < 3 {
			s.op("CMPQ CX, $%d", 16*(i+1))
			s.op("JLE %s", stored)
		}
	}
	s.at(stored)
	s.op("LEAQ (DI)(CX*4), DI")
	s.at(next)
	for i, r := range rows {
		s.op("ADDQ step%d-%d(SP), %s", i, 16+8*i, r)
	}
	s.op("DECQ R12")
	s.op("JNZ %s", run)
	s.at(end)
}

// vnniWeavePad writes quads of padding, in whole vectors.
func vnniWeavePad(s *source, field string) {
	loop, end := s.label(field), s.label(field)
	s.op("MOVQ weave_%s(SI), CX", field)
	s.op("LEAQ (DI)(CX*1), R12")
	s.op("TESTQ CX, CX")
	s.op("JEQ %s", end)
	s.at(loop)
	s.op("VMOVDQU64 Z31, (DI)")
	s.op("ADDQ $64, DI")
	s.op("SUBQ $64, CX")
	s.op("JGT %s", loop)
	s.op("MOVQ R12, DI")
	s.at(end)
}

// vnniInterleave makes quads in Z8 to Z11 of four rows in Z0 to Z3.
func vnniInterleave(s *source) {
	for i := range 4 {
		s.op("VPXORD Z30, Z%d, Z%d", i, i)
	}
	for pair := range 2 {
		s.op("VPUNPCKLBW Z%d, Z%d, Z%d", 2*pair+1, 2*pair, 4+pair)
		s.op("VPUNPCKHBW Z%d, Z%d, Z%d", 2*pair+1, 2*pair, 6+pair)
	}
	for half := range 2 {
		s.op("VPUNPCKLWD Z%d, Z%d, Z%d", 5+2*half, 4+2*half, 8+2*half)
		s.op("VPUNPCKHWD Z%d, Z%d, Z%d", 5+2*half, 4+2*half, 9+2*half)
	}
}

// depthwiseKernel writes a micro-kernel that multiplies quads by the weights of a
// depthwise convolution, for one or two rows of results at once, 16 channels after
// another. Four sums are computed at a time: those of four pixels, or of two pixels
// of two rows. Windows of three taps at equal distances keep their weights in
// registers.
//
// Registers: R8 the channels' quads, R9 their results; SI, R15, R13, BX the pixels,
// R10 the step from one to the next; AX the results, R11 their step, R12 that from
// one row to the next; DX the weights; CX pixels left; R14 between three taps; DI
// the argument. Where there are any number of taps, R14 is the next one's reach,
// where the list goes on is in R12 or R13, and DI counts them.
//
// Sums are in Z0 to Z3, quads in Z4 to Z7, weights from Z8 on, the epilogue's
// params from Z16 on.
type depthwiseKernel struct {
	*source
	rows   int
	three  bool
	pixels int  // at a time
	linear bool // params have the form of linearParams
}

func vnniDepthwise(s *source, rows int, three bool) {
	k := depthwiseKernel{source: s, rows: rows, three: three, pixels: 4 / rows}
	if three {
		s.function(fmt.Sprintf("depthwiseThreeVNNI%d", rows), fmt.Sprintf("%d rows of results, 16 channels after another, three taps.", rows), 32)
	} else {
		s.function(fmt.Sprintf("depthwiseVNNI%d", rows), fmt.Sprintf("%d rows of results, 16 channels after another.", rows), 32)
	}
	k.arguments()
	channels, linear, next := s.label("channels"), s.label("linear"), s.label("next")
	s.at(channels)
	k.constants()
	s.op("JLT %s", linear)
	k.row()
	s.op("JMP %s", next)
	s.at(linear)
	k.linear = true
	k.row()
	s.at(next)
	s.op("ADDQ $64, R8")
	s.op("ADDQ $16, R9")
	s.op("ADDQ block_panel(DI), DX")
	s.op("ADDQ $384, params-16(SP)")
	s.op("SUBQ $16, columns-8(SP)")
	s.op("JGT %s", channels)
	s.op("VZEROUPPER")
	s.op("RET")
}

// arguments takes up what holds for all channels.
func (k depthwiseKernel) arguments() {
	k.op("MOVQ b+0(FP), DI")
	k.op("VMOVDQU64 dwordsVNNI<>(SB), Z29")
	k.op("VPBROADCASTB block_min(DI), Z30")
	k.op("VPBROADCASTB block_max(DI), Z31")
	k.op("MOVL $0x5555, AX")
	k.op("KMOVW AX, K7")
	for _, field := range []string{"a(DI), R8", "out(DI), R9", "step(DI), R10", "outStep(DI), R11", "b(DI), DX", "columns(DI), AX", "params(DI), CX"} {
		k.op("MOVQ block_%s", field)
	}
	k.op("MOVQ AX, columns-8(SP)")
	k.op("MOVQ CX, params-16(SP)")
	if k.rows > 1 {
		k.op("MOVQ block_stride(DI), R12")
	}
	if k.three {
		k.op("MOVQ block_reach(DI), AX")
		k.op("MOVLQSX 4(AX), R14")
	} else {
		k.op("MOVQ block_tapStep(DI), AX")
		k.op("MOVQ AX, tapStep-32(SP)")
	}
}

// constants takes up what the next 16 channels, or as many as are left, need, and
// compares their shift with zero: it is less in linearParams.
func (k depthwiseKernel) constants() {
	k.op("MOVQ columns-8(SP), CX")
	k.op("MOVL $16, SI")
	k.op("CMPQ CX, SI")
	k.op("CMOVQGT SI, CX")
	k.op("MOVL $-1, AX")
	k.op("BZHIL CX, AX, AX")
	k.op("KMOVW AX, K1")
	k.op("MOVQ params-16(SP), CX")
	for i := range 6 {
		k.op("VMOVDQU64 %d(CX), Z%d", 64*i, 16+i)
	}
	k.op("VPTESTMD Z21, Z21, K2")
	if k.three {
		k.op("MOVQ block_tapStep(DI), AX")
		for tap, at := range []string{"(DX)", "(DX)(AX*1)", "(DX)(AX*2)"} {
			for r := range k.rows {
				k.op("VMOVDQU64 %d%s, Z%d", 64*r, at, 8+tap*k.rows+r)
			}
		}
	} else {
		k.op("MOVQ DX, weights-24(SP)")
	}
	k.op("MOVQ R8, SI")
	k.op("MOVQ R9, AX")
	k.op("MOVQ params-16(SP), CX")
	k.op("CMPL 320(CX), $0")
	k.op("MOVQ block_rows(DI), CX")
}

// row computes 16 channels of all pixels.
func (k depthwiseKernel) row() {
	rest, single, end := k.label("rest"), k.label("single"), k.label("end")
	k.op("SUBQ $%d, CX", k.pixels)
	k.op("JLT %s", rest)
	k.tiles()
	k.at(rest)
	k.op("ADDQ $%d, CX", k.pixels)
	k.op("JEQ %s", end)
	k.at(single)
	k.multiply(1, vnniSets[0])
	k.storeOne()
	k.op("DECQ CX")
	k.op("JNZ %s", single)
	k.at(end)
}

// vnniSets are the registers of two tiles' sums.
var vnniSets = [2][4]string{{"Z0", "Z1", "Z2", "Z3"}, {"Z14", "Z15", "Z22", "Z23"}}

// tiles computes as many tiles as there are, at least one. Each one's products are
// begun before the sums of the one before are scaled, which would wait for them.
func (k depthwiseKernel) tiles() {
	loop, even, odd := k.label("tile"), k.label("even"), k.label("odd")
	k.multiply(k.pixels, vnniSets[0])
	k.at(loop)
	for set, end := range []string{even, odd} {
		k.op("SUBQ $%d, CX", k.pixels)
		k.op("JLT %s", end)
		k.multiply(k.pixels, vnniSets[1-set])
		k.store(vnniSets[set])
	}
	k.op("JMP %s", loop)
	k.at(odd)
	for i, z := range vnniSets[1] {
		k.op("VMOVDQA64 %s, %s", z, vnniSets[0][i])
	}
	k.at(even)
	k.store(vnniSets[0])
}

// multiply computes the sums of the next n pixels, which are in order by row.
func (k depthwiseKernel) multiply(n int, sums [4]string) {
	pixels := []string{"SI", "R15", "R13", "BX"}[:n]
	sum := func(row, pixel int) string { return sums[row*k.pixels+pixel] }
	for p := range n {
		for r := range k.rows {
			k.op("VMOVDQA64 Z16, %s", sum(r, p))
		}
	}
	for p, from := range []string{"", "(SI)(R10*1)", "(SI)(R10*2)", "(R15)(R10*2)"}[:n] {
		if p > 0 {
			k.op("LEAQ %s, %s", from, pixels[p])
		}
	}
	// tap adds the products of one tap.
	tap := func(at string, weights int) {
		for p, reg := range pixels {
			k.op("VMOVDQU64 "+at+", Z%d", reg, 4+p)
			for r := range k.rows {
				k.op("VPDPBUSD Z%d, Z%d, %s", weights+r, 4+p, sum(r, p))
			}
		}
	}
	if k.three {
		for i, at := range []string{"(%s)", "(%s)(R14*1)", "(%s)(R14*2)"} {
			tap(at, 8+i*k.rows)
		}
	} else {
		list, loop := "R12", k.label("taps")
		if k.rows > 1 {
			list = "R13"
		}
		k.op("MOVQ block_reach(DI), %s", list)
		k.op("MOVQ block_runs(DI), DI")
		k.op("MOVQ weights-24(SP), DX")
		k.at(loop)
		k.op("MOVLQSX (%s), R14", list)
		for r := range k.rows {
			k.op("VMOVDQU64 %d(DX), Z%d", 64*r, 8+r)
		}
		tap("(%s)(R14*1)", 8)
		k.op("ADDQ $4, %s", list)
		k.op("ADDQ tapStep-32(SP), DX")
		k.op("DECQ DI")
		k.op("JNZ %s", loop)
		k.op("MOVQ b+0(FP), DI")
		k.op("MOVQ weights-24(SP), DX")
	}
	k.op("LEAQ (%s)(R10*1), SI", pixels[n-1])
}

// scale turns the i-th sum into a result.
func (k depthwiseKernel) scale(i int, sum string) {
	if k.linear {
		vnniLine(k.source, 17, sum, fmt.Sprintf("Z%d", 25+i))
		return
	}
	vnniScaleBy(k.source, func(i int) string { return fmt.Sprintf("Z%d", 16+i) }, sum, "K2")
}

// store scales and stores the four sums of a tile.
func (k depthwiseKernel) store(sums [4]string) {
	for i, z := range sums {
		k.scale(i, z)
	}
	vnniPack(k.source, sums[:], "VPERMD")
	// Results in their order, and how far AX moves before.
	at := []string{"(AX)", "(AX)(R11*1)", "(AX)(R11*2)", "(AX)(R11*1)"}
	before, after := "(AX)(R11*2)", "(AX)(R11*2)"
	if k.rows == 2 {
		at[2], at[3], before, after = "(AX)(R12*1)", "(AX)(R12*1)", "(AX)(R11*1)", "(AX)(R11*1)"
	}
	for i, to := range at {
		x := "X" + sums[i][1:]
		if i > 0 {
			k.op("VEXTRACTI32X4 $%d, %s, %s", i, sums[0], x)
		}
		if i == 3 {
			k.op("LEAQ %s, AX", before)
		}
		k.op("VMOVDQU8 %s, K1, %s", x, to)
	}
	k.op("LEAQ %s, AX", after)
}

// storeOne scales and stores one pixel's.
func (k depthwiseKernel) storeOne() {
	for r, at := range []string{"(AX)", "(AX)(R12*1)"}[:k.rows] {
		sum := vnniSets[0][r*k.pixels]
		k.scale(r, sum)
		x := "X" + sum[1:]
		k.op("VPMOVSDB %s, %s", sum, x)
		k.op("VPMAXSB X30, %s, %s", x, x)
		k.op("VPMINSB X31, %s, %s", x, x)
		k.op("VMOVDQU8 %s, K1, %s", x, at)
	}
	k.op("ADDQ R11, AX")
}
