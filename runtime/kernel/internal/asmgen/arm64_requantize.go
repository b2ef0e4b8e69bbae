package main

import "fmt"

// epilogue is how sums become bytes: rows of sums, in registers by rows, and the
// registers for multipliers and negative shifts, four or fewer each, which lie
// side by side and may be the same, and for two more to overwrite, which may be
// the last two of them. The panel's epilogue at X19 holds
// multipliers and shifts at the given offsets.
//
// A product is rounded half up. The shift that follows rounds half up too once
// negative numbers were reduced by one, which makes it half away from zero.
type epilogue struct {
	rows                [][]int
	multiplier, shift   int
	spare               int
	limits              int // two registers that hold min and max, or 0
	multipliers, shifts int
}

// limits loads the output's zero into X14, and into X15 whether results are
// limited otherwise than by their type, at which the arithmetic saturates anyway.
// X21 says whether the epilogue has to be the careful one: because columns are
// missing, as X17 says, or because the panel's flag at the given offset says that
// a shift is by nothing, or that a result may need more than 16 bits at first.
func (a *arm64) limits(columns int) {
	a.op("MOVW block_zero(R0), R14")
	a.op("MOVW block_min(R0), R15")
	a.op("MOVW block_max(R0), R16")
	a.op("MOVW %d(R19), R21", 12*columns)
	a.op("SUBS $%d, R20, R17", columns)
	a.op("CSEL GT, ZR, R17, R17")
	a.op("ADD $128, R15")
	a.op("SUB $127, R16")
	a.op("ORR R16, R15")
	a.op("ORR R17, R21")
}

// finishRows writes the epilogue, and the results to X3, X4 bytes from one row to
// the next. X9 and X16 are overwritten.
func (a *arm64) finishRows(e epilogue) {
	a.flush()
	careful, clamp, store, done := a.label("careful"), a.label("clamp"), a.label("store"), a.label("done")
	a.op("CBNZ R21, %s", careful)
	a.scale(e, false)
	a.narrow(e, "uzp1")
	a.flush()
	a.op("CBNZ R15, %s", clamp)
	a.at(store)
	a.stores(e.rows)
	a.flush()
	a.at(done)
	a.later = append(a.later, func() {
		a.at(clamp)
		a.clamp(e)
		a.op("JMP %s", store)
		a.at(careful)
		a.scale(e, true)
		a.narrow(e, "")
		a.clamp(e)
		a.op("CBZ R17, %s", store)
		for _, sums := range e.rows {
			a.part(sums[0], len(sums))
		}
		a.op("JMP %s", done)
	})
}

// scale multiplies and shifts the sums. If masked, the reduction of negative
// numbers leaves out the columns whose shift is by nothing; that takes fewer of
// the registers for multipliers and shifts.
func (a *arm64) scale(e epilogue, masked bool) {
	n := len(e.rows[0])
	step := 4
	if masked {
		step = 2
	}
	for first := 0; first < n; first += step {
		group := min(n-first, step)
		var sums []int
		for _, row := range e.rows {
			sums = append(sums, row[first:first+group]...)
		}
		for i := 0; i < group; i += 2 {
			a.loadPair(e.multiplier+i, e.multiplier+i+1, 19, e.multipliers+16*(first+i))
		}
		for i, v := range sums {
			a.v("sqrdmulh", v, v, e.multiplier+i%group)
		}
		for i := 0; i < group; i += 2 {
			a.loadPair(e.shift+i, e.shift+i+1, 19, e.shifts+16*(first+i))
		}
		for i, v := range sums {
			from := v
			if masked {
				from = e.spare + i%2
				a.v("and", from, v, e.shift+i%group)
			}
			a.v("sign", v, from)
		}
		for i, v := range sums {
			a.v("srshl", v, v, e.shift+i%group)
		}
	}
}

// narrow turns the sums of each row into bytes, in its first register and for
// every further 16 columns in the fourth after that: by the instruction if they
// fit in 16 bits, or else saturating.
func (a *arm64) narrow(e epilogue, pack string) {
	a.piece = append(a.piece, instruction{
		text: fmt.Sprintf("VDUP R14, V%d.H8", e.spare), unit: vector, latency: 4,
		reads: []string{xreg(14)}, writes: []string{vreg(e.spare)},
	})
	for _, sums := range e.rows {
		for i := 0; i < len(sums); i += 2 {
			if pack != "" {
				a.v(pack, sums[i], sums[i], sums[i+1])
			} else {
				a.v("sqxtn.h", sums[i], sums[i])
				a.v("sqxtn2.h", sums[i], sums[i+1])
			}
			a.v("sqadd", sums[i], sums[i], e.spare)
		}
		for i := 0; i < len(sums); i += 4 {
			a.v("sqxtn.b", sums[i], sums[i])
			if len(sums) > 2 {
				a.v("sqxtn2.b", sums[i], sums[i+2])
			}
		}
	}
}

// clamp keeps the results within the limits.
func (a *arm64) clamp(e epilogue) {
	a.flush()
	lo, hi := e.spare, e.spare+1
	if e.limits != 0 {
		lo, hi = e.limits, e.limits+1
	} else {
		a.loadLimits(e.spare)
	}
	for _, sums := range e.rows {
		for i := 0; i < len(sums); i += 4 {
			a.v("smax", sums[i], sums[i], lo)
			a.v("smin", sums[i], sums[i], hi)
		}
	}
	a.flush()
}

// loadLimits repeats min and max in two registers.
func (a *arm64) loadLimits(v int) {
	a.op("MOVW block_min(R0), R9")
	a.op("MOVW block_max(R0), R16")
	a.op("VDUP R9, V%d.B16", v)
	a.op("VDUP R16, V%d.B16", v+1)
}

// stores writes complete rows.
func (a *arm64) stores(rows [][]int) {
	if len(rows[0]) == 8 { // one row
		a.flush()
		a.op("VST1 [V%d.B16], (R3)", rows[0][0])
		a.op("ADD $16, R3, R9")
		a.op("VST1 [V%d.B16], (R9)", rows[0][4])
		a.op("ADD R4, R3")
		return
	}
	for _, sums := range rows {
		a.store(4*len(sums), sums[0], 3, 4)
	}
}

// part stores the first X20 bytes, fewer than 4n.
func (a *arm64) part(v, n int) {
	a.op("MOVD R3, R9")
	a.op("FMOVD F%d, R16", v)
	if n == 4 {
		eight := a.label("eight")
		a.op("TBZ $3, R20, %s", eight)
		a.op("MOVD.P R16, 8(R9)")
		a.op("VMOV V%d.D[1], R16", v)
		a.at(eight)
	}
	four, two, one := a.label("four"), a.label("two"), a.label("one")
	a.op("TBZ $2, R20, %s", four)
	a.op("MOVW.P R16, 4(R9)")
	a.op("LSR $32, R16")
	a.at(four)
	a.op("TBZ $1, R20, %s", two)
	a.op("MOVH.P R16, 2(R9)")
	a.op("LSR $16, R16")
	a.at(two)
	a.op("TBZ $0, R20, %s", one)
	a.op("MOVB R16, (R9)")
	a.at(one)
	a.op("ADD R4, R3")
}

// finish writes what was left for the end of the function.
func (a *arm64) finish() {
	for _, f := range a.later {
		f()
	}
	a.later = nil
}
