package op

import (
	"fmt"

	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
)

// prepareLogistic prepares LOGISTIC, 1/(1+e^-x). int8: fixed point by e^x and a
// reciprocal, its Q0.31 rounded to 1/256. int16: a table, its Q0.25 rounded to
// Q0.15, where halves go up for positive arguments and down for negative ones.
// uint8: a table of real results. float32: by e^-x, below -9 e^x, and 1 from where it rounds to that.
func prepareLogistic(p *Prep) (Evaluator, error) {
	if p.isReal() {
		return p.real(logisticf)
	}
	in, out, err := p.unary(tensor.Int8, tensor.Uint8, tensor.Int16)
	if err != nil {
		return nil, err
	}
	if in.Type == tensor.Uint8 {
		if s := out.Quant.Scale(); s != 1.0/256 {
			return nil, p.unsupported(out, fmt.Sprintf("scale %g", s), "1/256")
		}
		return p.realCurve(in, out, func(x float32) float32 { return 1 / float32(1+expf(-x)) })
	}
	if in.Type == tensor.Int16 {
		return p.curve16(in, out, 1, fixed.Sigmoid16)
	}
	if z := out.Quant.ZeroPoint(); z != -128 {
		return nil, p.unsupported(out, fmt.Sprintf("zero point %d", z), "-128")
	}
	return p.curve8(in, out, fixed.Logistic, 23, -128)
}

func logisticf(x float32) float32 {
	switch {
	case x > 16.619047164916992188:
		return 1
	case x < -9:
		return expf(x)
	}
	return 1 / float32(1+expf(-x))
}
