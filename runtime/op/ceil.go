package op

import "math"

// prepareCeil prepares CEIL.
func prepareCeil(p *Prep) (Evaluator, error) {
	return p.real(func(x float32) float32 { return float32(math.Ceil(float64(x))) })
}
