package op

import (
	"cmp"

	"kedge/runtime/dsp"
	"kedge/runtime/tensor"
)

// signalFilterBankSquareRoot is SignalFilterBankSquareRoot: the square root,
// rounded to the nearest, shifted right by a number of bits that another operator
// computed. A number outside of 0 to 31, which the reference leaves undefined,
// gives 0.
type signalFilterBankSquareRoot struct{ in, scale, out int }

func prepareSignalFilterBankSquareRoot(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	in, scale, out := p.in(0), p.in(1), p.out(0)
	if err := cmp.Or(
		p.vector(in, tensor.Uint64), p.single(scale, tensor.Int32), p.vector(out, tensor.Uint32), p.count(out, in.elements()),
	); err != nil {
		return nil, err
	}
	return &signalFilterBankSquareRoot{in.id, scale.id, out.id}, nil
}

func (s *signalFilterBankSquareRoot) Eval(m *Memory) {
	shift := uint32(get[int32](m, s.scale)[0])
	out := get[uint32](m, s.out)
	for i, v := range get[uint64](m, s.in)[:len(out)] {
		out[i] = dsp.Sqrt(v) >> shift
	}
}
