package op

import (
	"fmt"
	"math"

	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
)

// logSoftmax is LOG_SOFTMAX over the last dimension on int8: x − max − ln Σe^(x −
// max), with the exponentials of SOFTMAX, their sum in Q12.19 and its logarithm
// in Q5.26, rounded half away from zero to the output's 1/16. All is tabulated by
// the distance from the row's maximum.
type logSoftmax struct {
	in, out int
	depth   int
	expTable
	scaled  [256]int32       // the distance, negated, in Q5.26
	inverse fixed.Multiplier // from Q5.26 back to input steps
}

func prepareLogSoftmax(p *Prep) (Evaluator, error) {
	in, out, err := p.unary()
	if err != nil {
		return nil, err
	}
	if err := p.types(in, tensor.Int8); err != nil {
		return nil, err
	}
	if len(in.Shape) == 0 {
		return nil, p.invalid(in, "a scalar", "at least one dimension")
	}
	if s, z := out.Quant.Scale(), out.Quant.ZeroPoint(); s != 1.0/16 || z != 127 {
		return nil, p.unsupported(out, fmt.Sprintf("scale %g, zero point %d", s, z), "1/16, 127")
	}
	if err := p.Budget.Spend(1, 3072); err != nil {
		return nil, err
	}
	table, m, err := p.tabulateExp(in, 1)
	if err != nil {
		return nil, err
	}
	l := &logSoftmax{in: in.id, out: out.id, depth: in.Shape[len(in.Shape)-1], expTable: table}
	for d := range l.skip {
		l.scaled[d] = m.Apply(int32(-d))
	}
	l.inverse = fixed.Quantize(float64(int64(1)<<uint(31-m.Shift)) / float64(m.M))
	return l, nil
}

func (l *logSoftmax) Eval(m *Memory) {
	in, out := get[int8](m, l.in), get[int8](m, l.out)
	for l.depth > 0 && len(in) >= l.depth {
		l.row(in[:l.depth], out[:l.depth])
		in, out = in[l.depth:], out[l.depth:]
	}
}

func (l *logSoftmax) row(in, out []int8) {
	top := in[0]
	for _, v := range in {
		top = max(top, v)
	}
	total := int64(0)
	for _, v := range in {
		total += int64(l.sum[int(top)-int(v)])
	}
	// The reference's sum overflows at 4096; here it stops below.
	log := fixed.Log(int32(min(total, math.MaxInt32)))
	// Distances are too large from where their difference would leave Q5.26.
	end := min(l.skip, -int(l.inverse.Apply(log+math.MinInt32)))
	for i, v := range in {
		d := int(top) - int(v)
		if d >= end {
			out[i] = math.MinInt8
			continue
		}
		y := fixed.DivPow2(l.scaled[d]-log, 22) + 127
		out[i] = int8(min(max(y, math.MinInt8), math.MaxInt8))
	}
}
