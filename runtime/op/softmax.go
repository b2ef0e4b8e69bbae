package op

import (
	"cmp"
	"fmt"
	"math"

	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
)

// softmax is SOFTMAX over the last dimension on int8 or uint8, to the same or
// int16. All exponentials it can meet are tabulated: the argument is the distance
// d from the row's maximum, 0 to 255. Probability 0 is the lowest value of the
// output's type and 1 one above its highest; what a uint8 model states for its
// output plays no part, as in the reference.
type softmax[I int8 | uint8, O int8 | uint8 | int16] struct {
	in, out         int
	depth           int
	lowest, highest int32 // of the output's type
	bits            int   // of the output's type
	expTable
}

// expTable holds e^(-factor·d) for every distance d.
type expTable struct {
	exp  [256]int32 // e^(-scale·beta·d) in Q0.31
	sum  [256]int32 // the same in Q12.19, for the sum
	skip int        // from this distance on the output is the lowest value
}

// prepareSoftmax prepares SOFTMAX, of float32 by softmaxf.
func prepareSoftmax(p *Prep) (Evaluator, error) {
	if p.isReal() {
		return p.realRows(softmaxf(p.Operator.Options.Float32(0, 0)))
	}
	if err := p.arity(1, 1, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	if err := cmp.Or(
		p.types(in, tensor.Int8, tensor.Uint8, tensor.Int16), p.shape(out, in.Shape),
		p.quantized(in), p.centered(in),
	); err != nil {
		return nil, err
	}
	if len(in.Shape) == 0 {
		return nil, p.invalid(in, "a scalar", "at least one dimension")
	}
	if in.Type == tensor.Int16 {
		return p.prepareSoftmaxWide(in, out)
	}
	if err := p.types(out, in.Type, tensor.Int16); err != nil {
		return nil, err
	}
	if err := p.Budget.Spend(1, 2048); err != nil {
		return nil, err
	}
	table, _, err := p.tabulateExp(in, float64(p.Operator.Options.Float32(0, 0)))
	if err != nil {
		return nil, err
	}
	depth := in.Shape[len(in.Shape)-1]
	lo, hi, _ := out.Type.Range()
	switch [2]tensor.Type{in.Type, out.Type} {
	case [2]tensor.Type{tensor.Uint8, tensor.Uint8}:
		return &softmax[uint8, uint8]{in.id, out.id, depth, lo, hi, 8, table}, nil
	case [2]tensor.Type{tensor.Uint8, tensor.Int16}:
		return &softmax[uint8, int16]{in.id, out.id, depth, lo, hi, 16, table}, nil
	case [2]tensor.Type{tensor.Int8, tensor.Int16}:
		return &softmax[int8, int16]{in.id, out.id, depth, lo, hi, 16, table}, p.probabilities(out, 1.0/65536, lo)
	}
	return &softmax[int8, int8]{in.id, out.id, depth, lo, hi, 8, table}, p.probabilities(out, 1.0/256, lo)
}

// probabilities checks that out's quantization is the one in which the lowest
// value is 0 and one above the highest is 1.
func (p *Prep) probabilities(out operand, scale float64, zero int32) error {
	s, z := float64(out.Quant.Scale()), out.Quant.ZeroPoint()
	if !(math.Abs(s-scale) <= 0.001*scale) || out.Type == tensor.Int8 && s != scale || z != zero {
		return p.unsupported(out, fmt.Sprintf("scale %g, zero point %d", s, z), fmt.Sprintf("1/%g, %d", 1/scale, zero))
	}
	return nil
}

// tabulateExp computes the exponentials by their fixed-point definition. The
// argument is rescaled to Q5.26; distances whose rescaled value would not fit
// are skipped, their exponential being below the output's resolution. m is the
// rescaling.
func (p *Prep) tabulateExp(in operand, beta float64) (s expTable, m fixed.Multiplier, err error) {
	factor := float64(beta * float64(in.Quant.Scale()))
	factor = min(factor*(1<<26), math.MaxInt32)
	if !(factor > 1) {
		return s, m, p.unsupported(in, fmt.Sprintf("scale %g with beta %g", in.Quant.Scale(), beta), "a product above 2^-26")
	}
	m = fixed.Quantize(factor)
	radius := int(31 * (int64(1) << 26) >> uint32(m.Shift))
	s.skip = min(radius+1, len(s.exp))
	for d := range s.skip {
		s.exp[d] = fixed.Exp(m.Apply(int32(-d)))
		s.sum[d] = fixed.DivPow2(s.exp[d], 12)
	}
	return s, m, nil
}

func (s *softmax[I, O]) Eval(m *Memory) {
	in, out := get[I](m, s.in), get[O](m, s.out)
	for len(in) >= s.depth && s.depth > 0 {
		s.row(in[:s.depth], out[:s.depth])
		in, out = in[s.depth:], out[s.depth:]
	}
}

func (s *softmax[I, O]) row(in []I, out []O) {
	top := in[0]
	for _, v := range in {
		top = max(top, v)
	}
	total := int64(0)
	for _, v := range in {
		total += int64(s.sum[int(top)-int(v)])
	}
	// The reference aborts from a sum of 512 on. Here the definition simply
	// continues: the sum saturates at what Q12.19 holds, and an exponent above 31
	// gives 0, the lowest output.
	scale, over := fixed.Reciprocal(int32(min(total, math.MaxInt32)), 12)
	exponent := int32(over + 31 - s.bits)
	for i, v := range in {
		d := int(top) - int(v)
		if d >= s.skip {
			out[i] = O(s.lowest)
			continue
		}
		y := fixed.DivPow2(fixed.MulHigh(scale, s.exp[d]), exponent) + s.lowest
		out[i] = O(min(max(y, s.lowest), s.highest))
	}
}
