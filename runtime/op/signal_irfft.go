package op

import (
	"fmt"

	"kedge/runtime/dsp"
	"kedge/runtime/tensor"
)

// signalIRFFT is SignalIrfft: for each spectrum of real and imaginary parts the
// signal of fft_length samples, the sum divided by fft_length; see dsp.RFFT for
// its rounding.
type signalIRFFT[T dsp.Fixed] struct {
	in, out int
	fft     *dsp.RFFT[T]
}

func prepareSignalIRFFT(p *Prep) (Evaluator, error) {
	if err := p.arity(1, 1, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	points, err := p.fftLength(in, out)
	if err != nil {
		return nil, err
	}
	rows, row, err := p.frames(out)
	if err != nil {
		return nil, err
	}
	if row != points {
		return nil, p.invalid(out, fmt.Sprintf("rows of %d samples", row), fmt.Sprintf("fft_length, %d", points))
	}
	if err := p.spectrum(in, rows, points); err != nil {
		return nil, err
	}
	p.Scratch = points * in.size()
	if in.Type == tensor.Int16 {
		fft, err := newRFFT[int16](p, points, true)
		return &signalIRFFT[int16]{in.id, out.id, fft}, err
	}
	fft, err := newRFFT[int32](p, points, true)
	return &signalIRFFT[int32]{in.id, out.id, fft}, err
}

func (s *signalIRFFT[T]) Eval(m *Memory) {
	in, out, work := complexes[T](m.Tensors[s.in]), complexes[T](m.Tensors[s.out]), complexes[T](m.Scratch)
	half := s.fft.Points() / 2
	for len(in) > half {
		s.fft.Inverse(out, in, work)
		in, out = in[half+1:], out[half:]
	}
}
