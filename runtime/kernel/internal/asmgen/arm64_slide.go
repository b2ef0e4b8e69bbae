package main

// arm64Slide writes the depthwise micro-kernel for 3x3 windows with a dot product,
// which takes four bytes of a channel that lie side by side: the three of a
// column of the window, and one that meets a weight of zero. Bringing them
// together costs as much as multiplying them, so neighboring windows share their
// columns: two pixels are computed at a time, and leave their last columns to the
// next two. That is done for pixels one or two columns apart; others are computed
// one at a time.
//
// X24 and X25 are the offsets of two pixels, X26 from one column to the next; the
// rest as in arm64Depthwise.nine. Registers 0-11 are the weights by column, 12-15
// and 16-19 two columns, 20-27 sums.
type arm64Slide struct {
	*arm64
	taps []int
}

// Vector registers, and those of the pixels' offsets.
const (
	slideA      = 12
	slideB      = 16
	slideSum    = 20
	slideSpare  = 28
	slideFirst  = 24
	slideSecond = 25
)

func (d *arm64Slide) write(name string) {
	d.function(name, "Any number of pixels of 16 channels, windows of 3x3 pixels.", 0)
	d.depthwiseArguments()
	d.arm64Taps(d.taps)
	d.op("SUB R%d, R%d, R26", d.taps[0], d.taps[1])
	d.slideWeights()
	next, begin, last, end := d.label("next"), d.label("begin"), d.label("last"), d.label("end")
	single, shared := d.label("single"), d.label("shared")
	near, nearPair, nearLast := d.label("near"), d.label("nearPair"), d.label("nearLast")
	far, farPair := d.label("far"), d.label("farPair")

	d.at(next)
	d.op("SUBS $2, R1")
	d.op("BLT %s", last)
	d.op("LDPSW.P 8(R2), (R24, R25)")
	d.at(begin) // no column is there
	d.op("SUB R24, R25, R9")
	d.op("CMP R26, R9")
	d.op("BEQ %s", near)
	d.op("CMP R26<<1, R9")
	d.op("BEQ %s", far)
	d.op("SUB $4, R2")
	d.op("ADD $1, R1")
	d.op("JMP %s", single)
	d.at(last)
	d.op("ADDS $1, R1")
	d.op("BLT %s", end)
	d.op("MOVW.P 4(R2), R24")
	d.at(single)
	d.column(slideA, 0, slideFirst)
	d.column(slideB, 1, slideFirst)
	d.flush()
	d.at(shared) // two columns are there
	d.single()
	d.op("JMP %s", next)

	d.at(near)
	d.column(slideA, 0, slideFirst)
	d.column(slideB, 1, slideFirst)
	d.flush()
	d.at(nearPair)
	d.near()
	d.op("SUBS $2, R1")
	d.op("BLT %s", nearLast)
	d.op("ADD R26, R25, R9")
	d.op("LDPSW.P 8(R2), (R24, R25)")
	d.op("SUB R24, R25, R16")
	d.op("CMP R24, R9")
	d.op("CCMP EQ, R16, R26, $0")
	d.op("BEQ %s", nearPair)
	d.op("CMP R24, R9")
	d.op("BNE %s", begin)
	d.op("SUB $4, R2")
	d.op("ADD $1, R1")
	d.op("JMP %s", shared)
	d.at(nearLast)
	d.op("ADDS $1, R1")
	d.op("BLT %s", end)
	d.op("ADD R26, R25, R9")
	d.op("MOVW.P 4(R2), R24")
	d.op("CMP R24, R9")
	d.op("BEQ %s", shared)
	d.op("JMP %s", single)

	d.at(far)
	d.column(slideA, 0, slideFirst)
	d.flush()
	d.at(farPair)
	d.far()
	d.op("SUBS $2, R1")
	d.op("BLT %s", last)
	d.op("ADD R26<<1, R25, R9")
	d.op("LDPSW.P 8(R2), (R24, R25)")
	d.op("CMP R24, R9")
	d.op("BNE %s", begin)
	d.op("SUB R24, R25, R16")
	d.op("CMP R26<<1, R16")
	d.op("BEQ %s", farPair)
	d.op("JMP %s", begin)
	d.at(end)
	d.op("RET")
	d.finish()
}

// slideWeights brings the weights into the order of columns.
func (d *arm64Slide) slideWeights() {
	d.op("MOVD block_b(R0), R9")
	for t := 0; t < 8; t += 2 {
		d.loadPair(slideA+t, slideA+t+1, 9, 16*t)
	}
	d.flush()
	d.op("ADD $128, R9")
	d.op("VLD1 (R9), [V%d.B16]", slideA+8)
	d.op("VMOVI $0, V%d.B16", slideSpare+3)
	for kx := range 3 {
		w := slideA + kx
		d.interleave(4*kx, [4]int{w, w + 3, w + 6, slideSpare + 3}, slideSpare)
	}
	d.flush()
}

// column loads a column of a pixel's window.
func (d *arm64Slide) column(to, kx, pixel int) {
	x := [4]int{slideSpare, slideSpare + 1, slideSpare + 2, slideSpare + 2}
	for ky := range 3 {
		d.loadAt(16, x[ky], d.taps[3*ky+kx], pixel)
	}
	d.interleave(to, x, slideSpare+3)
}

// interleave brings four vectors of 16 channels into the order channel by
// channel, in four registers from to on. spare is overwritten.
func (d *arm64Slide) interleave(to int, x [4]int, spare int) {
	low, high := spare, to // of the first two, by pairs
	d.v("zip1.b", low, x[0], x[1])
	d.v("zip2.b", high, x[0], x[1])
	d.v("zip1.b", to+1, x[2], x[3])
	d.v("zip2.b", to+3, x[2], x[3])
	d.v("zip1.h", to+2, high, to+3)
	d.v("zip2.h", to+3, high, to+3)
	d.v("zip1.h", to, low, to+1)
	d.v("zip2.h", to+1, low, to+1)
}

// biases begins a pixel's sums.
func (d *arm64Slide) biases(pixel int) {
	d.loadPair(slideSum+4*pixel, slideSum+4*pixel+1, 19, 0)
	d.loadPair(slideSum+4*pixel+2, slideSum+4*pixel+3, 19, 32)
}

// multiply adds the products of a column of a pixel's window.
func (d *arm64Slide) multiply(pixel, column, kx int) {
	for i := range 4 {
		d.v("sdot", slideSum+4*pixel+i, column+i, 4*kx+i)
	}
}

// single computes a pixel whose first two columns are there.
func (d *arm64Slide) single() {
	d.biases(0)
	d.multiply(0, slideA, 0)
	d.multiply(0, slideB, 1)
	d.column(slideA, 2, slideFirst)
	d.multiply(0, slideA, 2)
	d.results(1)
}

// near computes two pixels one column apart. The first two columns of the next
// pixel are left.
func (d *arm64Slide) near() {
	d.biases(0)
	d.biases(1)
	d.multiply(0, slideA, 0)
	d.multiply(0, slideB, 1)
	d.multiply(1, slideB, 0)
	d.column(slideA, 2, slideFirst)
	d.multiply(0, slideA, 2)
	d.multiply(1, slideA, 1)
	d.column(slideB, 2, slideSecond)
	d.multiply(1, slideB, 2)
	d.results(2)
}

// far computes two pixels two columns apart. The first column of the next pixel
// is left.
func (d *arm64Slide) far() {
	d.biases(0)
	d.biases(1)
	d.multiply(0, slideA, 0)
	d.column(slideB, 1, slideFirst)
	d.multiply(0, slideB, 1)
	d.column(slideA, 2, slideFirst)
	d.multiply(0, slideA, 2)
	d.multiply(1, slideA, 0)
	d.column(slideB, 1, slideSecond)
	d.multiply(1, slideB, 1)
	d.column(slideA, 2, slideSecond)
	d.multiply(1, slideA, 2)
	d.results(2)
}

// results stores the pixels.
func (d *arm64Slide) results(pixels int) {
	e := epilogue{multiplier: slideSpare, shift: slideSpare, spare: slideSpare + 2, multipliers: 64, shifts: 128}
	for p := range pixels {
		sum := slideSum + 4*p
		e.rows = append(e.rows, []int{sum, sum + 1, sum + 2, sum + 3})
	}
	d.finishRows(e)
}
