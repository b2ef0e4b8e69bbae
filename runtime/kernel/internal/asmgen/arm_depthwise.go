package main

import "fmt"

// taps writes a depthwise micro-kernel for any number of taps, as a tile whose
// columns are 8 channels and whose rows are pixels. Two taps' products are added
// in 16 bits, then in 32; as in matrix products no weight may be -128.
//
// R0 to R7 are as in armTile; R8 and R9 two taps' reaches, R12 and R14 addresses.
func (t *armTile) taps() {
	t.function(fmt.Sprintf("depthwiseNEON%d", t.rows), "8 channels, as many pixels at a time as its name says.", 16)
	t.arguments()
	tile, pair, single, done := t.label("tile"), t.label("pair"), t.label("single"), t.label("done")
	t.at(tile)
	t.begin()
	t.op("SUB.S $2, R7")
	t.op("BLT %s", single)
	t.at(pair)
	t.op("MOVM.IA.W (R6), [R8, R9]")
	t.add(2)
	t.op("SUB.S $2, R7")
	t.op("BGE %s", pair)
	t.at(single)
	t.op("TST $1, R7")
	t.op("BEQ %s", done)
	t.op("MOVW (R6), R8")
	t.add(1)
	t.at(done)
	t.epilogue(tile)
}

// add adds the products of one or two taps.
func (t *armTile) add(taps int) {
	w := t.spare()
	x, products := rotate(w+2, 4), rotate(w/2+3, (16-w/2)-3)
	t.load(w, taps, 5, next)
	for r := range t.rows {
		p := 2 * products.take()
		for tap := range taps {
			v, at := x.take(), []int{12, 14}[tap]
			t.x(fmt.Sprintf("ADD R%d, R%d, R%d", 8+tap, 1+r, at), at, 8+tap, 1+r)
			t.load(v, 1, at, stay)
			t.v([]string{"vmull.s8", "vmlal.s8"}[tap], p, w+tap, v)
		}
		for i := range 2 {
			t.v("vaddw.s16", t.acc(r, i), t.acc(r, i), p+i)
		}
	}
	t.flush()
}

// Registers of depthwiseNEON9: the output's zero, pixels' sums, and those of the
// epilogue, which also hold products before.
const (
	nineZero   = 22
	nineSum    = 24
	nineFactor = 10
	nineShift  = 14
	nineLimits = 18
)

// armNine is for windows of 3x3 pixels and 8 channels. Their weights stay in
// registers 0 to 8, and their taps lie at three distances: from one to the next,
// and from the end of a row of three to the second and to the third row.
//
// R0 is the argument, R1 and R14 the pixels, R2 next offsets, R3 what they count
// from, R4 and R5 where results go, R6, R7 and R12 the distances, the last from the
// stack, R8 rows left, R9 the epilogue.
func armNine(a *arm, pixels int) {
	a.function(fmt.Sprintf("depthwiseNEON9x%d", pixels), "8 channels, nine taps, as many pixels at a time as its name says.", 4)
	a.op("MOVW b+0(FP), R0")
	a.longer(8)
	a.op("MOVW block_reach(R0), R1")
	a.op("MOVM.IA (R1), [R2-R5]")
	a.op("SUB R2, R3, R6")
	a.op("SUB R4, R5, R7")
	a.op("MOVW 20(R1), R4")
	a.op("MOVW 24(R1), R5")
	a.op("SUB R4, R5")
	a.op("MOVW R5, third-4(SP)")
	a.op("MOVW block_a(R0), R3")
	a.op("ADD R2, R3")
	for _, arg := range []string{"b(R0), R1", "offsets(R0), R2", "stride(R0), R4", "out(R0), R5", "rows(R0), R8", "params(R0), R9"} {
		a.op("MOVW block_%s", arg)
	}
	a.load(0, 4, 1, next)
	a.load(4, 4, 1, next)
	a.load(8, 1, 1, stay)
	a.flush()
	a.op("MOVW block_zero(R0), R1")
	a.spread(2, nineZero, 1)
	a.flush()
	longer := a.label("longer")
	a.op("CMP $0, R12")
	a.op("BNE %s", longer)
	a.nine(pixels, armEpilogue{arm: a})
	a.at(longer)
	a.nine(pixels, armEpilogue{arm: a, long: true, spare: nineLimits, least: nineLimits})
}

// nine is the loop over pixels.
func (a *arm) nine(pixels int, e armEpilogue) {
	tile := a.label("tile")
	at := []int{1, 14}[:pixels]
	a.at(tile)
	if pixels == 1 {
		a.op("MOVW.P 4(R2), R1")
	} else {
		a.op("MOVM.IA.W (R2), [R1, R14]")
	}
	for _, r := range at {
		a.op("ADD R3, R%d", r)
	}
	products, x := []int{10, 12, 14, 16}, []int{9, 18, 19, 20, 21}
	var p [2]int
	for i := range pixels {
		a.load(nineSum+4*i, 4, 9, []int{stay, next}[(i+1)/pixels])
	}
	for t := range 9 {
		if t == 5 {
			a.x("MOVW third-4(SP), R12", 12)
		}
		for i, r := range at {
			if t%2 == 0 {
				p[i] = products[(t/2*pixels+i)%len(products)]
			}
			v := x[(t*pixels+i)%len(x)]
			a.load(v, 1, r, []int{6, 6, 7, 6, 6, 12, 6, 6, stay}[t])
			a.v([]string{"vmull.s8", "vmlal.s8"}[t%2], p[i], t, v)
			for j := 0; j < 2 && (t%2 == 1 || t == 8); j++ {
				sum := nineSum + 4*i + 2*j
				a.v("vaddw.s16", sum, sum, p[i]+j)
			}
		}
	}
	a.load(nineFactor, 4, 9, next)
	a.load(nineShift, 4, 9, next)
	a.x("SUB $96, R9", 9, 9)
	for i := range 2 * pixels {
		e.scale(nineSum+2*i, nineFactor+2*(i%2), nineShift+2*(i%2))
	}
	if e.long {
		e.limits()
	}
	for i := range pixels {
		e.narrow(nineSum+4*i, 2, nineZero, nineSum+4*i)
	}
	a.pixels(pixels, e.long)
	a.op("SUB.S $%d, R8", pixels)
	a.op("BNE %s", tile)
	a.op("RET")
}

// pixels stores results.
func (a *arm) pixels(pixels int, long bool) {
	part, done := a.label("part"), a.label("done")
	if long {
		a.flush()
		a.op("MOVW block_columns(R0), R12")
		a.op("CMP $8, R12")
		a.op("BLT %s", part)
	}
	for i := range pixels {
		a.store(nineSum+4*i, 1, 5, 4)
	}
	a.flush()
	if long {
		a.op("B %s", done)
		a.at(part)
		for i := range pixels {
			a.few(nineSum+4*i, 8)
		}
		a.at(done)
	}
}
