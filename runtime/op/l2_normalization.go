package op

import (
	"fmt"
	"math"

	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
)

// l2Normalization is L2_NORMALIZATION over the last dimension on int8 or uint8:
// the input less its zero point, times the reciprocal root of the sum of squares
// in fixed point, rounded to 1/128. int8 takes the 128 into the factor's shift,
// uint8 into the value before its first rounding. What the output's quantization
// states plays no part on int8, as in the reference; uint8 requires it.
type l2Normalization[T int8 | uint8] struct {
	in, out, depth        int
	zero, outZero, lo, hi int32
	unit, shift           int32 // 128 as a factor of the value, and as 2^shift of the multiplier
}

// prepareL2Normalization prepares L2_NORMALIZATION, of float32 by
// l2Normalizationf.
func prepareL2Normalization(p *Prep) (Evaluator, error) {
	if a := p.Operator.Options.Byte(0, 0); a != byte(actNone) {
		return nil, p.unsupported(operand{}, fmt.Sprintf("fused activation %d", a), "none")
	}
	if p.isReal() {
		return p.realRows(l2Normalizationf)
	}
	in, out, err := p.unary(tensor.Int8, tensor.Uint8)
	if err != nil {
		return nil, err
	}
	if n := len(in.Shape); n < 1 || n > 4 && in.Type == tensor.Int8 {
		return nil, p.unsupported(in, fmt.Sprintf("shape %v", in.Shape), "1 to 4 dimensions")
	}
	depth := in.Shape[len(in.Shape)-1]
	if depth > math.MaxInt32/(255*255) {
		return nil, p.unsupported(in, fmt.Sprintf("%d channels", depth), "squares whose sum fits in 31 bits")
	}
	lo, hi, _ := out.Type.Range()
	if in.Type == tensor.Int8 {
		return &l2Normalization[int8]{
			in: in.id, out: out.id, depth: depth, zero: in.Quant.ZeroPoint(), lo: lo, hi: hi, unit: 1, shift: 7,
		}, nil
	}
	if s, z := out.Quant.Scale(), out.Quant.ZeroPoint(); s != 1.0/128 || z != 128 {
		return nil, p.unsupported(out, fmt.Sprintf("scale %g, zero point %d", s, z), "1/128, 128")
	}
	return &l2Normalization[uint8]{
		in: in.id, out: out.id, depth: depth, zero: in.Quant.ZeroPoint(), outZero: 128, lo: lo, hi: hi, unit: 128,
	}, nil
}

func (l *l2Normalization[T]) Eval(m *Memory) {
	in, out := get[T](m, l.in), get[T](m, l.out)
	for l.depth > 0 && len(in) >= l.depth {
		l.row(in[:l.depth], out[:l.depth])
		in, out = in[l.depth:], out[l.depth:]
	}
}

func (l *l2Normalization[T]) row(in, out []T) {
	squares := int32(0)
	for _, v := range in {
		squares += (int32(v) - l.zero) * (int32(v) - l.zero)
	}
	norm := fixed.InvSqrt(squares)
	norm.Shift += l.shift
	for i, v := range in {
		out[i] = T(min(max(norm.Apply(l.unit*(int32(v)-l.zero))+l.outZero, l.lo), l.hi))
	}
}
