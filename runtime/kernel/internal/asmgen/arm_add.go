package main

// Registers of addNEON: the constants, bytes of both sides, the sides in 16 bits,
// sums, one to overwrite.
const (
	armAddZero      = 0
	armAddWZero     = 2
	armAddFactor    = 4
	armAddShift     = 6
	armAddSign      = 8
	armAddOutFactor = 10
	armAddOutShift  = 12
	armAddUnit      = 14
	armAddLimits    = 16
	armAddBytes     = 20
	armAddV         = 22
	armAddW         = 24
	armAddSum       = 26
	armAddSpare     = 30
)

// armAdd adds 8 elements at a time, then one; linearAdd states the arithmetic, of
// which the products need no splitting here. There are two such loops: where a
// shift is by nothing, the negative numbers must not be reduced before it.
//
// R0 is the argument, R1 and R2 the sides, R3 the sums, R4 their number.
func armAdd(a *arm) {
	a.labels = 0
	a.line("\n// func addNEON(l *linearAdd, v, w, out *int8, n int)")
	a.line("TEXT ·addNEON(SB), NOSPLIT, $0-20")
	for _, arg := range []string{"l+0(FP), R0", "v+4(FP), R1", "w+8(FP), R2", "out+12(FP), R3", "n+16(FP), R4"} {
		a.op("MOVW %s", arg)
	}
	constant := func(size, d int) {
		a.spread(size, d, 5)
		a.flush()
	}
	a.op("MOVW linearAdd_high(R0), R5")
	a.op("MOVW linearAdd_low(R0), R6")
	a.op("ADD R5<<16, R6, R5")
	constant(4, armAddFactor)
	for _, c := range []struct {
		field   string
		size, d int
	}{
		{"zero", 1, armAddZero}, {"wZero", 1, armAddWZero}, {"wSign", 2, armAddSign}, {"m", 4, armAddOutFactor},
		{"unit", 2, armAddUnit}, {"min", 1, armAddLimits}, {"max", 1, armAddLimits + 2},
	} {
		a.op("MOVW linearAdd_%s(R0), R5", c.field)
		constant(c.size, c.d)
	}
	a.op("MOVW linearAdd_e(R0), R6")
	a.op("MOVW linearAdd_outE(R0), R7")
	for i, d := range []int{armAddShift, armAddOutShift} {
		a.op("RSB $0, R%d, R5", 6+i)
		constant(4, d)
	}
	masked := a.label("masked")
	for _, r := range []string{"R6", "R7"} {
		a.op("CMP $0, %s", r)
		a.op("BEQ %s", masked)
	}
	a.addLoops(false)
	a.at(masked)
	a.addLoops(true)
}

// addLoops are the loops in one of the two forms.
func (a *arm) addLoops(masked bool) {
	step, one, end := a.label("step"), a.label("one"), a.label("end")
	a.op("SUB.S $8, R4")
	a.op("BLT %s", one)
	a.at(step)
	a.load(armAddBytes, 1, 1, next)
	a.load(armAddBytes+1, 1, 2, next)
	a.sums(masked)
	a.store(armAddBytes, 1, 3, next)
	a.flush()
	a.op("SUB.S $8, R4")
	a.op("BGE %s", step)
	a.at(one)
	a.op("ADD.S $8, R4")
	a.op("BEQ %s", end)
	loop := a.label("loop")
	a.at(loop)
	a.loadPart(1, armAddBytes, 1, next)
	a.loadPart(1, armAddBytes+1, 2, next)
	a.sums(masked)
	a.storePart(1, armAddBytes, 3, next)
	a.flush()
	a.op("SUB.S $1, R4")
	a.op("BNE %s", loop)
	a.at(end)
	a.op("RET")
}

// sums adds 8 elements.
func (a *arm) sums(masked bool) {
	a.v("vsubl.s8", armAddV, armAddBytes, armAddZero)
	a.v("vsubl.s8", armAddW, armAddBytes+1, armAddWZero)
	a.v("shl5", armAddV, armAddV)
	a.v("shl6", armAddW, armAddW)
	e := armEpilogue{arm: a, long: masked, spare: armAddSpare, least: armAddLimits}
	for i := range 2 {
		sum := armAddSum + 2*i
		a.v("vshll15", sum, armAddV+i)
		e.scale(sum, armAddFactor, armAddShift)
		a.v("vmlal.s16", sum, armAddW+i, armAddSign)
		e.scale(sum, armAddOutFactor, armAddOutShift)
	}
	e.long = true // there are always limits
	e.narrow(armAddSum, 2, armAddUnit, armAddBytes)
}
