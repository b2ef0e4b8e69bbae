package op

import (
	"cmp"
	"math"

	"kedge/runtime/dsp"
	"kedge/runtime/tensor"
)

// signalFilterBankLog is SignalFilterBankLog: the natural logarithm of each
// channel, shifted left by input_correction_bits (wrapping around), times
// output_scale, at most 32767; 0 for 0 and 1. See dsp.Log for its rounding.
type signalFilterBankLog struct {
	in, out int
	bits    uint
	scale   uint32
}

func prepareSignalFilterBankLog(p *Prep) (Evaluator, error) {
	if err := p.arity(1, 1, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	o := p.options()
	s := &signalFilterBankLog{in.id, out.id, uint(o.required("input_correction_bits", 0, 31)), o.word("output_scale")}
	if err := cmp.Or(
		o.err, p.vector(in, tensor.Uint32), p.vector(out, tensor.Int16), p.count(out, in.elements()),
	); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *signalFilterBankLog) Eval(m *Memory) {
	out := get[int16](m, s.out)
	for i, v := range get[uint32](m, s.in)[:len(out)] {
		out[i] = 0
		if v <<= s.bits; v > 1 {
			out[i] = int16(min(dsp.Log(v, s.scale), math.MaxInt16))
		}
	}
}
