package op

import (
	"fmt"

	"kedge/runtime/tensor"
)

// prepareFill prepares FILL: the second input, a scalar, in every element of the
// shape that the first states.
func prepareFill(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	dims, value, out := p.in(0), p.in(1), p.out(0)
	if err := p.movable(value, out); err != nil {
		return nil, err
	}
	if err := p.rank(value, 0); err != nil {
		return nil, err
	}
	want, err := p.constants(dims, len(out.Shape), tensor.Int8, tensor.Int16, tensor.Int32, tensor.Int64)
	if err != nil {
		return nil, err
	}
	for d, n := range out.Shape {
		if int64(n) != want[d] {
			return nil, p.invalid(out, fmt.Sprintf("shape %v", out.Shape), fmt.Sprint(want))
		}
	}
	return layStrided(value, out, 0, []loop{{extent: out.elements()}}), nil
}
