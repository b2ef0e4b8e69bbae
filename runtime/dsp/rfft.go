package dsp

import (
	"fmt"
	"math"
)

// MaxPoints is the longest transform.
const MaxPoints = 1 << 16

// RFFT is the Fourier transform of Points real numbers, by a complex transform
// of half as many whose real and imaginary parts are the even and odd ones.
type RFFT[T Fixed] struct {
	half  *fft[T]
	super []Complex[T] // e^(∓πi·(k/half + ½)) for k from 1 on
}

// NewRFFT computes the tables: for Forward, or with inverse set for Inverse.
// points is even, its half at least 2 and a product of 2, 3 and 5, as the
// reference has it, and at most MaxPoints.
func NewRFFT[T Fixed](points int, inverse bool) (*RFFT[T], error) {
	if points < 4 || points > MaxPoints || points%2 != 0 {
		return nil, fmt.Errorf("transform of %d points: not an even number from 4 to %d", points, MaxPoints)
	}
	half, err := newFFT[T](points/2, inverse)
	if err != nil {
		return nil, err
	}
	f := &RFFT[T]{half: half, super: make([]Complex[T], half.n/2)}
	for k := range f.super {
		f.super[k] = unit[T](-math.Pi*(float64(k+1)/float64(half.n)+0.5), inverse)
	}
	return f, nil
}

// RFFTBytes is the memory that the tables of that many points take.
func RFFTBytes[T Fixed](points int) int {
	return (points/2 + points/4) * 2 * int((fraction[T]()+1)/8)
}

// Points is how many real numbers are transformed.
func (f *RFFT[T]) Points() int { return 2 * f.half.n }

// Forward writes the spectrum of in, Points/2+1 values from frequency 0 to half
// the sampling rate, to out: the transform divided by Points. in is pairs of
// neighbors, Points/2 of them, as work is, which is overwritten.
func (f *RFFT[T]) Forward(out, in, work []Complex[T]) {
	n := f.half.n
	f.half.run(work[:n], in[:n])
	dc := work[0].over(2)
	out[0], out[n] = Complex[T]{Re: dc.Re + dc.Im}, Complex[T]{Re: dc.Re - dc.Im}
	for k := 1; k <= n/2; k++ {
		a, b := work[k].over(2), Complex[T]{work[n-k].Re, -work[n-k].Im}.over(2)
		sum, turned := a.add(b), a.sub(b).mul(f.super[k-1])
		out[k] = Complex[T]{half(sum.Re, turned.Re), half(sum.Im, turned.Im)}
		out[n-k] = Complex[T]{halfGap(sum.Re, turned.Re), halfGap(turned.Im, sum.Im)}
	}
}

// half is (a + b)/2, rounded down. The sum has 32 bits, whatever T, and wraps
// around in them.
func half[T Fixed](a, b T) T { return T((int32(a) + int32(b)) >> 1) }

// halfGap is (a − b)/2, likewise.
func halfGap[T Fixed](a, b T) T { return T((int32(a) - int32(b)) >> 1) }

// Inverse writes the signal of the spectrum in to out as pairs of neighbors: the
// inverse transform, its sum divided by Points. The three have the lengths of
// out, in and work of Forward the other way round.
func (f *RFFT[T]) Inverse(out, in, work []Complex[T]) {
	n := f.half.n
	work[0] = Complex[T]{in[0].Re + in[n].Re, in[0].Re - in[n].Re}.over(2)
	for k := 1; k <= n/2; k++ {
		a, b := in[k].over(2), Complex[T]{in[n-k].Re, -in[n-k].Im}.over(2)
		even, odd := a.add(b), a.sub(b).mul(f.super[k-1])
		work[k] = even.add(odd)
		back := even.sub(odd)
		work[n-k] = Complex[T]{back.Re, -back.Im}
	}
	f.half.run(out[:n], work[:n])
}
