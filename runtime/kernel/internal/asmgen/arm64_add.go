package main

import "fmt"

// Vector registers of addNEON: bytes of both sides, as 16 and 32 bits, and the
// constants.
const (
	addZero = 16 + iota
	addWZero
	addFactor
	addShift
	addSign
	addOutFactor
	addOutShift
	addUnit
	addMin
	addMax
)

// arm64Add adds 16 elements at a time, then 8, then one; linearAdd states the
// arithmetic, of which the products need no splitting here. There are two such
// loops: where a shift is by nothing, the negative numbers must not be reduced
// before it.
//
// X0 is the argument, X1 and X2 the sides, X3 the sums, X4 their number.
func arm64Add(a *arm64) {
	a.labels = 0
	a.line("\n// func addNEON(l *linearAdd, v, w, out *int8, n int)")
	a.line("TEXT ·addNEON(SB), NOSPLIT, $0-40")
	for i, arg := range []string{"l", "v", "w", "out", "n"} {
		a.op("MOVD %s+%d(FP), R%d", arg, 8*i, i)
	}
	a.op("MOVW linearAdd_high(R0), R5")
	a.op("MOVW linearAdd_low(R0), R6")
	a.op("ADD R5<<16, R6, R5")
	a.op("VDUP R5, V%d.S4", addFactor)
	for _, c := range []struct {
		field, lanes string
		v            int
	}{
		{"zero", "B16", addZero}, {"wZero", "B16", addWZero}, {"wSign", "H8", addSign}, {"m", "S4", addOutFactor},
		{"unit", "H8", addUnit}, {"min", "B16", addMin}, {"max", "B16", addMax},
	} {
		a.op("MOVW linearAdd_%s(R0), R5", c.field)
		a.op("VDUP R5, V%d.%s", c.v, c.lanes)
	}
	a.op("MOVW linearAdd_e(R0), R6")
	a.op("MOVW linearAdd_outE(R0), R7")
	for i, v := range []int{addShift, addOutShift} {
		a.op("NEG R%d, R5", 6+i)
		a.op("VDUP R5, V%d.S4", v)
	}
	masked := a.label("masked")
	a.op("CBZ R6, %s", masked)
	a.op("CBZ R7, %s", masked)
	a.addLoops(false)
	a.at(masked)
	a.addLoops(true)
}

func (a *arm64) addLoops(masked bool) {
	for _, width := range []int{16, 8, 1} {
		step, end := a.label("step"), a.label("end")
		a.op("SUBS $%d, R4", width)
		a.op("BLT %s", end)
		a.at(step)
		a.add(width, masked)
		a.op("SUBS $%d, R4", width)
		a.op("BGE %s", step)
		a.at(end)
		a.op("ADD $%d, R4", width)
	}
	a.op("RET")
}

// add computes width sums.
func (a *arm64) add(width int, masked bool) {
	a.load(width, 0, 1, width)
	a.load(width, 1, 2, width)
	var all []int
	for half := range max(width/8, 1) {
		form := []string{"", "2"}[half]
		v, w, sums := 2+half, 4+half, []int{8 + 2*half, 9 + 2*half}
		a.v("ssubl"+form, v, 0, addZero)
		a.v("ssubl"+form, w, 1, addWZero)
		a.v("shl5", v, v)
		a.v("shl6", w, w)
		for i, upper := range []string{"", "2"} {
			sum := sums[i]
			a.v("sshll15"+upper, sum, v)
			a.v("sqrdmulh", sum, sum, addFactor)
			a.round(sum, addShift, 12+2*half+i, masked)
			a.v("smlal.s"+upper, sum, w, addSign)
			a.v("sqrdmulh", sum, sum, addOutFactor)
			a.round(sum, addOutShift, 12+2*half+i, masked)
		}
		a.v("sqxtn.h", sums[0], sums[0])
		a.v("sqxtn2.h", sums[0], sums[1])
		a.v("sqadd", sums[0], sums[0], addUnit)
		all = append(all, sums[0])
	}
	a.v("sqxtn.b", 8, 8)
	if len(all) > 1 {
		a.v("sqxtn2.b", 8, all[1])
	}
	a.v("smax", 8, 8, addMin)
	a.v("smin", 8, 8, addMax)
	a.save(width, 8, 3, width)
	a.flush()
}

// round shifts right, rounding half away from zero; spare is overwritten.
func (a *arm64) round(v, shift, spare int, masked bool) {
	from := v
	if masked {
		a.v("and", spare, v, shift)
		from = spare
	}
	a.v("sign", v, from)
	a.v("srshl", v, v, shift)
}

// load loads 16, 8 bytes or one from base, which then moves on by offset; save
// stores them.
func (a *arm64) load(size, v, base, offset int) {
	w, text := arm64Move(true, size, v, base, offset)
	a.piece = append(a.piece, instruction{
		text: word(w, text), unit: memory, latency: 4,
		reads: []string{xreg(base), "memory"}, writes: []string{vreg(v), xreg(base)}, address: xreg(base),
	})
}

func (a *arm64) save(size, v, base, offset int) {
	w, text := arm64Move(false, size, v, base, offset)
	a.piece = append(a.piece, instruction{
		text: word(w, text), unit: memory, latency: 1,
		reads: []string{xreg(base), vreg(v)}, writes: []string{"memory", xreg(base)}, address: xreg(base),
	})
}

func arm64Move(load bool, size, v, base, offset int) (uint32, string) {
	w := map[int]uint32{16: 0x3c800400, 8: 0xfc000400, 1: 0x3c000400}[size]
	name := map[int]string{16: "q", 8: "d", 1: "b"}[size]
	op := "str"
	if load {
		w, op = w|0x00400000, "ldr"
	}
	return w | uint32(offset)<<12 | uint32(base)<<5 | uint32(v), fmt.Sprintf("%s %s%d, [x%d], #%d", op, name, v, base, offset)
}
