package op

import (
	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
)

// prepareTanh prepares TANH. int8: fixed point by e^(-2|x|) and a reciprocal, its
// Q0.31 rounded to 1/128. int16: the table of LOGISTIC, its Q0.24 rounded to Q0.15
// in the same way. uint8: a table of real results. float32: by e^x − 1.
func prepareTanh(p *Prep) (Evaluator, error) {
	if p.isReal() {
		return p.real(tanhf)
	}
	in, out, err := p.unary(tensor.Int8, tensor.Uint8, tensor.Int16)
	if err != nil {
		return nil, err
	}
	if in.Type == tensor.Uint8 {
		return p.realCurve(in, out, tanhf)
	}
	if in.Type == tensor.Int16 {
		return p.curve16(in, out, 2, fixed.Tanh16)
	}
	return p.curve8(in, out, fixed.Tanh, 24, 0)
}
