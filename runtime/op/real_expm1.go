package op

import "math"

// Constants of expm1f: ln2 as a sum whose first part has few bits, its
// reciprocal, and a rational approximation's coefficients.
const (
	ln2High = float32(0x1.62e300p-1)
	ln2Low  = float32(0x1.2fefa2p-17)
	invLn2  = float32(0x1.715476p+0)
	expQ1   = float32(-0x1.111112p-5)
	expQ2   = float32(0x1.a01a02p-10)
	expQ3   = float32(-0x1.4ce19ap-14)
	expQ4   = float32(0x1.0cfca8p-18)
	expQ5   = float32(-0x1.afdb76p-23)
)

// expm1f is e^x − 1 in float32, to the bit what the C library computes on which
// the reference's results were made: FDLIBM's algorithm, every step rounded to
// float32. x is k·ln2 + r with r within ±ln2/2, and e^r − 1 is rational.
func expm1f(x float32) float32 {
	magnitude := max(x, -x)
	switch {
	case x != x || magnitude < 0x1p-25:
		return x
	case x > 88.7216796875:
		return float32(math.Inf(1))
	case x < -18.7149734: // 27·ln2: 2^-27 below -1
		return -1
	}
	k, r, rest := reduceLn2(x, magnitude)
	half := float32(0.5 * r)
	square := float32(r * half)
	p := float32(expQ4 + float32(square*expQ5))
	for _, q := range [4]float32{expQ3, expQ2, expQ1, 1} {
		p = float32(q + float32(square*p))
	}
	t := float32(3 - float32(p*half))
	e := float32(square * float32(float32(p-t)/float32(6-float32(r*t))))
	if k == 0 {
		return float32(r - float32(float32(r*e)-square))
	}
	e = float32(float32(r*float32(e-rest)) - rest)
	e = float32(e - square)
	return scaleExpm1(k, r, e)
}

// reduceLn2 splits x into k·ln2 + r, and tells what r lost in rounding.
func reduceLn2(x, magnitude float32) (k int, r, rest float32) {
	var high, low float32
	switch {
	case magnitude <= 0.34657359: // ln2/2
		return 0, x, 0
	case magnitude < 1.03972077: // 3·ln2/2
		k, high, low = 1, float32(x-ln2High), ln2Low
		if x < 0 {
			k, high, low = -1, float32(x+ln2High), -ln2Low
		}
	default:
		nearest := float32(0.5)
		if x < 0 {
			nearest = -0.5
		}
		k = int(float32(float32(invLn2*x) + nearest))
		high, low = float32(x-float32(float32(k)*ln2High)), float32(float32(k)*ln2Low)
	}
	r = float32(high - low)
	return k, r, float32(float32(high-r) - low)
}

// scaleExpm1 is 2^k·(1 + r − e) − 1, computed so that little is lost.
func scaleExpm1(k int, r, e float32) float32 {
	switch {
	case k == -1:
		return float32(float32(0.5*float32(r-e)) - 0.5)
	case k == 1 && r < -0.25:
		return float32(-2 * float32(e-float32(r+0.5)))
	case k == 1:
		return float32(1 + float32(2*float32(r-e)))
	case k <= -2 || k > 56:
		return float32(power2(float32(1-float32(e-r)), k) - 1)
	case k < 23:
		return power2(float32(float32(1-power2(1, -k))-float32(e-r)), k)
	}
	return power2(float32(float32(r-float32(e+power2(1, -k)))+1), k)
}

// power2 is x·2^k.
func power2(x float32, k int) float32 { return float32(math.Ldexp(float64(x), k)) }

// tanhf is the hyperbolic tangent in float32, from expm1f as the C library's is.
func tanhf(x float32) float32 {
	magnitude := max(x, -x)
	if x != x || magnitude < 0x1p-55 {
		return x
	}
	y := float32(1)
	switch {
	case magnitude >= 22:
	case magnitude >= 1:
		y = float32(1 - float32(2/float32(expm1f(float32(2*magnitude))+2)))
	default:
		t := expm1f(float32(-2 * magnitude))
		y = float32(-t / float32(t+2))
	}
	return float32(math.Copysign(float64(y), float64(x)))
}
