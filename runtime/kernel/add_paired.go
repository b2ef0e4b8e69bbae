package kernel

import (
	"math"

	"kedge/runtime/fixed"
)

// pairedAdd is an addition as one linear function of both bytes,
//
//	(x·a + y·b + c) >> shift
//
// with a and b in halves of 15 bits, so that instructions which multiply pairs of
// 16-bit numbers and add them compute it:
//
//	((x·aHigh + y·bHigh + cHigh)·2^7 + (x·aLow + y·bLow + cLow)>>8) >> shift
//
// The definition rounds four times, so for a few pairs of bytes such a function
// can be off by one: it is used only if it gives the defined result for all 65,536.
type pairedAdd struct {
	high, low   [2]int16 // a and b
	cHigh, cLow int32
	shift       int32
	min, max    int32
}

// newPairedAdd searches for the constants; it is nil where none are found.
func newPairedAdd(a *Add) *pairedAdd {
	rx, ry := a.slope(&a.X), a.slope(&a.Y)
	largest := max(math.Abs(rx), math.Abs(ry))
	if !(largest > 1e-6 && largest < 1<<6) {
		return nil
	}
	_, exp := math.Frexp(largest) // largest < 2^exp
	for bits := 29; bits > 26; bits-- {
		p := &pairedAdd{shift: int32(bits - 8 - exp), min: a.Min, max: a.Max}
		if p.shift < 1 || p.shift > 31 {
			continue
		}
		unit := math.Ldexp(1, int(p.shift))
		ax, by := int32(math.Round(rx*unit*256)), int32(math.Round(ry*unit*256))
		p.high, p.low = [2]int16{int16(ax >> 15), int16(by >> 15)}, [2]int16{int16(ax & 0x7fff), int16(by & 0x7fff)}
		c := (float64(a.Zero)-float64(float64(a.X.Zero)*rx)-float64(float64(a.Y.Zero)*ry)+0.5)*unit + 0.5
		if !(math.Abs(c) < 1<<30) {
			continue
		}
		for _, off := range [...]float64{0, 1, -1, 2, -2} {
			c := int32(math.Round(c + off))
			p.cHigh, p.cLow = c>>7, c&0x7f<<8
			if p.equals(a) {
				return p
			}
		}
	}
	return nil
}

// slope is by how much the result grows with a side, as a real number.
func (a *Add) slope(side *Addend) float64 {
	r := real(a.Output) * real(side.Factor) * (1 << 20)
	if side.Negative {
		return -r
	}
	return r
}

// real is a multiplier's factor.
func real(m fixed.Multiplier) float64 { return math.Ldexp(float64(m.M), int(m.Shift)-31) }

// equals compares all pairs of bytes.
func (p *pairedAdd) equals(a *Add) bool {
	for x := int32(-128); x < 128; x++ {
		for y := int32(-128); y < 128; y++ {
			if p.at(x, y) != a.At(int8(x), int8(y)) {
				return false
			}
		}
	}
	return true
}

// at is the function for one pair.
func (p *pairedAdd) at(x, y int32) int8 {
	high := x*int32(p.high[0]) + y*int32(p.high[1]) + p.cHigh
	low := x*int32(p.low[0]) + y*int32(p.low[1]) + p.cLow
	return int8(min(max((high<<7+low>>8)>>uint32(p.shift), p.min), p.max))
}
