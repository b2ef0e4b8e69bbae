package op

import (
	"cmp"
	"fmt"

	"kedge/runtime/dsp"
	"kedge/runtime/tensor"
)

// signalRFFT is SignalRfft: for each row of samples, filled up with 0 to
// fft_length, the spectrum from frequency 0 to half the sampling rate as real and
// imaginary parts, divided by fft_length; see dsp.RFFT for its rounding.
type signalRFFT[T dsp.Fixed] struct {
	in, out int
	row     int // samples
	fft     *dsp.RFFT[T]
}

func prepareSignalRFFT(p *Prep) (Evaluator, error) {
	if err := p.arity(1, 1, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	points, err := p.fftLength(in, out)
	if err != nil {
		return nil, err
	}
	rows, row, err := p.frames(in)
	if err != nil {
		return nil, err
	}
	if row > points {
		return nil, p.invalid(in, fmt.Sprintf("rows of %d samples", row), fmt.Sprintf("at most fft_length, %d", points))
	}
	if err := p.spectrum(out, rows, points); err != nil {
		return nil, err
	}
	p.Scratch = 2 * points * in.size()
	if in.Type == tensor.Int16 {
		fft, err := newRFFT[int16](p, points, false)
		return &signalRFFT[int16]{in.id, out.id, row, fft}, err
	}
	fft, err := newRFFT[int32](p, points, false)
	return &signalRFFT[int32]{in.id, out.id, row, fft}, err
}

// fftLength is the length of a transform from in to out.
func (p *Prep) fftLength(in, out operand) (int, error) {
	o := p.options()
	points := o.required("fft_length", 4, dsp.MaxPoints)
	// T repeats the tensors' type; a converter writes it always.
	t := o.optional("T", 0, 255, int64(in.Type))
	if err := cmp.Or(o.err, p.types(in, tensor.Int16, tensor.Int32), p.types(out, in.Type)); err != nil {
		return 0, err
	}
	if len(in.Shape) != len(out.Shape) {
		return 0, p.invalid(out, fmt.Sprintf("shape %v", out.Shape), fmt.Sprintf("the input's %d dimensions", len(in.Shape)))
	}
	if tensor.Type(t) != in.Type {
		return 0, p.invalid(in, in.Type.String(), fmt.Sprintf("the option T, %v", tensor.Type(t)))
	}
	return points, nil
}

// spectrum checks that t holds the spectra of that many transforms.
func (p *Prep) spectrum(t operand, rows, points int) error {
	got, row, err := p.frames(t)
	if err == nil && (got != rows || row != points+2) {
		err = p.invalid(t, fmt.Sprintf("shape %v", t.Shape), fmt.Sprintf("%d rows of %d values", rows, points+2))
	}
	return err
}

// newRFFT computes a transform's tables.
func newRFFT[T dsp.Fixed](p *Prep, points int, inverse bool) (*dsp.RFFT[T], error) {
	if err := p.Budget.Spend(dsp.RFFTBytes[T](points), 1); err != nil {
		return nil, err
	}
	fft, err := dsp.NewRFFT[T](points, inverse)
	if err != nil {
		return nil, p.unsupported(operand{}, err.Error(), "an even fft_length whose half is a product of 2, 3 and 5")
	}
	return fft, nil
}

func (s *signalRFFT[T]) Eval(m *Memory) {
	in, out := view[T](m.Tensors[s.in]), complexes[T](m.Tensors[s.out])
	n := s.fft.Points()
	scratch := complexes[T](m.Scratch)
	padded, work := scratch[:n/2], scratch[n/2:n]
	frame := view[T](m.Scratch)[:n]
	clear(frame[s.row:])
	for len(in) >= s.row {
		copy(frame, in[:s.row])
		s.fft.Forward(out, padded, work)
		in, out = in[s.row:], out[n/2+1:]
	}
}
