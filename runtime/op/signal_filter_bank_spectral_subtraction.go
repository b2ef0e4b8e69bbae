package op

import (
	"cmp"
	"math"

	"kedge/runtime/tensor"
)

// signalFilterBankSpectralSubtraction is SignalFilterBankSpectralSubtraction:
// each channel less what of it is steady. The estimate of that noise follows the
// channel, with smoothing_bits more bits, by an exponential average whose factors
// are fractions of spectral_subtraction_bits bits, other ones in odd channels;
// it stays from one inference to the next and begins at 0. At least
// min_signal_remaining of a channel is left. Products have 64 bits; everything
// is rounded down, and what exceeds 32 bits wraps around.
type signalFilterBankSpectralSubtraction struct {
	in, out, noise int
	state          int
	smoothing      [2]uint32 // of even and odd channels
	remaining      [2]uint32 // one less smoothing
	least          uint32
	clamping       bool // the estimate does not stay above the channel
	bits           uint // more bits of the estimate
	fraction       uint // bits of the factors
}

func prepareSignalFilterBankSpectralSubtraction(p *Prep) (Evaluator, error) {
	if err := p.arity(1, 1, 2); err != nil {
		return nil, err
	}
	in, out, noise := p.in(0), p.out(0), p.out(1)
	o := p.options()
	channels := o.required("num_channels", 0, math.MaxInt32)
	s := &signalFilterBankSpectralSubtraction{
		in: in.id, out: out.id, noise: noise.id, state: p.StateSlot,
		smoothing: [2]uint32{o.word("smoothing"), o.word("alternate_smoothing")},
		remaining: [2]uint32{o.word("one_minus_smoothing"), o.word("alternate_one_minus_smoothing")},
		least:     o.word("min_signal_remaining"),
		clamping:  o.required("clamping", math.MinInt32, math.MaxInt32) != 0,
		bits:      uint(o.required("smoothing_bits", 0, 31)),
		fraction:  uint(o.required("spectral_subtraction_bits", 0, 63)),
	}
	if err := cmp.Or(
		o.err, p.vector(in, tensor.Uint32), p.vector(out, tensor.Uint32), p.vector(noise, tensor.Uint32),
		p.count(in, channels), p.count(out, channels), p.count(noise, channels),
	); err != nil {
		return nil, err
	}
	p.State = 4 * channels
	return s, nil
}

func (s *signalFilterBankSpectralSubtraction) Eval(m *Memory) {
	in, out, noise := get[uint32](m, s.in), get[uint32](m, s.out), get[uint32](m, s.noise)
	if len(in) == 0 {
		return // has no state
	}
	state := view[uint32](m.States[s.state])
	for i, v := range in {
		odd := i & 1
		signal := v << s.bits
		estimate := uint32((uint64(signal)*uint64(s.smoothing[odd]) + uint64(state[i])*uint64(s.remaining[odd])) >> s.fraction)
		state[i] = estimate
		if estimate > signal {
			estimate = signal
			if s.clamping {
				state[i] = signal
			}
		}
		floor := uint32(uint64(v) * uint64(s.least) >> s.fraction)
		out[i] = max((signal-estimate)>>s.bits, floor)
	}
	copy(noise, state)
}
