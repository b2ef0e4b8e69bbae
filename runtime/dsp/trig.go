package dsp

import "math"

// sincos is sine and cosine of x, |x| ≤ 8, rounded once from a result of twice
// float64's precision, so that it is the nearest float64 in all but one of some
// 10^15 cases, on every architecture. Package math is off by a unit in the last
// place here and there, and by another one where Go fuses products and sums;
// that decides the rounding of a twiddle factor such as cos 60°·32767.
func sincos(x float64) (sin, cos float64) {
	// π/2 in three parts, the first two with so few digits that small multiples
	// of them are exact.
	const (
		halfPi1 = 0x1.921fb54442800p+0
		halfPi2 = 0x1.4611a62633000p-42
		halfPi3 = 0x1.45c06e0e68948p-86
	)
	k := math.Round(x * (2 / math.Pi))
	r := twoSum(x, -float64(k*halfPi1))
	r = r.add(double{hi: -float64(k * halfPi2)})
	r = r.add(double{hi: -float64(k * halfPi3)})
	square := r.mul(r)
	// Horner's scheme of both Taylor series; beyond these terms nothing of 2^-106
	// is left for |r| ≤ π/4.
	s, c := double{hi: 1}, double{hi: 1}
	for n := 28; n >= 2; n -= 2 {
		s = double{hi: 1}.add(square.mul(s).over(-float64(n * (n + 1))))
		c = double{hi: 1}.add(square.mul(c).over(-float64(n * (n - 1))))
	}
	s = r.mul(s)
	switch int(k) & 3 {
	case 1:
		return c.hi, -s.hi
	case 2:
		return -s.hi, -c.hi
	case 3:
		return -c.hi, s.hi
	}
	return s.hi, c.hi
}

// double is the unevaluated sum hi + lo, where hi is the float64 nearest to it
// (T. J. Dekker, A floating-point technique for extending the available
// precision, 1971).
type double struct{ hi, lo float64 }

// twoSum is a + b without error.
func twoSum(a, b float64) double {
	sum := a + b
	t := sum - a
	return double{sum, (a - (sum - t)) + (b - t)}
}

// quickSum is a + b without error where |a| ≥ |b|.
func quickSum(a, b float64) double {
	sum := a + b
	return double{sum, b - (sum - a)}
}

func (a double) add(b double) double {
	s := twoSum(a.hi, b.hi)
	return quickSum(s.hi, s.lo+(a.lo+b.lo))
}

func (a double) mul(b double) double {
	p := float64(a.hi * b.hi)
	// FMA is exact by definition on every processor.
	lo := math.FMA(a.hi, b.hi, -p)
	cross := float64(a.hi*b.lo) + float64(a.lo*b.hi)
	return quickSum(p, lo+cross)
}

// over is a divided by d.
func (a double) over(d float64) double {
	q := a.hi / d
	return quickSum(q, (math.FMA(-q, d, a.hi)+a.lo)/d)
}
