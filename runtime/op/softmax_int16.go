package op

import (
	"cmp"
	"math"
	"math/bits"

	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
)

// softmaxWide is SOFTMAX for int16: e^x and 1/(1+x) from tables, the sum in
// Q16.15. From 65538 equal logits on it would overflow, which the reference leaves
// undefined; here it saturates.
type softmaxWide struct {
	in, out    int
	depth      int
	m          fixed.Multiplier // from input differences to the table's argument
	exp, recip *lut16
}

// prepareSoftmaxWide is prepareSoftmax for int16; the shapes have been checked.
func (p *Prep) prepareSoftmaxWide(in, out operand) (Evaluator, error) {
	if err := p.Budget.Spend(2, 513*2); err != nil {
		return nil, err
	}
	if err := cmp.Or(p.types(out, tensor.Int16), p.probabilities(out, 1.0/32768, 0)); err != nil {
		return nil, err
	}
	// The tables are for arguments in [-10, 0]: e^-10 is below the resolution.
	beta := float64(p.Operator.Options.Float32(0, 0))
	factor := float64(float64(in.Quant.Scale()) * beta)
	m, err := p.multiplier(in, factor/(10.0/65535.0))
	if err != nil {
		return nil, err
	}
	const unit = float32(1) / 65535
	two := float32(2) / 65535
	one := func(x float32) float32 { return float32(1 / float32(1+x)) }
	return &softmaxWide{
		in: in.id, out: out.id, depth: in.Shape[len(in.Shape)-1], m: m,
		exp:   newLUT16(expf, float32(float32(10)/65535)*-65535, 0, two*-32768, two*32767),
		recip: newLUT16(one, 0, unit*65535, two*-32768, two*32767),
	}, nil
}

func (s *softmaxWide) Eval(m *Memory) {
	in, out := get[int16](m, s.in), get[int16](m, s.out)
	for s.depth > 0 && len(in) >= s.depth {
		s.row(in[:s.depth], out[:s.depth])
		in, out = in[s.depth:], out[s.depth:]
	}
}

func (s *softmaxWide) row(in, out []int16) {
	top := in[0]
	for _, v := range in {
		top = max(top, v)
	}
	total := int64(0)
	for i, v := range in {
		// Differences down to -65535 are centered on the table's range.
		centered := int64(s.m.Apply(int32(v)-int32(top))) + 32767
		out[i] = s.exp.at(int16(min(max(centered, -32768), 32767)))
		total += int64(out[i])
	}
	sum := int32(min(total, math.MaxInt32))
	headroom := bits.LeadingZeros32(uint32(sum))
	// The sum as 1+x with x in [0, 1), x centered on the table's range.
	x := int32((int64(sum)<<uint(headroom-1) + 1<<13) >> 14)
	r := int64(s.recip.at(int16(min(max(x-(1<<15+1<<16), -32768), 32767))))
	shift := uint(31 - headroom)
	for i, e := range out {
		y := (int64(e)*r + 1<<(shift-1)) >> shift
		out[i] = int16(min(max(y, 0), 32767))
	}
}
