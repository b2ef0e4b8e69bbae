package main

import "fmt"

// elementwiseARM64 writes the loops of operators without weights.
func elementwiseARM64(s *source) {
	a := &arm64{source: s}
	arm64Extreme(a)
	arm64Lookup(a)
	arm64Quantize(a)
}

// arguments loads a function's arguments of a word each into X0 and on.
func (a *arm64) arguments(signature, doc string, names ...string) {
	a.begin(signature, doc, len(names))
	for i, name := range names {
		a.op("MOVD %s+%d(FP), R%d", name, 8*i, i)
	}
}

// list is so many vectors of an arrangement from one on.
func list(first, n int, arrangement string) string {
	text := ""
	for i := range n {
		text += fmt.Sprintf(", V%d.%s", first+i, arrangement)
	}
	return "[" + text[2:] + "]"
}

// arm64Extreme combines both sides with the order, takes the larger unsigned bytes,
// and undoes it.
func arm64Extreme(a *arm64) {
	a.arguments("extremeNEON(out, x, y *byte, length, count, outPitch, xPitch, yPitch, order int)",
		"Rows of a multiple of 16 bytes.", "out", "x", "y", "length", "count", "outPitch", "xPitch", "yPitch", "order")
	a.op("VDUP R8, V0.B16")
	row, body, tail, step, next := a.label("row"), a.label("body"), a.label("tail"), a.label("step"), a.label("next")
	vectors := func(n int) {
		a.op("VLD1.P %d(R10), %s", 16*n, list(1, n, "B16"))
		a.op("VLD1.P %d(R11), %s", 16*n, list(5, n, "B16"))
		for i := range n {
			a.op("VEOR V0.B16, V%d.B16, V%d.B16", 1+i, 1+i)
			a.op("VEOR V0.B16, V%d.B16, V%d.B16", 5+i, 5+i)
		}
		for i := range n {
			a.op("VUMAX V%d.B16, V%d.B16, V%d.B16", 5+i, 1+i, 1+i)
		}
		for i := range n {
			a.op("VEOR V0.B16, V%d.B16, V%d.B16", 1+i, 1+i)
		}
		a.op("VST1.P %s, %d(R9)", list(1, n, "B16"), 16*n)
		a.op("SUBS $%d, R12", 16*n)
	}
	a.at(row)
	a.op("MOVD R0, R9")
	a.op("MOVD R1, R10")
	a.op("MOVD R2, R11")
	a.op("SUBS $64, R3, R12")
	a.op("BLT %s", tail)
	a.at(body)
	vectors(4)
	a.op("BGE %s", body)
	a.at(tail)
	a.op("ADDS $64, R12")
	a.op("BEQ %s", next)
	a.at(step)
	vectors(1)
	a.op("BNE %s", step)
	a.at(next)
	a.op("ADD R5, R0")
	a.op("ADD R6, R1")
	a.op("ADD R7, R2")
	a.op("SUBS $1, R4")
	a.op("BNE %s", row)
	a.op("RET")
}

// arm64Lookup looks bytes up in the four quarters of the table, which leave what is
// beyond them as it is.
func arm64Lookup(a *arm64) {
	a.arguments("lookupNEON(table *[256]byte, out, in *byte, n int)", "A multiple of 64 bytes.", "table", "out", "in", "n")
	for i := range 4 {
		a.op("VLD1.P 64(R0), %s", list(16+4*i, 4, "B16"))
	}
	a.op("VMOVI $64, V8.B16")
	loop := a.label("loop")
	a.at(loop)
	a.op("VLD1.P 64(R2), %s", list(0, 4, "B16"))
	for quarter := range 4 {
		for i := range 4 {
			look := "VTBX"
			if quarter == 0 {
				look = "VTBL" // and 0 for those beyond
			} else {
				a.op("VSUB V8.B16, V%d.B16, V%d.B16", i, i)
			}
			a.op("%s V%d.B16, %s, V%d.B16", look, i, list(16+4*quarter, 4, "B16"), 4+i)
		}
	}
	a.op("VST1.P %s, 64(R1)", list(4, 4, "B16"))
	a.op("SUBS $64, R3")
	a.op("BNE %s", loop)
	a.op("RET")
}

// arm64Quantize rounds quotients as defined in one instruction, which makes 0 of what
// is not a number.
func arm64Quantize(a *arm64) {
	a.arguments("quantizeNEON(q *Quantizer, out *byte, in *float32, n int)", "A multiple of 16 numbers.", "q", "out", "in", "n")
	a.op("FMOVS Quantizer_Scale(R0), F16")
	a.op("VDUP V16.S[0], V16.S4")
	a.op("MOVW Quantizer_Zero(R0), R4")
	a.op("VDUP R4, V17.S4")
	a.op("MOVBU Quantizer_Flip(R0), R5")
	a.op("VDUP R5, V18.B16")
	loop := a.label("loop")
	a.at(loop)
	a.op("VLD1.P 64(R2), %s", list(0, 4, "S4"))
	for i := range 4 {
		a.v("fdiv", i, i, 16)
		a.v("fcvtas", i, i)
		a.v("sqadd.s", i, i, 17)
		a.v([]string{"sqxtn.h", "sqxtn2.h"}[i%2], 4+i/2, i)
	}
	a.v("sqxtn.b", 6, 4)
	a.v("sqxtn2.b", 6, 5)
	a.flush()
	a.op("VEOR V18.B16, V6.B16, V6.B16")
	a.op("VST1.P [V6.B16], 16(R1)")
	a.op("SUBS $16, R3")
	a.op("BNE %s", loop)
	a.op("RET")
}
