package dsp

import (
	"fmt"
	"math"
	"unsafe"
)

// Fixed are the numbers that a transform is computed in: Q0.15 or Q0.31.
type Fixed interface{ int16 | int32 }

// Complex is a complex number.
type Complex[T Fixed] struct{ Re, Im T }

// fft is a complex Fourier transform of mixed radix 4, 2, 3 and 5, decimating in
// time. Each stage divides by its radix first, so that nothing overflows, and
// the result is the transform divided by its length.
//
// Every product is rounded half up to the fraction's bits; sums wrap around.
// Dividing by r is multiplying by the largest number over r, rounded down.
type fft[T Fixed] struct {
	n        int
	inverse  bool
	radices  []int        // first stage first; their product is n
	twiddles []Complex[T] // e^(∓2πi·k/n)
}

// newFFT computes the tables for n points.
func newFFT[T Fixed](n int, inverse bool) (*fft[T], error) {
	f := &fft[T]{n: n, inverse: inverse, twiddles: make([]Complex[T], n)}
	rest := n
	for _, r := range []int{4, 2, 3, 5} {
		for rest%r == 0 {
			f.radices = append(f.radices, r)
			rest /= r
		}
	}
	if rest != 1 {
		return nil, fmt.Errorf("transform of %d points: a factor other than 2, 3 and 5", n)
	}
	for k := range f.twiddles {
		// In float64, in this order: an angle's rounding is part of the definition.
		f.twiddles[k] = unit[T](float64(float64(-2*math.Pi*float64(k))/float64(n)), inverse)
	}
	return f, nil
}

// unit is e^(i·phase), or with inverse its conjugate: scaled to the largest
// number and rounded half up.
func unit[T Fixed](phase float64, inverse bool) Complex[T] {
	if inverse {
		phase = -phase
	}
	sin, cos := sincos(phase)
	one := float64(largest[T]())
	return Complex[T]{
		T(math.Floor(0.5 + float64(one*cos))),
		T(math.Floor(0.5 + float64(one*sin))),
	}
}

// largest is the largest number, which stands for 1.
func largest[T Fixed]() int64 { return 1<<fraction[T]() - 1 }

// fraction is how many bits lie behind the point.
func fraction[T Fixed]() uint {
	var zero T
	return uint(8*unsafe.Sizeof(zero) - 1)
}

// round brings a product, or a sum of two, back to one number's fraction.
func round[T Fixed](product int64) T {
	return T((product + 1<<(fraction[T]()-1)) >> fraction[T]())
}

// times is the rounded product.
func times[T Fixed](a, b T) T { return round[T](int64(a) * int64(b)) }

func (a Complex[T]) add(b Complex[T]) Complex[T] { return Complex[T]{a.Re + b.Re, a.Im + b.Im} }

func (a Complex[T]) sub(b Complex[T]) Complex[T] { return Complex[T]{a.Re - b.Re, a.Im - b.Im} }

// mul rounds each part once.
func (a Complex[T]) mul(b Complex[T]) Complex[T] {
	return Complex[T]{
		round[T](int64(a.Re)*int64(b.Re) - int64(a.Im)*int64(b.Im)),
		round[T](int64(a.Re)*int64(b.Im) + int64(a.Im)*int64(b.Re)),
	}
}

// scale multiplies both parts by s.
func (a Complex[T]) scale(s T) Complex[T] { return Complex[T]{times(a.Re, s), times(a.Im, s)} }

// over divides by a small number.
func (a Complex[T]) over(d int64) Complex[T] { return a.scale(T(largest[T]() / d)) }

// turn is a times i. It goes last: rounding a negated product gives another
// result at halves than negating a rounded one.
func (a Complex[T]) turn() Complex[T] { return Complex[T]{-a.Im, a.Re} }

// run writes the transform of in to out; both have n elements and do not
// overlap.
func (f *fft[T]) run(out, in []Complex[T]) { f.stage(out, in, 0, 1) }

// stage transforms every stride-th element of in by the radices from the given
// one on: first the parts of which one element in radix is taken, then their
// combination.
func (f *fft[T]) stage(out, in []Complex[T], level, stride int) {
	radix := f.radices[level]
	m := len(out) / radix
	for k := range radix {
		if m == 1 {
			out[k] = in[k*stride]
			continue
		}
		f.stage(out[k*m:(k+1)*m], in[k*stride:], level+1, stride*radix)
	}
	switch radix {
	case 2:
		f.combine2(out, m, stride)
	case 3:
		f.combine3(out, m, stride)
	case 4:
		f.combine4(out, m, stride)
	case 5:
		f.combine5(out, m, stride)
	}
}

func (f *fft[T]) combine2(x []Complex[T], m, stride int) {
	for k := range m {
		a, b := x[k].over(2), x[k+m].over(2).mul(f.twiddles[k*stride])
		x[k], x[k+m] = a.add(b), a.sub(b)
	}
}

func (f *fft[T]) combine3(x []Complex[T], m, stride int) {
	sin60 := f.twiddles[m*stride].Im
	for k := range m {
		a := x[k].over(3)
		b, c := x[k+m].over(3).mul(f.twiddles[k*stride]), x[k+2*m].over(3).mul(f.twiddles[2*k*stride])
		sum, turned := b.add(c), b.sub(c).scale(sin60).turn()
		middle := Complex[T]{a.Re - sum.Re>>1, a.Im - sum.Im>>1}
		x[k], x[k+m], x[k+2*m] = a.add(sum), middle.add(turned), middle.sub(turned)
	}
}

func (f *fft[T]) combine4(x []Complex[T], m, stride int) {
	for k := range m {
		a, b := x[k].over(4), x[k+m].over(4).mul(f.twiddles[k*stride])
		c, d := x[k+2*m].over(4).mul(f.twiddles[2*k*stride]), x[k+3*m].over(4).mul(f.twiddles[3*k*stride])
		even, odd := a.add(c), a.sub(c)
		sum, turned := b.add(d), b.sub(d).turn()
		x[k], x[k+2*m] = even.add(sum), even.sub(sum)
		if !f.inverse {
			turned = Complex[T]{-turned.Re, -turned.Im}
		}
		x[k+m], x[k+3*m] = odd.add(turned), odd.sub(turned)
	}
}

func (f *fft[T]) combine5(x []Complex[T], m, stride int) {
	ya, yb := f.twiddles[m*stride], f.twiddles[2*m*stride]
	for k := range m {
		a := x[k].over(5)
		b, c := x[k+m].over(5).mul(f.twiddles[k*stride]), x[k+2*m].over(5).mul(f.twiddles[2*k*stride])
		d, e := x[k+3*m].over(5).mul(f.twiddles[3*k*stride]), x[k+4*m].over(5).mul(f.twiddles[4*k*stride])
		outer, inner := b.add(e), c.add(d)
		outerGap, innerGap := b.sub(e), c.sub(d)
		x[k] = a.add(outer.add(inner))
		near := a.add(outer.scale(ya.Re)).add(inner.scale(yb.Re))
		nearTurn := outerGap.scale(ya.Im).add(innerGap.scale(yb.Im)).turn()
		x[k+m], x[k+4*m] = near.add(nearTurn), near.sub(nearTurn)
		far := a.add(outer.scale(yb.Re)).add(inner.scale(ya.Re))
		farTurn := outerGap.scale(yb.Im).sub(innerGap.scale(ya.Im)).turn()
		x[k+2*m], x[k+3*m] = far.add(farTurn), far.sub(farTurn)
	}
}
