package op

import (
	"encoding/binary"
	"math"
)

// sinf and cosf are sine and cosine in float32, to the bit as expf is: x is brought
// to within ±π/4 of a multiple of π/2, and a polynomial in float64 gives the rest.
// They are within 0.57 units of the last place.
func sinf(x float32) float32 {
	if magnitude := max(x, -x); magnitude < 0x1p-12 {
		return x
	} else if magnitude < 0.75 {
		return float32(sine(float64(x)))
	}
	return quarter(x, 0)
}

func cosf(x float32) float32 {
	if magnitude := max(x, -x); magnitude < 0x1p-12 {
		return 1
	} else if magnitude < 0.75 {
		return float32(cosine(float64(x)))
	}
	return quarter(x, 1)
}

// quarter is the sine of x plus turns quarters of a turn.
func quarter(x float32, turns int) float32 {
	switch {
	case x != x:
		return x
	case max(x, -x) > math.MaxFloat32:
		return undefined()
	}
	var n int
	var rest float64
	negative := false
	if max(x, -x) < 120 {
		n, rest = reduceQuarter(float64(x))
	} else {
		n, rest = reduceQuarterLarge(x)
		negative = x < 0 && turns == 0
	}
	n += turns
	y := sine(rest)
	if n&1 != 0 {
		y = cosine(rest)
	}
	if n&2 != 0 != negative {
		y = -y
	}
	return float32(y)
}

// reduceQuarter splits x into n·π/2 and a rest by one product.
func reduceQuarter(x float64) (n int, rest float64) {
	n = int(int32(float64(x*(0x1.45F306DC9C883p-1*(1<<24))))+1<<23) >> 24
	return n, x - float64(float64(n)*0x1.921FB54442D18p0)
}

// fourOverPi are the bytes of 4/π, most significant first, behind three zeros.
var fourOverPi = [27]byte{0, 0, 0,
	0xa2, 0xf9, 0x83, 0x6e, 0x4e, 0x44, 0x15, 0x29, 0xfc, 0x27, 0x57, 0xd1,
	0xf5, 0x34, 0xdd, 0xc0, 0xdb, 0x62, 0x95, 0x99, 0x3c, 0x43, 0x90, 0x41,
}

// reduceQuarterLarge does the same with |x| ≥ 2, in integers: of 4/π only the 96
// bits matter whose products with x's mantissa fall around the binary point. The
// product has 62 bits behind it.
func reduceQuarterLarge(x float32) (n int, rest float64) {
	pattern := math.Float32bits(x)
	mantissa := (pattern&(1<<23-1) | 1<<23) << (pattern >> 23 & 7)
	window := func(i int) uint32 { return binary.BigEndian.Uint32(fourOverPi[int(pattern>>26&15)+i:]) }
	product := uint64(mantissa*window(0))<<32 + uint64(mantissa)*uint64(window(4)) + uint64(mantissa)*uint64(window(8))>>32
	quarters := (product + 1<<61) >> 62
	product -= quarters << 62
	return int(quarters), float64(int64(product)) * 0x1.921FB54442D18p-62
}

// sine is the polynomial for |x| ≤ π/4, in the definition's order.
func sine(x float64) float64 {
	square := float64(x * x)
	cube := float64(x * square)
	s := 0x1.1107605230bc4p-7 + float64(square*-0x1.994eb3774cf24p-13)
	fifth := float64(cube * square)
	return x + float64(cube*-0x1.555545995a603p-3) + float64(fifth*s)
}

// cosine is sine's counterpart.
func cosine(x float64) float64 {
	square := float64(x * x)
	fourth := float64(square * square)
	c2 := -0x1.6c087e89a359dp-10 + float64(square*0x1.99343027bf8c3p-16)
	c1 := 1 + float64(square*-0x1.ffffffd0c621cp-2)
	sixth := float64(fourth * square)
	return c1 + float64(fourth*0x1.55553e1068f19p-5) + float64(sixth*c2)
}
