package main

// arm64Lines copies rows with padding. Its stores of padding reach up to 16 bytes
// too far, into what is written next, or into the margin.
//
// X0 is the argument; X1 and X2 the rows, X3 how many; X4 and X5 the steps from
// one to the next; X6, X7, X8 the bytes left of the copy, of the copy, right of
// it; X9 and X11 go along the rows, X10 counts.
func arm64Lines(a *arm64) {
	a.labels = 0
	a.line("\n// func linesNEON(c *lines)")
	a.line("//\n// Copies rows between padding.")
	a.line("TEXT ·linesNEON(SB), NOSPLIT, $0-8")
	a.op("MOVD c+0(FP), R0")
	for _, arg := range []string{"dst(R0), R1", "src(R0), R2", "n(R0), R3", "dstPitch(R0), R4", "srcPitch(R0), R5", "left(R0), R6", "size(R0), R7", "right(R0), R8"} {
		a.op("MOVD lines_%s", arg)
	}
	a.op("MOVB lines_pad(R0), R9")
	a.op("VDUP R9, V0.B16")
	row, copied, next := a.label("row"), a.label("copied"), a.label("next")
	a.at(row)
	a.op("MOVD R1, R9")
	a.pad(6)
	a.op("ADD R6, R1, R9")
	a.op("MOVD R2, R11")
	a.copyRow(copied)
	a.at(copied)
	a.op("ADD R7, R9")
	a.pad(8)
	a.at(next)
	a.op("ADD R4, R1")
	a.op("ADD R5, R2")
	a.op("SUBS $1, R3")
	a.op("BNE %s", row)
	a.op("RET")
}

// pad fills as many bytes from X9 on as the register says.
func (a *arm64) pad(size int) {
	step, end := a.label("pad"), a.label("padded")
	a.op("CBZ R%d, %s", size, end)
	a.op("MOVD R%d, R10", size)
	a.op("MOVD R9, R12")
	a.at(step)
	a.op("FMOVQ.P F0, 16(R12)")
	a.op("SUBS $16, R10")
	a.op("BGT %s", step)
	a.at(end)
}

// copyRow copies X7 bytes from X11 to X9, which stays: pieces of 64, 32 and 16
// bytes, then the last 16 again, or in shorter rows single bytes of fewer.
func (a *arm64) copyRow(done string) {
	step, tail, quarter, end, bytes := a.label("step"), a.label("tail"), a.label("quarter"), a.label("end"), a.label("bytes")
	a.op("MOVD R9, R12")
	a.op("SUBS $64, R7, R10")
	a.op("BLT %s", tail)
	a.at(step)
	a.op("FLDPQ.P 32(R11), (F1, F2)")
	a.op("FLDPQ.P 32(R11), (F3, F4)")
	a.op("FSTPQ.P (F1, F2), 32(R12)")
	a.op("FSTPQ.P (F3, F4), 32(R12)")
	a.op("SUBS $64, R10")
	a.op("BGE %s", step)
	a.at(tail)
	a.op("TBZ $5, R10, %s", quarter)
	a.op("FLDPQ.P 32(R11), (F1, F2)")
	a.op("FSTPQ.P (F1, F2), 32(R12)")
	a.at(quarter)
	a.op("TBZ $4, R10, %s", end)
	a.op("FMOVQ.P 16(R11), F1")
	a.op("FMOVQ.P F1, 16(R12)")
	a.at(end)
	a.op("ANDS $15, R10")
	a.op("BEQ %s", done)
	a.op("CMP $16, R7")
	a.op("BLT %s", bytes)
	a.op("ADD R10, R11")
	a.op("ADD R10, R12")
	a.op("FMOVQ -16(R11), F1")
	a.op("FMOVQ F1, -16(R12)")
	a.op("JMP %s", done)
	a.at(bytes)
	for bit, move := range []string{"MOVB.P 1", "MOVH.P 2", "MOVW.P 4", "MOVD.P 8"} {
		skip := a.label("skip")
		a.op("TBZ $%d, R10, %s", bit, skip)
		a.op("%s(R11), R13", move)
		a.op("%s R13, %s(R12)", move[:6], move[7:])
		a.at(skip)
	}
}
