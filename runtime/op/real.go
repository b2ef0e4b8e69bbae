package op

import "math"

// The functions here give the same bits on every architecture: the standard
// library's may not, since it has assembly for some of them and fuses products
// with sums on others.

// expf is e^x in float32, to the bit what the C library computes on which the
// reference's results were made: 2^(k/32)·2^(r/32) with k the integer nearest to
// 32x/ln2, the first factor tabulated and the second a polynomial of degree 3 in
// the rest r, all in float64. It is within 0.502 units of the last place.
func expf(x float32) float32 {
	switch {
	case x != x:
		return x
	case x > 88.8: // the largest float32 is e^88.72
		return float32(math.Inf(1))
	case x < -104: // half of the smallest is e^-103.97
		return 0
	}
	const c3, c2, c1 = 0x1.c6af84b912394p-5 / (1 << 15), 0x1.ebfce50fac4f3p-3 / (1 << 10), 0x1.62e42ff0c52d6p-1 / (1 << 5)
	z := float64(x) * (0x1.71547652b82fep+0 * 32)
	k := math.RoundToEven(z)
	r := z - k
	high := float64(c3*r) + c2
	low := float64(c1*r) + 1
	y := float64(high*float64(r*r)) + low
	power := math.Ldexp(exp2Parts[int(k)&31], int(k)>>5)
	return float32(y * power)
}

// exp2Parts are 2^(i/32).
var exp2Parts = [32]float64{
	0x1.0000000000000p+0, 0x1.059b0d3158574p+0, 0x1.0b5586cf9890fp+0, 0x1.11301d0125b51p+0,
	0x1.172b83c7d517bp+0, 0x1.1d4873168b9aap+0, 0x1.2387a6e756238p+0, 0x1.29e9df51fdee1p+0,
	0x1.306fe0a31b715p+0, 0x1.371a7373aa9cbp+0, 0x1.3dea64c123422p+0, 0x1.44e086061892dp+0,
	0x1.4bfdad5362a27p+0, 0x1.5342b569d4f82p+0, 0x1.5ab07dd485429p+0, 0x1.6247eb03a5585p+0,
	0x1.6a09e667f3bcdp+0, 0x1.71f75e8ec5f74p+0, 0x1.7a11473eb0187p+0, 0x1.82589994cce13p+0,
	0x1.8ace5422aa0dbp+0, 0x1.93737b0cdc5e5p+0, 0x1.9c49182a3f090p+0, 0x1.a5503b23e255dp+0,
	0x1.ae89f995ad3adp+0, 0x1.b7f76f2fb5e47p+0, 0x1.c199bdd85529cp+0, 0x1.cb720dcef9069p+0,
	0x1.d5818dcfba487p+0, 0x1.dfc97337b9b5fp+0, 0x1.ea4afa2a490dap+0, 0x1.f50765b6e4540p+0,
}

// logf is the natural logarithm in float32, to the bit as expf is: x is 2^k·z,
// and ln z the tabulated logarithm of a number c near it plus a polynomial of
// degree 4 in z/c − 1. It is within 0.82 units of the last place.
func logf(x float32) float32 {
	bits, lift := math.Float32bits(x), 0
	switch {
	case x == 0:
		return float32(math.Inf(-1))
	case x < 0:
		return undefined()
	case !(x <= math.MaxFloat32):
		return x
	case bits < 1<<23: // below the normal numbers
		bits, lift = math.Float32bits(x*(1<<23)), 23
	}
	const lowest = 0x3f330000 // of z, as bits
	above := bits - lowest
	k := int(int32(above)>>23) - lift
	near := &logParts[above>>19&15]
	z := float64(math.Float32frombits(bits - above&^(1<<23-1)))
	r := float64(z*near.reciprocal) - 1
	base := near.log + float64(float64(k)*0x1.62e42fefa39efp-1)
	square := float64(r * r)
	y := float64(0x1.5575b0be00b6ap-2*r) - 0x1.ffffef20a4123p-2
	y = float64(-0x1.00ea348b88334p-2*square) + y
	return float32(float64(y*square) + float64(base+r))
}

// logParts are 1/c and ln c of sixteen numbers c.
var logParts = [16]struct{ reciprocal, log float64 }{
	{0x1.661ec79f8f3bep+0, -0x1.57bf7808caadep-2},
	{0x1.571ed4aaf883dp+0, -0x1.2bef0a7c06ddbp-2},
	{0x1.49539f0f010bp+0, -0x1.01eae7f513a67p-2},
	{0x1.3c995b0b80385p+0, -0x1.b31d8a68224e9p-3},
	{0x1.30d190c8864a5p+0, -0x1.6574f0ac07758p-3},
	{0x1.25e227b0b8eap+0, -0x1.1aa2bc79c81p-3},
	{0x1.1bb4a4a1a343fp+0, -0x1.a4e76ce8c0e5ep-4},
	{0x1.12358f08ae5bap+0, -0x1.1973c5a611cccp-4},
	{0x1.0953f419900a7p+0, -0x1.252f438e10c1ep-5},
	{1, 0},
	{0x1.e608cfd9a47acp-1, 0x1.aa5aa5df25984p-5},
	{0x1.ca4b31f026aap-1, 0x1.c5e53aa362eb4p-4},
	{0x1.b2036576afce6p-1, 0x1.526e57720db08p-3},
	{0x1.9c2d163a1aa2dp-1, 0x1.bc2860d22477p-3},
	{0x1.886e6037841edp-1, 0x1.1058bc8a07ee1p-2},
	{0x1.767dcf5534862p-1, 0x1.4043057b6ee09p-2},
}

// undefined is the result of a function outside of its domain: the NaN that x86
// makes, so that it is the same on every board.
func undefined() float32 { return math.Float32frombits(0xffc00000) }

// nearPowerOfTwo reports which power of two x > 0 is, where its binary logarithm
// lies within 1/1000 of an integer; every step is rounded to float32.
func nearPowerOfTwo(x float32) (exponent int, ok bool) {
	log2 := float32(logf(x) * float32(1/logf(2)))
	rounded := roundf(log2)
	return int(rounded), math.Abs(float64(float32(log2-rounded))) < float64(float32(1e-3))
}
