package op

import (
	"cmp"
	"math/bits"

	"kedge/runtime/tensor"
)

// signalFFTAutoScale is SignalFftAutoScale: the samples shifted left as far as
// the largest magnitude goes, and by how many bits. Silence is not shifted.
//
// The magnitude of -32768 is taken for -32768, as in the reference, so that any
// sample behind it counts as larger; what is then shifted out is lost.
type signalFFTAutoScale struct{ in, out, scale int }

func prepareSignalFFTAutoScale(p *Prep) (Evaluator, error) {
	if err := p.arity(1, 1, 2); err != nil {
		return nil, err
	}
	in, out, scale := p.in(0), p.out(0), p.out(1)
	if err := cmp.Or(
		p.vector(in, tensor.Int16), p.vector(out, tensor.Int16), p.count(out, in.elements()), p.single(scale, tensor.Int32),
	); err != nil {
		return nil, err
	}
	return &signalFFTAutoScale{in.id, out.id, scale.id}, nil
}

func (s *signalFFTAutoScale) Eval(m *Memory) {
	in, out := get[int16](m, s.in), get[int16](m, s.out)
	top := int16(0)
	for _, v := range in {
		if v > top {
			top = v
		} else if -int32(v) > int32(top) {
			top = -v
		}
	}
	shift := 0
	if top > 0 {
		shift = 15 - bits.Len16(uint16(top))
	}
	for i, v := range in {
		out[i] = v << uint(shift)
	}
	get[int32](m, s.scale)[0] = int32(shift)
}
