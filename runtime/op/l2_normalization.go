package op

import (
	"fmt"
	"math"

	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
)

// l2Normalization is L2_NORMALIZATION over the last dimension on int8: the input
// less its zero point, times the reciprocal root of the sum of squares in fixed
// point, rounded to 1/128. What the output's quantization states plays no part,
// as in the reference.
type l2Normalization struct {
	in, out, depth int
	zero           int32
}

func prepareL2Normalization(p *Prep) (Evaluator, error) {
	in, out, err := p.unary()
	if err != nil {
		return nil, err
	}
	if err := p.types(in, tensor.Int8); err != nil {
		return nil, err
	}
	if a := p.Operator.Options.Byte(0, 0); a != byte(actNone) {
		return nil, p.unsupported(operand{}, fmt.Sprintf("fused activation %d", a), "none")
	}
	if n := len(in.Shape); n < 1 || n > 4 {
		return nil, p.unsupported(in, fmt.Sprintf("shape %v", in.Shape), "1 to 4 dimensions")
	}
	depth := in.Shape[len(in.Shape)-1]
	if depth > math.MaxInt32/(255*255) {
		return nil, p.unsupported(in, fmt.Sprintf("%d channels", depth), "squares whose sum fits in 31 bits")
	}
	return &l2Normalization{in.id, out.id, depth, in.Quant.ZeroPoint()}, nil
}

func (l *l2Normalization) Eval(m *Memory) {
	in, out := get[int8](m, l.in), get[int8](m, l.out)
	for l.depth > 0 && len(in) >= l.depth {
		l.row(in[:l.depth], out[:l.depth])
		in, out = in[l.depth:], out[l.depth:]
	}
}

func (l *l2Normalization) row(in, out []int8) {
	squares := int32(0)
	for _, v := range in {
		squares += (int32(v) - l.zero) * (int32(v) - l.zero)
	}
	norm := fixed.InvSqrt(squares)
	norm.Shift += 7
	for i, v := range in {
		out[i] = int8(min(max(norm.Apply(int32(v)-l.zero), math.MinInt8), math.MaxInt8))
	}
}
