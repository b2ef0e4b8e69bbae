package op

import (
	"cmp"
	"fmt"
	"math/bits"

	"kedge/runtime/tensor"
)

// pcanTable is the least length of the gain's table: for each of 31 binary
// orders of the noise three coefficients and one unused, after the first two
// values.
const pcanTable = 4*32 - 3

// signalPCAN is SignalPCAN, automatic gain control (per-channel amplitude
// normalization): each channel times a gain that depends on its noise, shifted
// right to 12 bits of fraction, and compressed to 6: x²/4 below 2, x − 1 from
// there on. 64-bit products, rounded down, cut to 32 bits.
type signalPCAN struct {
	in, noise, table, out int
	shift                 uint
}

func prepareSignalPCAN(p *Prep) (Evaluator, error) {
	if err := p.arity(3, 3, 1); err != nil {
		return nil, err
	}
	in, noise, table, out := p.in(0), p.in(1), p.in(2), p.out(0)
	o := p.options()
	s := &signalPCAN{in.id, noise.id, table.id, out.id, uint(o.required("snr_shift", 0, 63))}
	if err := cmp.Or(
		o.err, p.vector(in, tensor.Uint32), p.vector(noise, tensor.Uint32), p.vector(table, tensor.Int16), p.vector(out, tensor.Uint32),
		p.count(noise, in.elements()), p.count(out, in.elements()),
	); err != nil {
		return nil, err
	}
	if n := table.elements(); n < pcanTable {
		return nil, p.invalid(table, fmt.Sprintf("%d values", n), fmt.Sprintf("at least %d", pcanTable))
	}
	return s, nil
}

func (s *signalPCAN) Eval(m *Memory) {
	in, noise, out := get[uint32](m, s.in), get[uint32](m, s.noise), get[uint32](m, s.out)
	table := get[int16](m, s.table)
	for i, v := range in {
		gain := uint32(pcanGain(noise[i], table))
		out[i] = pcanShrink(uint32(uint64(v) * uint64(gain) >> s.shift))
	}
}

// pcanGain is a piecewise parabola: up to 2 the table's value itself, above, in
// each binary order, c₀ + f·c₁ + f²·c₂ with f the 10 bits below the highest one.
// It is rounded half up once, at the end, but for c₂·f.
func pcanGain(x uint32, table []int16) int16 {
	if x <= 2 {
		return table[x]
	}
	order := bits.Len32(x)
	c := table[4*order-6:][:3]
	f := int32(uint64(x)<<11>>uint(order)) & 0x3ff
	v := (int32(c[2])*f>>5 + int32(c[1])<<5) * f
	return int16((v+1<<14)>>15 + int32(c[0]))
}

// pcanShrink takes 12 bits of fraction to 6.
func pcanShrink(x uint32) uint32 {
	if x < 2<<12 {
		return x * x >> 20
	}
	return x>>6 - 1<<6
}
