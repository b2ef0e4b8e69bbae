package op

import (
	"fmt"
	"math"

	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
)

// logSoftmax is LOG_SOFTMAX over the last dimension on int8 or uint8: x − max − ln
// Σe^(x − max), with the exponentials of SOFTMAX, their sum in Q12.19 and its logarithm
// in Q5.26, rounded half away from zero to the output's 1/16. All is tabulated by
// the distance from the row's maximum.
type logSoftmax[T int8 | uint8] struct {
	in, out         int
	depth           int
	lowest, highest int32 // of T
	expTable
	scaled  [256]int32       // the distance, negated, in Q5.26
	inverse fixed.Multiplier // from Q5.26 back to input steps
}

// prepareLogSoftmax prepares LOG_SOFTMAX, of float32 by logSoftmaxf.
func prepareLogSoftmax(p *Prep) (Evaluator, error) {
	if p.isReal() {
		return p.realRows(logSoftmaxf)
	}
	in, out, err := p.unary(tensor.Int8, tensor.Uint8)
	if err != nil {
		return nil, err
	}
	if len(in.Shape) == 0 {
		return nil, p.invalid(in, "a scalar", "at least one dimension")
	}
	_, hi, _ := out.Type.Range()
	if s, z := out.Quant.Scale(), out.Quant.ZeroPoint(); s != 1.0/16 || z != hi {
		return nil, p.unsupported(out, fmt.Sprintf("scale %g, zero point %d", s, z), fmt.Sprintf("1/16, %d", hi))
	}
	if err := p.Budget.Spend(1, 3072); err != nil {
		return nil, err
	}
	if in.Type == tensor.Uint8 {
		return bindLogSoftmax[uint8](p, in, out)
	}
	return bindLogSoftmax[int8](p, in, out)
}

// bindLogSoftmax computes the tables.
func bindLogSoftmax[T int8 | uint8](p *Prep, in, out operand) (Evaluator, error) {
	table, m, err := p.tabulateExp(in, 1)
	if err != nil {
		return nil, err
	}
	l := &logSoftmax[T]{in: in.id, out: out.id, depth: in.Shape[len(in.Shape)-1], expTable: table}
	l.lowest, l.highest, _ = out.Type.Range()
	for d := range l.skip {
		l.scaled[d] = m.Apply(int32(-d))
	}
	l.inverse = fixed.Quantize(float64(int64(1)<<uint(31-m.Shift)) / float64(m.M))
	return l, nil
}

func (l *logSoftmax[T]) Eval(m *Memory) {
	in, out := get[T](m, l.in), get[T](m, l.out)
	for l.depth > 0 && len(in) >= l.depth {
		l.row(in[:l.depth], out[:l.depth])
		in, out = in[l.depth:], out[l.depth:]
	}
}

func (l *logSoftmax[T]) row(in, out []T) {
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
			out[i] = T(l.lowest)
			continue
		}
		y := fixed.DivPow2(l.scaled[d]-log, 22) + l.highest
		out[i] = T(min(max(y, l.lowest), l.highest))
	}
}
