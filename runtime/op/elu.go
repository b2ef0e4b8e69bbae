package op

import "kedge/runtime/tensor"

// prepareElu prepares ELU on int8, a table of real results: x for x ≥ 0 and
// e^x − 1 below.
func prepareElu(p *Prep) (Evaluator, error) {
	in, out, err := p.unary(tensor.Int8)
	if err != nil {
		return nil, err
	}
	return p.realCurve(in, out, func(x float32) float32 {
		if x < 0 {
			return float32(expf(x) - 1)
		}
		return x
	})
}
