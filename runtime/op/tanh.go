package op

import (
	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
)

// prepareTanh prepares TANH. int8: fixed point by e^(-2|x|) and a reciprocal, its
// Q0.31 rounded to 1/128. int16: a table.
func prepareTanh(p *Prep) (Evaluator, error) {
	in, out, err := p.unary()
	if err != nil {
		return nil, err
	}
	if in.Type == tensor.Int16 {
		return p.curve16(in, out, 2, func(a argument16, t *sigmoidTable) scalar { return tanh16{a, t} })
	}
	return p.curve8(in, out, fixed.Tanh, 24, 0)
}

// tanh16 is TANH on int16: 2·logistic(2x) − 1 from the logistic function's table,
// whose Q0.24 is rounded to Q0.15, where halves go up for positive arguments and
// down for negative ones.
type tanh16 struct {
	argument16
	table *sigmoidTable
}

func (t tanh16) at(v int32) int32 {
	const half = 1 << 7
	x := t.argument16.at(v)
	// Counting the magnitude in half steps doubles the argument.
	y := t.table.at(magnitude(x), 8, 0xFFFF) - 1<<23
	if x >= 0 {
		return (y + half) >> 8
	}
	return (-y + half - 1) >> 8
}
