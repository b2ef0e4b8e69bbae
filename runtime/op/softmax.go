package op

import (
	"cmp"
	"fmt"
	"math"

	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
)

// softmax is SOFTMAX over the last dimension on int8. All exponentials
// it can meet are tabulated: the argument is the distance d from the row's
// maximum, 0 to 255.
type softmax struct {
	in, out int
	depth   int
	exp     [256]int32 // e^(-scale·beta·d) in Q0.31
	sum     [256]int32 // the same in Q12.19, for the sum
	skip    int        // from this distance on the output is the lowest value
}

func prepareSoftmax(p *Prep) (Evaluator, error) {
	if err := p.arity(1, 1, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	if err := cmp.Or(
		p.types(in, tensor.Int8, tensor.Int16), p.types(out, in.Type), p.shape(out, in.Shape),
		p.quantized(in), p.quantized(out),
	); err != nil {
		return nil, err
	}
	if len(in.Shape) == 0 {
		return nil, p.invalid(in, "a scalar", "at least one dimension")
	}
	if in.Type == tensor.Int16 {
		return p.prepareSoftmaxWide(in, out)
	}
	if err := p.Budget.Spend(1, 2048); err != nil {
		return nil, err
	}
	if q := out.Quant; q.Scale() != 1.0/256 || q.ZeroPoint() != -128 {
		return nil, p.unsupported(out, fmt.Sprintf("scale %g, zero point %d", q.Scale(), q.ZeroPoint()), "1/256, -128")
	}
	s := &softmax{in: in.id, out: out.id, depth: in.Shape[len(in.Shape)-1]}
	return s, p.tabulateExp(s, in)
}

// tabulateExp computes the exponentials by their fixed-point definition. The
// argument is rescaled to Q5.26; distances whose rescaled value would not fit
// are skipped, their exponential being below the output's resolution.
func (p *Prep) tabulateExp(s *softmax, in operand) error {
	beta := float64(p.Operator.Options.Float32(0, 0))
	factor := float64(beta * float64(in.Quant.Scale()))
	factor = min(factor*(1<<26), math.MaxInt32)
	if !(factor > 1) {
		return p.unsupported(in, fmt.Sprintf("scale %g with beta %g", in.Quant.Scale(), beta), "a product above 2^-26")
	}
	m := fixed.Quantize(factor)
	radius := int(31 * (int64(1) << 26) >> uint32(m.Shift))
	s.skip = min(radius+1, len(s.exp))
	for d := range s.skip {
		s.exp[d] = fixed.Exp(m.Apply(int32(-d)))
		s.sum[d] = fixed.DivPow2(s.exp[d], 12)
	}
	return nil
}

func (s *softmax) Eval(m *Memory) {
	in, out := get[int8](m, s.in), get[int8](m, s.out)
	for len(in) >= s.depth && s.depth > 0 {
		s.row(in[:s.depth], out[:s.depth])
		in, out = in[s.depth:], out[s.depth:]
	}
}

func (s *softmax) row(in, out []int8) {
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
	exponent := int32(over + 31 - 8)
	for i, v := range in {
		d := int(top) - int(v)
		if d >= s.skip {
			out[i] = -128
			continue
		}
		y := fixed.DivPow2(fixed.MulHigh(scale, s.exp[d]), exponent) - 128
		out[i] = int8(min(max(y, -128), 127))
	}
}
