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
	vnniDwords(s)
	for _, t := range vnniTiles {
		vnniTile(s, t.columns, t.rows, false)
		vnniTile(s, t.columns, t.rows, true)
	}
	vnniDouble(s, 8)
	vnniDouble(s, 2)
	for _, rows := range []int{2, 1} {
		vnniDepthwise(s, rows, true)
		vnniDepthwise(s, rows, false)
	}
	vnniWeave(s)
	vnniAdd(s)
	vnniFlip(s)
	vnniLines(s)
	vnniPeak(s)
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
	// A tile of few sums would wait for its own: it takes two steps at a time, into
	// sums of their own.
	twice := rows*n <= 8
	sums := rows * n
	sum := func(r, i int) string { return fmt.Sprintf("Z%d", r*n+i) }
	name, doc := "gemmVNNI", "%d rows at a time times %d columns."
	if flip {
		name, doc = "gemmFlipVNNI", "%d rows at a time, to whose bytes it adds 128, times %d columns."
	}
	frame, panels := 32, flip && rows == 1
	if panels {
		frame = 72
	}
	s.function(fmt.Sprintf("%s%dx%d", name, rows, columns), fmt.Sprintf(doc, rows, columns), frame)
	vnniArguments(s)
	s.op("MOVQ block_columns(DI), CX")
	params, panel := "block_params(DI)", ""
	if panels {
		params, panel = "params-40(SP)", s.label("panel")
		vnniPanels(s, panel)
	}
	s.op("MOVQ $-1, AX") // the columns in use, one bit each
	s.op("BZHIQ CX, AX, AX")
	vnniConstants(s, n, params)
	if flip {
		s.op("MOVL $0x80808080, AX")
		s.op("VPBROADCASTD AX, Z23")
	}
	tile, run := s.label("tile"), s.label("run")
	s.at(tile)
	s.op("MOVQ %s, CX", params)
	for i := range n {
		s.op("VMOVDQU64 %d(CX), %s", 384*i, sum(0, i))
		for r := 1; r < rows; r++ {
			s.op("VMOVDQA64 %s, %s", sum(0, i), sum(r, i))
		}
	}
	if twice {
		for i := range sums {
			s.op("VPXORD Z%d, Z%d, Z%d", sums+i, sums+i, sums+i)
		}
	}
	vnniRowAddresses(s, rows)
	if panels {
		s.op("MOVQ weights-48(SP), CX")
	}
	s.at(run)
	s.op("MOVLQSX (R15), SI")
	s.op("ADDQ $4, R15")
	s.op("MOVQ block_length(DI), DX")
	s.op("ADDQ SI, DX")
	switch {
	case rows == 8 && n == 1:
		vnniFour(s, flip)
	case twice:
		vnniTwice(s, rows, n, flip)
	default:
		step := s.label("step")
		s.at(step)
		vnniStep(s, rows, n, flip, 0, 0)
		s.op("ADDQ $%d, CX", 64*n)
		s.op("ADDQ $4, SI")
		s.op("CMPQ SI, DX")
		s.op("JLT %s", step)
	}
	s.op("DECQ runs-24(SP)")
	s.op("JNZ %s", run)
	if twice {
		for i := range sums {
			s.op("VPADDD Z%d, Z%d, Z%d", sums+i, i, i)
		}
	}
	if panels {
		s.op("MOVQ CX, end-72(SP)")
	}
	s.op("MOVQ %s, CX", params)
	s.op("MOVQ out-32(SP), SI")
	s.op("MOVQ block_stride(DI), DX")
	vnniStore(s, rows, n, sum)
	s.op("MOVQ SI, out-32(SP)")
	s.op("SUBQ $%d, left-8(SP)", rows)
	s.op("JNZ %s", tile)
	if panels {
		vnniNextPanel(s, n, panel)
	}
	s.op("VZEROUPPER")
	s.op("RET")
}

// vnniPanels begins the loop over panels that lie one behind the other: of weights,
// parameters and results. CX is the number of columns in use.
func vnniPanels(s *source, panel string) {
	s.op("MOVQ CX, columns-64(SP)")
	s.op("MOVQ block_params(DI), AX")
	s.op("MOVQ AX, params-40(SP)")
	s.op("MOVQ block_b(DI), AX")
	s.op("MOVQ AX, weights-48(SP)")
	s.op("MOVQ out-32(SP), AX")
	s.op("MOVQ AX, results-56(SP)")
	s.at(panel)
	s.op("MOVL $64, AX") // of more the mask knows only the lowest byte
	s.op("CMPQ CX, AX")
	s.op("CMOVQGT AX, CX")
}

// vnniNextPanel ends it.
func vnniNextPanel(s *source, n int, panel string) {
	end := s.label("end")
	s.op("MOVQ columns-64(SP), CX")
	s.op("SUBQ $%d, CX", 16*n)
	s.op("JLE %s", end)
	s.op("MOVQ CX, columns-64(SP)")
	s.op("ADDQ $%d, params-40(SP)", 384*n)
	s.op("MOVQ end-72(SP), AX")
	s.op("MOVQ AX, weights-48(SP)")
	s.op("MOVQ results-56(SP), AX")
	s.op("ADDQ $%d, AX", 16*n)
	s.op("MOVQ AX, results-56(SP)")
	s.op("MOVQ AX, out-32(SP)")
	s.op("MOVQ block_rows(DI), AX")
	s.op("MOVQ AX, left-8(SP)")
	s.op("MOVQ block_offsets(DI), AX")
	s.op("MOVQ AX, next-16(SP)")
	s.op("JMP %s", panel)
	s.at(end)
}

// vnniStep multiplies four bytes of every row, those of step number at from SI on,
// and adds to the sums from Z(first) on.
func vnniStep(s *source, rows, n int, flip bool, at, first int) {
	weights := func(i int) string { return fmt.Sprintf("%d(CX)", 64*(at*n+i)) }
	if rows > 1 {
		for i := range n {
			s.op("VMOVDQU64 %s, Z%d", weights(i), 24+i)
		}
		weights = func(i int) string { return fmt.Sprintf("Z%d", 24+i) }
	}
	for r := range rows {
		s.op("VPBROADCASTD %d(%s)(SI*1), Z28", 4*at, vnniRows[r])
		if flip {
			s.op("VPXORD Z23, Z28, Z28")
		}
		for i := range n {
			s.op("VPDPBUSD %s, Z28, Z%d", weights(i), first+r*n+i)
		}
	}
}

// vnniTwice is the loop over a run of two steps while there are two.
func vnniTwice(s *source, rows, n int, flip bool) {
	step, last, end := s.label("step"), s.label("last"), s.label("end")
	s.op("SUBQ $4, DX")
	s.op("CMPQ SI, DX")
	s.op("JGE %s", last)
	s.at(step)
	for half := range 2 {
		vnniStep(s, rows, n, flip, half, half*rows*n)
	}
	s.op("ADDQ $%d, CX", 128*n)
	s.op("ADDQ $8, SI")
	s.op("CMPQ SI, DX")
	s.op("JLT %s", step)
	s.at(last)
	s.op("JGT %s", end)
	vnniStep(s, rows, n, flip, 0, 0)
	s.op("ADDQ $%d, CX", 64*n)
	s.at(end)
}

// vnniFour is the loop over a run of four steps while there are four, for 8 rows of
// 16 columns: these would load more than they multiply. So of some rows all four
// steps are loaded at once and broadcast from the register.
func vnniFour(s *source, flip bool) {
	const rows, shuffled = 8, 2
	four, step, rest, end := s.label("four"), s.label("step"), s.label("rest"), s.label("end")
	s.op("SUBQ $12, DX")
	s.op("CMPQ SI, DX")
	s.op("JGE %s", rest)
	s.at(four)
	for r := range shuffled {
		s.op("VBROADCASTI32X4 (%s)(SI*1), Z%d", vnniRows[r], 16+r)
		if flip {
			s.op("VPXORD Z23, Z%d, Z%d", 16+r, 16+r)
		}
	}
	for at := range 4 {
		s.op("VMOVDQU64 %d(CX), Z%d", 64*at, 24+at)
		for r := range rows {
			if r < shuffled {
				s.op("VPSHUFD $%d, Z%d, Z28", 0x55*at, 16+r)
			} else {
				s.op("VPBROADCASTD %d(%s)(SI*1), Z28", 4*at, vnniRows[r])
				if flip {
					s.op("VPXORD Z23, Z28, Z28")
				}
			}
			s.op("VPDPBUSD Z%d, Z28, Z%d", 24+at, at%2*rows+r)
		}
	}
	s.op("ADDQ $256, CX")
	s.op("ADDQ $16, SI")
	s.op("CMPQ SI, DX")
	s.op("JLT %s", four)
	s.at(rest)
	s.op("ADDQ $12, DX")
	s.op("CMPQ SI, DX")
	s.op("JGE %s", end)
	s.at(step)
	vnniStep(s, rows, 1, flip, 0, 0)
	s.op("ADDQ $64, CX")
	s.op("ADDQ $4, SI")
	s.op("CMPQ SI, DX")
	s.op("JLT %s", step)
	s.at(end)
}

// vnniDouble multiplies for panels of 8 columns. A vector holds two steps of their
// weights side by side, whose sums are added at the end, when two rows come to lie
// in one vector, two columns of one beside two of the other. The rows' results lie
// in a line.
func vnniDouble(s *source, rows int) {
	s.function(fmt.Sprintf("gemmVNNI%dx8", rows), fmt.Sprintf("%d rows at a time, two to a vector, times 8 columns.", rows), 32)
	vnniArguments(s)
	s.op("MOVQ $-1, AX")
	s.op("MOVL $%d, CX", 8*rows)
	s.op("BZHIQ CX, AX, AX")
	vnniConstants(s, 1, "block_params(DI)")
	s.op("VMOVDQU64 wordsVNNI<>(SB), Z29")
	tile, run, step := s.label("tile"), s.label("run"), s.label("step")
	s.at(tile)
	for r := range rows {
		s.op("VPXORD Z%d, Z%d, Z%d", r, r, r)
	}
	vnniRowAddresses(s, rows)
	s.at(run)
	s.op("MOVLQSX (R15), SI")
	s.op("ADDQ $4, R15")
	s.op("MOVQ block_length(DI), DX")
	s.op("ADDQ SI, DX")
	s.at(step)
	s.op("VMOVDQU64 (CX), Z24")
	for r := range rows {
		s.op("VPBROADCASTQ (%s)(SI*1), Z28", vnniRows[r])
		s.op("VPDPBUSD Z24, Z28, Z%d", r)
	}
	s.op("ADDQ $64, CX")
	s.op("ADDQ $8, SI")
	s.op("CMPQ SI, DX")
	s.op("JLT %s", step)
	s.op("DECQ runs-24(SP)")
	s.op("JNZ %s", run)
	s.op("MOVQ block_params(DI), CX")
	s.op("MOVQ out-32(SP), SI")
	for r := range rows / 2 {
		s.op("VSHUFPS $0x88, Z%d, Z%d, Z16", 2*r+1, 2*r)
		s.op("VSHUFPS $0xDD, Z%d, Z%d, Z17", 2*r+1, 2*r)
		s.op("VPADDD Z16, Z17, Z%d", r)
		s.op("VPADDD (CX), Z%d, Z%d", r, r)
	}
	all := []string{"Z0", "Z1", "Z2", "Z3"}
	vnniScaleAll(s, rows/2, 1, func(r, _ int) string { return all[r] })
	for r := rows / 2; r < 4; r++ {
		all[r] = all[rows/2-1]
	}
	vnniPack(s, all, "VPERMW")
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
