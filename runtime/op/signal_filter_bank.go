package op

import (
	"cmp"
	"fmt"
	"math"

	"kedge/runtime/tensor"
)

// signalFilterBank is SignalFilterBank: overlapping triangular filters over an
// energy spectrum. Band i adds its part of the spectrum times the weights to
// channel i−1, and times the unweights to channel i; what band 0 weights belongs
// to no channel. Sums are of 64 bits and wrap around.
type signalFilterBank struct {
	in, weights, unweights, out int
	bands                       []filterBand
}

// filterBand is where a band begins in spectrum and weights, and its width.
type filterBand struct{ start, weight, width int32 }

func prepareSignalFilterBank(p *Prep) (Evaluator, error) {
	if err := p.arity(6, 6, 1); err != nil {
		return nil, err
	}
	in, weights, unweights, out := p.in(0), p.in(1), p.in(2), p.out(0)
	o := p.options()
	channels := o.required("num_channels", 1, math.MaxInt16)
	if err := cmp.Or(
		o.err, p.vector(in, tensor.Uint32), p.vector(weights, tensor.Int16), p.vector(unweights, tensor.Int16),
		p.vector(out, tensor.Uint64), p.count(out, channels), p.Budget.Spend(channels+1, 12),
	); err != nil {
		return nil, err
	}
	f := &signalFilterBank{in.id, weights.id, unweights.id, out.id, make([]filterBand, channels+1)}
	for i, part := range []func(*filterBand) *int32{
		func(b *filterBand) *int32 { return &b.start },
		func(b *filterBand) *int32 { return &b.weight },
		func(b *filterBand) *int32 { return &b.width },
	} {
		t := p.in(3 + i)
		if err := cmp.Or(p.vector(t, tensor.Int16), p.constant(t)); err != nil {
			return nil, err
		}
		if t.elements() < len(f.bands) {
			return nil, p.invalid(t, fmt.Sprintf("%d values", t.elements()), fmt.Sprintf("%d, one more than channels", len(f.bands)))
		}
		for j, v := range view[int16](t.Data)[:len(f.bands)] {
			*part(&f.bands[j]) = int32(v)
		}
	}
	return f, f.check(p, in.elements(), min(weights.elements(), unweights.elements()))
}

// check refuses bands that leave the spectrum or the weights. A width of 0 or
// less is no band, wherever it begins.
func (f *signalFilterBank) check(p *Prep, spectrum, weights int) error {
	for i := range f.bands {
		b := &f.bands[i]
		if b.width <= 0 {
			*b = filterBand{}
		}
		if b.start < 0 || b.weight < 0 || int(b.start+b.width) > spectrum || int(b.weight+b.width) > weights {
			return p.invalid(operand{}, fmt.Sprintf("band %d of %d values from %d on, weights from %d on", i, b.width, b.start, b.weight),
				fmt.Sprintf("one within %d values and %d weights", spectrum, weights))
		}
	}
	return nil
}

func (f *signalFilterBank) Eval(m *Memory) {
	in, out := get[uint32](m, f.in), get[uint64](m, f.out)
	weights, unweights := get[int16](m, f.weights), get[int16](m, f.unweights)
	sum := uint64(0)
	for i, b := range f.bands {
		rest := uint64(0)
		w, u := weights[b.weight:b.weight+b.width], unweights[b.weight:b.weight+b.width]
		for j, v := range in[b.start : b.start+b.width] {
			sum += uint64(w[j]) * uint64(v)
			rest += uint64(u[j]) * uint64(v)
		}
		if i > 0 {
			out[i-1] = sum
		}
		sum = rest
	}
}
