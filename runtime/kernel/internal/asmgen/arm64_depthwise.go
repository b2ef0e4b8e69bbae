package main

import "fmt"

// arm64Depthwise writes depthwise micro-kernels for 16 channels without a dot
// product: two taps' products are added in 16 bits, then in 32. As in matrix
// products no weight may be -128.
//
// X0 to X4 and X14 to X23 are as in arm64Tile.
type arm64Depthwise struct {
	*arm64
	pixels   int
	x        rotation
	products rotation // pairs of registers
}

// sum is the i-th register of a pixel's sums.
func (d *arm64Depthwise) sum(pixel, i int) int { return 9 + 4*pixel + i }

// tap multiplies a vector of channels of one pixel with weights: the low half in
// p, the high half in p+1.
func (d *arm64Depthwise) tap(add bool, p, x, w int) {
	if add {
		d.v("smlal", p, x, w)
		d.v("smlal2", p+1, x, w)
		return
	}
	d.v("smull", p, x, w)
	d.v("smull2", p+1, x, w)
}

// add adds products to the sums of a pixel, or to what lies from register on.
func (d *arm64Depthwise) add(pixel, p, from int) {
	for i, form := range []string{"saddw", "saddw2", "saddw", "saddw2"} {
		d.v(form, d.sum(pixel, i), from+i, p+i/2)
	}
}

// pair takes two more registers for products.
func (d *arm64Depthwise) pair() int {
	p := d.products.take()
	d.products.take()
	return p
}

// depthwiseArguments loads what stays the same for all pixels.
func (a *arm64) depthwiseArguments() {
	a.op("MOVD b+0(FP), R0")
	for _, arg := range []string{
		"rows(R0), R1", "offsets(R0), R2", "out(R0), R3", "stride(R0), R4", "columns(R0), R20", "params(R0), R19", "a(R0), R23",
	} {
		a.op("MOVD block_%s", arg)
	}
	a.limits(16)
}

// end requantizes the pixels and goes on to the next ones.
func (d *arm64Depthwise) end(e epilogue, tile string) {
	for p := range d.pixels {
		e.rows = append(e.rows, []int{d.sum(p, 0), d.sum(p, 1), d.sum(p, 2), d.sum(p, 3)})
	}
	d.finishRows(e)
	d.op("SUBS $%d, R1", d.pixels)
	d.op("BNE %s", tile)
	d.op("RET")
	d.finish()
}

// arm64Nine are the registers with the addresses of nine taps.
var arm64Nine = []int{5, 6, 7, 8, 10, 11, 12, 13, 22}

// nine is for windows of nine taps, whose weights stay in registers 0-8, and
// whose reaches are added to what offsets count from.
func (d *arm64Depthwise) nine(name string) {
	d.function(fmt.Sprintf("%s%d", name, d.pixels), fmt.Sprintf("%d pixels at a time of 16 channels, nine taps.", d.pixels), 0)
	d.depthwiseArguments()
	taps := arm64Nine
	d.arm64Taps(taps)
	d.op("MOVD block_b(R0), R9")
	for w := 0; w < 8; w += 2 {
		d.loadPair(w, w+1, 9, 16*w)
	}
	d.flush()
	d.op("ADD $128, R9")
	d.op("VLD1 (R9), [V8.B16]")
	pixels := []int{24, 25}
	bias := 28
	tile := d.label("tile")
	d.at(tile)
	d.next(pixels)
	d.loadPair(bias, bias+1, 19, 0)
	d.loadPair(bias+2, bias+3, 19, 32)
	var p [2]int
	for t, tap := range taps {
		for i := range d.pixels {
			x := d.x.take()
			d.loadAt(16, x, tap, pixels[i])
			if t%2 == 0 {
				p[i] = d.pair()
			}
			d.tap(t%2 == 1, p[i], x, t)
			if t == 1 {
				d.add(i, p[i], bias)
			} else if t%2 == 1 || t == len(taps)-1 {
				d.add(i, p[i], d.sum(i, 0))
			}
		}
	}
	d.flush()
	d.end(epilogue{multiplier: 17, shift: 21, spare: 25, multipliers: 64, shifts: 128}, tile)
}

// arm64Taps loads where the taps of the pixel at offset 0 lie.
func (a *arm64) arm64Taps(taps []int) {
	a.op("MOVD block_reach(R0), R9")
	for i := 0; i+1 < len(taps); i += 2 {
		a.op("LDPSW.P 8(R9), (R%d, R%d)", taps[i], taps[i+1])
	}
	if n := len(taps); n%2 != 0 {
		a.op("MOVW (R9), R%d", taps[n-1])
	}
	for _, t := range taps {
		a.op("ADD R23, R%d", t)
	}
}

// next loads the offsets of the next pixels.
func (d *arm64Depthwise) next(regs []int) {
	if d.pixels == 1 {
		d.op("MOVW.P 4(R2), R%d", regs[0])
		return
	}
	d.op("LDPSW.P 8(R2), (R%d, R%d)", regs[0], regs[1])
}

// any is for any number of taps, two at a time: X5 has their weights, X6 the next
// reaches, X7 the number of taps left, X10 and X11 the pixels, X12 and X13 two
// taps' reaches.
func (d *arm64Depthwise) any(name string) {
	d.function(fmt.Sprintf("%s%d", name, d.pixels), fmt.Sprintf("%d pixels at a time of 16 channels.", d.pixels), 0)
	d.depthwiseArguments()
	d.op("MOVD block_b(R0), R24")
	d.op("MOVD block_reach(R0), R25")
	d.op("MOVD block_runs(R0), R26")
	pixels := []int{10, 11}
	tile, pair, single, done := d.label("tile"), d.label("pair"), d.label("single"), d.label("done")
	d.at(tile)
	d.next(pixels)
	for i := range d.pixels {
		d.op("ADD R23, R%d", pixels[i])
		d.loadPair(d.sum(i, 0), d.sum(i, 1), 19, 0)
		d.loadPair(d.sum(i, 2), d.sum(i, 3), 19, 32)
	}
	d.flush()
	d.op("MOVD R24, R5")
	d.op("MOVD R25, R6")
	d.op("SUBS $2, R26, R7")
	d.op("BLT %s", single)
	d.at(pair)
	d.op("LDPSW.P 8(R6), (R12, R13)")
	d.loadNext(0, 1, 5, 32)
	for i := range d.pixels {
		p := d.pair()
		for t := range 2 {
			x := d.x.take()
			d.loadAt(16, x, pixels[i], 12+t)
			d.tap(t == 1, p, x, t)
		}
		d.add(i, p, d.sum(i, 0))
	}
	d.flush()
	d.op("SUBS $2, R7")
	d.op("BGE %s", pair)
	d.at(single)
	d.op("TBZ $0, R7, %s", done)
	d.op("MOVW (R6), R12")
	d.op("VLD1 (R5), [V0.B16]")
	for i := range d.pixels {
		p, x := d.pair(), d.x.take()
		d.loadAt(16, x, pixels[i], 12)
		d.tap(false, p, x, 0)
		d.add(i, p, d.sum(i, 0))
	}
	d.flush()
	d.at(done)
	d.end(epilogue{multiplier: 17, shift: 21, spare: 25, multipliers: 64, shifts: 128}, tile)
}
