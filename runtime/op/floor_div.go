package op

import (
	"math"

	"kedge/runtime/tensor"
)

// prepareFloorDiv prepares FLOOR_DIV on float32: the float64 quotient rounded
// down. Division by 0, at which the reference fails in the middle of the
// inference, gives what float64 gives.
func prepareFloorDiv(p *Prep) (Evaluator, error) {
	return p.realFloor(func(x, y float32) float32 {
		return float32(math.Floor(float64(x) / float64(y)))
	})
}

// realFloor prepares FLOOR_DIV and FLOOR_MOD.
func (p *Prep) realFloor(f func(x, y float32) float32) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	for _, t := range []operand{p.in(0), p.in(1), p.out(0)} {
		if err := p.types(t, tensor.Float32); err != nil {
			return nil, err
		}
	}
	return pair(p, f)
}
