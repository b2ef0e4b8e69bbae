package main

import "fmt"

// vnniTiles are the tiles of the amd64 AVX512-VNNI set by panel width: 16
// accumulators of 16 columns, or as many as there are rows.
var vnniTiles = []struct{ columns, rows int }{
	{64, 4}, {64, 2}, {64, 1}, {32, 8}, {32, 4}, {32, 2}, {32, 1}, {16, 8}, {16, 4}, {16, 2}, {16, 1},
}

// vnniRows hold the addresses of a tile's rows.
var vnniRows = []string{"R8", "R9", "R10", "R11", "R12", "R13", "AX", "BX"}

func vnni(s *source) {
	vnniTranspose(s)
	for _, t := range vnniTiles {
		vnniTile(s, t.columns, t.rows, false)
		if t.rows == 1 {
			vnniTile(s, t.columns, t.rows, true)
		}
	}
	vnniDouble(s, 8)
	vnniDouble(s, 2)
	vnniDepthwise(s, 4)
	vnniDepthwise(s, 1)
	vnniGather(s)
	vnniQuads(s)
	vnniAdd(s)
	vnniFlip(s)
	vnniLines(s)
	vnniPeak(s)
}

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
	vnniConstants(s, 1)
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

// vnniTile multiplies by VPDPBUSD: the bytes of a row are broadcast four at a
// time, as unsigned, against four signed weights of each of 16 columns.
//
// Registers: the rows' addresses; SI the offset within them, DX its end in this
// run; CX the weights; R15 the next run's reach; DI the argument. On the stack:
// rows left, next offsets, runs left,
// where the results go.
func vnniTile(s *source, columns, rows int, flip bool) {
	n := columns / 16
	// A single row would wait for its own sums: it takes two steps at a time, into
	// sums of their own.
	twice := rows == 1
	sums := rows * n
	weights := func(i int) string { return fmt.Sprintf("Z%d", 24+i) }
	sum := func(r, i int) string { return fmt.Sprintf("Z%d", r*n+i) }
	name, doc := "gemmVNNI", "%d rows at a time times %d columns."
	if flip {
		name, doc = "gemmFlipVNNI", "%d row at a time, to whose bytes it adds 128, times %d columns."
	}
	s.function(fmt.Sprintf("%s%dx%d", name, rows, columns), fmt.Sprintf(doc, rows, columns), 32)
	vnniArguments(s)
	s.op("MOVQ block_columns(DI), CX")
	s.op("MOVQ $-1, AX") // the columns in use, one bit each
	s.op("BZHIQ CX, AX, AX")
	vnniConstants(s, n)
	if flip {
		s.op("MOVL $0x80808080, AX")
		s.op("VPBROADCASTD AX, Z23")
	}
	tile, run, step, done := s.label("tile"), s.label("run"), s.label("step"), s.label("done")
	s.at(tile)
	s.op("MOVQ block_params(DI), CX")
	for i := range n {
		s.op("VMOVDQU64 %d(CX), %s", 384*i, sum(0, i))
		for r := 1; r < rows; r++ {
			s.op("VMOVDQA64 %s, %s", sum(0, i), sum(r, i))
		}
	}
	if twice {
		for i := range n {
			s.op("VPXORD Z%d, Z%d, Z%d", sums+i, sums+i, sums+i)
		}
	}
	vnniRowAddresses(s, rows)
	s.at(run)
	s.op("MOVLQSX (R15), SI")
	s.op("ADDQ $4, R15")
	s.op("MOVQ block_length(DI), DX")
	s.op("ADDQ SI, DX")
	if twice {
		vnniTwice(s, n, flip)
	} else {
		s.at(step)
		for i := range n {
			s.op("VMOVDQU64 %d(CX), %s", 64*i, weights(i))
		}
		for r := range rows {
			s.op("VPBROADCASTD (%s)(SI*1), Z28", vnniRows[r])
			for i := range n {
				s.op("VPDPBUSD %s, Z28, %s", weights(i), sum(r, i))
			}
		}
		s.op("ADDQ $%d, CX", 64*n)
		s.op("ADDQ $4, SI")
		s.op("CMPQ SI, DX")
		s.op("JLT %s", step)
	}
	s.op("DECQ runs-24(SP)")
	s.op("JNZ %s", run)
	if twice {
		for i := range n {
			s.op("VPADDD Z%d, %s, %s", sums+i, sum(0, i), sum(0, i))
		}
	}
	s.op("MOVQ block_params(DI), CX")
	s.op("MOVQ out-32(SP), SI")
	s.op("MOVQ block_stride(DI), DX")
	vnniStore(s, rows, n, sum)
	s.op("MOVQ SI, out-32(SP)")
	s.op("SUBQ $%d, left-8(SP)", rows)
	s.op("JNZ %s", tile)
	s.at(done)
	s.op("VZEROUPPER")
	s.op("RET")
}

// vnniConstants sets what vnniStore needs for n blocks of 16 columns, from the
// mask of the columns in use in AX.
func vnniConstants(s *source, n int) {
	s.op("KMOVQ AX, K1")
	s.op("MOVL $0x5555, AX")
	s.op("KMOVW AX, K7")
	s.op("MOVQ block_params(DI), CX")
	for i := range n {
		s.op("VMOVDQU64 %d(CX), Z25", 384*i+320)
		s.op("VPTESTMD Z25, Z25, K%d", 2+i)
	}
	s.op("VMOVDQU64 dwordsVNNI<>(SB), Z29")
	s.op("VPBROADCASTB block_min(DI), Z30")
	s.op("VPBROADCASTB block_max(DI), Z31")
}

// vnniTwice is the loop over a run for one row: two steps while there are two.
func vnniTwice(s *source, n int, flip bool) {
	load := func(at, z int) {
		s.op("VPBROADCASTD %d(R8)(SI*1), Z%d", at, z)
		if flip {
			s.op("VPXORD Z23, Z%d, Z%d", z, z)
		}
	}
	step, last, end := s.label("step"), s.label("last"), s.label("end")
	s.op("SUBQ $4, DX")
	s.op("CMPQ SI, DX")
	s.op("JGE %s", last)
	s.at(step)
	for half := range 2 {
		load(4*half, 24+half)
		for i := range n {
			s.op("VPDPBUSD %d(CX), Z%d, Z%d", 64*(half*n+i), 24+half, half*n+i)
		}
	}
	s.op("ADDQ $%d, CX", 128*n)
	s.op("ADDQ $8, SI")
	s.op("CMPQ SI, DX")
	s.op("JLT %s", step)
	s.at(last)
	s.op("JGT %s", end)
	load(0, 28)
	for i := range n {
		s.op("VPDPBUSD %d(CX), Z28, Z%d", 64*i, i)
	}
	s.op("ADDQ $%d, CX", 64*n)
	s.at(end)
}

// vnniScale turns 16 sums into results that have their zero point but not their
// bounds yet. With p = 2·sum·m the result is
//
//	((p + 2^31)>>32 + half + zero·2^e − [sum<0]) >> e
//
// the two roundings of the definition as nested floors. What is in the register
// is sum + 2^30, which is positive; params holds
//
//	2^31 + (half + zero·2^e − 1)·2^32 − 2^30·2m
//
// as one 64-bit constant, and bit 30, which is set for sums that are not negative,
// takes the 1 back. It counts only in columns with e > 0, which sign names. Even
// and odd columns are multiplied apart.
//
// params: bias, 2m, 2m of the odd columns, the constants of the even columns and
// of the odd ones, e. K7 names the even columns.
func vnniScale(s *source, params int, sum, sign string) {
	at := func(i int) string { return fmt.Sprintf("%d(CX)", params+64*i) }
	s.op("VPSRLQ $32, %s, Z25", sum)
	s.op("VPSRLD.Z $30, %s, %s, Z26", sum, sign)
	s.op("VPMULUDQ %s, %s, %s", at(1), sum, sum)
	s.op("VPMULUDQ %s, Z25, Z25", at(2))
	s.op("VPADDQ %s, %s, %s", at(3), sum, sum)
	s.op("VPADDQ %s, Z25, Z25", at(4))
	s.op("VMOVSHDUP %s, K7, Z25", sum)
	s.op("VPADDD Z26, Z25, Z25")
	s.op("VPSRAVD %s, Z25, %s", at(5), sum)
}

// vnniPack packs four vectors of 16 results into bytes, one after the other, in
// the first, and bounds them. Z29 holds the order of dwords, Z30 and Z31 the
// bounds.
func vnniPack(s *source, r []string) {
	s.op("VPACKSSDW %s, %s, %s", r[1], r[0], r[0])
	if r[2] != r[0] {
		s.op("VPACKSSDW %s, %s, %s", r[3], r[2], r[2])
	}
	s.op("VPACKSSWB %s, %s, %s", r[2], r[0], r[0])
	s.op("VPERMD %s, Z29, %s", r[0], r[0])
	s.op("VPMAXSB Z30, %s, %s", r[0], r[0])
	s.op("VPMINSB Z31, %s, %s", r[0], r[0])
}

// vnniDouble multiplies for panels of 8 columns, whose results fill half a vector:
// two rows lie in one, and the rows' results in a line.
func vnniDouble(s *source, rows int) {
	s.function(fmt.Sprintf("gemmVNNI%dx8", rows), fmt.Sprintf("%d rows at a time, two to a vector, times 8 columns.", rows), 32)
	vnniArguments(s)
	s.op("MOVQ $-1, AX")
	s.op("MOVL $%d, CX", 8*rows)
	s.op("BZHIQ CX, AX, AX")
	vnniConstants(s, 1)
	s.op("MOVL $0xFF00, AX")
	s.op("KMOVW AX, K3")
	tile, run, step := s.label("tile"), s.label("run"), s.label("step")
	s.at(tile)
	s.op("MOVQ block_params(DI), CX")
	for r := range rows / 2 {
		s.op("VMOVDQU64 (CX), Z%d", r)
	}
	vnniRowAddresses(s, rows)
	s.at(run)
	s.op("MOVLQSX (R15), SI")
	s.op("ADDQ $4, R15")
	s.op("MOVQ block_length(DI), DX")
	s.op("ADDQ SI, DX")
	s.at(step)
	s.op("VBROADCASTI64X4 (CX), Z24")
	for r := range rows / 2 {
		s.op("VPBROADCASTD (%s)(SI*1), Z%d", vnniRows[2*r], 16+r)
		s.op("VPBROADCASTD (%s)(SI*1), K3, Z%d", vnniRows[2*r+1], 16+r)
		s.op("VPDPBUSD Z24, Z%d, Z%d", 16+r, r)
	}
	s.op("ADDQ $32, CX")
	s.op("ADDQ $4, SI")
	s.op("CMPQ SI, DX")
	s.op("JLT %s", step)
	s.op("DECQ runs-24(SP)")
	s.op("JNZ %s", run)
	s.op("MOVQ block_params(DI), CX")
	s.op("MOVQ out-32(SP), SI")
	all := []string{"Z0", "Z1", "Z2", "Z3"}
	for r := range 4 {
		if r < rows/2 {
			vnniScale(s, 0, all[r], "K2")
		} else {
			all[r] = all[rows/2-1]
		}
	}
	vnniPack(s, all)
	s.op("VMOVDQU8 Z0, K1, (SI)")
	s.op("ADDQ $%d, SI", 8*rows)
	s.op("MOVQ SI, out-32(SP)")
	s.op("SUBQ $%d, left-8(SP)", rows)
	s.op("JNZ %s", tile)
	s.op("VZEROUPPER")
	s.op("RET")
}

// vnniArguments takes the argument to DI, and rows, offsets and results to the
// stack.
func vnniArguments(s *source) {
	s.op("MOVQ b+0(FP), DI")
	s.op("MOVQ block_rows(DI), AX")
	s.op("MOVQ AX, left-8(SP)")
	s.op("MOVQ block_offsets(DI), AX")
	s.op("MOVQ AX, next-16(SP)")
	s.op("MOVQ block_out(DI), AX")
	s.op("MOVQ AX, out-32(SP)")
}

// vnniRowAddresses takes up the addresses of the next rows, the weights, and the
// runs.
func vnniRowAddresses(s *source, rows int) {
	s.op("MOVQ next-16(SP), CX")
	s.op("MOVQ block_a(DI), DX")
	for r := range rows {
		s.op("MOVLQSX %d(CX), %s", 4*r, vnniRows[r])
		s.op("ADDQ DX, %s", vnniRows[r])
	}
	s.op("ADDQ $%d, CX", 4*rows)
	s.op("MOVQ CX, next-16(SP)")
	s.op("MOVQ block_runs(DI), CX")
	s.op("MOVQ CX, runs-24(SP)")
	s.op("MOVQ block_reach(DI), R15")
	s.op("MOVQ block_b(DI), CX")
}

// vnniStore scales a tile's sums and stores them. SI points to the first row's
// results, DX is the distance to the next, K1 names the columns in use.
func vnniStore(s *source, rows, n int, sum func(r, i int) string) {
	var all []string
	for r := range rows {
		for i := range n {
			vnniScale(s, 384*i, sum(r, i), fmt.Sprintf("K%d", 2+i))
			all = append(all, sum(r, i))
		}
	}
	for len(all)%4 != 0 { // what is packed beside the last is not stored
		all = append(all, all[len(all)-1])
	}
	for r, g := 0, 0; g < len(all); g += 4 {
		group := all[g : g+4]
		vnniPack(s, group)
		x := group[0][1:]
		for part := 0; part < 4 && r < rows; part += n {
			switch {
			case n == 4:
				s.op("VMOVDQU8 Z%s, K1, (SI)", x)
			case n == 2 && part == 0:
				s.op("VMOVDQU8 Y%s, K1, (SI)", x)
			case n == 2:
				s.op("VEXTRACTI64X4 $1, Z%s, Y%s", x, x)
				s.op("VMOVDQU8 Y%s, K1, (SI)", x)
			case part == 0:
				s.op("VMOVDQU8 X%s, K1, (SI)", x)
			default:
				s.op("VEXTRACTI32X4 $%d, Z%s, X25", part, x)
				s.op("VMOVDQU8 X25, K1, (SI)")
			}
			s.op("ADDQ DX, SI")
			r++
		}
	}
}

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
	vnniConstants(s, 1)
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
