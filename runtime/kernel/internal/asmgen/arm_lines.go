package main

// armLines copies rows with padding. Its stores of padding reach up to 15 bytes
// too far, into what is written next, or into the margin.
//
// R0 is the argument; R1 and R2 the rows, R3 how many; R4 and R5 the steps from
// one to the next; R6, R7, R8 the bytes left of the copy, of the copy, right of
// it; R9 goes along the copy; R12 counts; R14 is an address.
func armLines(a *arm) {
	a.labels = 0
	a.line("\n// func linesNEON(c *lines)")
	a.line("//\n// Copies rows between padding.")
	a.line("TEXT ·linesNEON(SB), NOSPLIT, $4-4")
	a.op("MOVW c+0(FP), R0")
	for _, arg := range []string{"dst(R0), R1", "src(R0), R2", "n(R0), R3", "dstPitch(R0), R4", "srcPitch(R0), R5", "left(R0), R6", "size(R0), R7", "right(R0), R8"} {
		a.op("MOVW lines_%s", arg)
	}
	a.op("MOVBS lines_pad(R0), R9")
	a.spread(1, 0, 9)
	a.flush()
	row := a.label("row")
	a.at(row)
	a.op("MOVW R1, R9")
	a.pad(6)
	a.op("ADD R6, R9")
	a.op("MOVW R2, R14")
	a.copyRow()
	a.pad(8)
	a.op("ADD R4, R1")
	a.op("ADD R5, R2")
	a.op("SUB.S $1, R3")
	a.op("BNE %s", row)
	a.op("RET")
}

// pad fills as many bytes from R9 on, which stays, as the register says.
func (a *arm) pad(size int) {
	step, end := a.label("pad"), a.label("padded")
	a.op("MOVW R9, R14")
	a.op("MOVW.S R%d, R12", size)
	a.op("BEQ %s", end)
	a.at(step)
	a.store(0, 2, 14, next)
	a.flush()
	a.op("SUB.S $16, R12")
	a.op("BGT %s", step)
	a.at(end)
}

// copyRow copies R7 bytes from R14 to R9, and moves both.
func (a *arm) copyRow() {
	step, tail, done := a.label("step"), a.label("tail"), a.label("done")
	a.op("SUB.S $32, R7, R12")
	a.op("BLT %s", tail)
	a.at(step)
	a.load(2, 4, 14, next)
	a.store(2, 4, 9, next)
	a.flush()
	a.op("SUB.S $32, R12")
	a.op("BGE %s", step)
	a.at(tail)
	a.op("AND.S $31, R12")
	a.op("BEQ %s", done)
	for size := 16; size > 0; size /= 2 {
		skip := a.label("skip")
		a.op("TST $%d, R12", size)
		a.op("BEQ %s", skip)
		if size >= 8 {
			a.load(2, size/8, 14, next)
			a.store(2, size/8, 9, next)
		} else {
			a.loadPart(size, 2, 14, next)
			a.storePart(size, 2, 9, next)
		}
		a.flush()
		a.at(skip)
	}
	a.at(done)
}
