package op

import (
	"fmt"

	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
)

// prepareLogistic prepares LOGISTIC, 1/(1+e^-x). int8: fixed point by e^x and a
// reciprocal, its Q0.31 rounded to 1/256. int16: a table.
func prepareLogistic(p *Prep) (Evaluator, error) {
	in, out, err := p.unary()
	if err != nil {
		return nil, err
	}
	if in.Type == tensor.Int16 {
		return p.curve16(in, out, 1, func(a argument16, t *sigmoidTable) scalar { return logistic16{a, t} })
	}
	if z := out.Quant.ZeroPoint(); z != -128 {
		return nil, p.unsupported(out, fmt.Sprintf("zero point %d", z), "-128")
	}
	return p.curve8(in, out, fixed.Logistic, 23, -128)
}

// logistic16 is LOGISTIC on int16: the table's Q0.25 for the magnitude, the
// complement to 1 for negative arguments, rounded to Q0.15, where halves go up
// for positive arguments and down for negative ones.
type logistic16 struct {
	argument16
	table *sigmoidTable
}

func (l logistic16) at(v int32) int32 {
	const half = 1 << 9
	x := l.argument16.at(v)
	y := l.table.at(magnitude(x), 9, 0x7FFF<<1)
	if x >= 0 {
		return (y + half) >> 10
	}
	return (1<<25 - y + half - 1) >> 10
}
