package op

import "kedge/runtime/tensor"

// prepareElu prepares ELU: x for x ≥ 0 and e^x − 1 below, on int8 by a table of
// real results.
func prepareElu(p *Prep) (Evaluator, error) {
	if p.isReal() {
		return p.real(func(x float32) float32 {
			if x < 0 {
				return expm1f(x)
			}
			return x
		})
	}
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
