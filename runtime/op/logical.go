package op

import (
	"cmp"

	"kedge/runtime/tensor"
)

// logical prepares LOGICAL_AND and LOGICAL_OR: f of two bools, 1 or 0.
func (p *Prep) logical(f func(x, y bool) bool) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	if err := cmp.Or(
		p.types(p.in(0), tensor.Bool), p.types(p.in(1), tensor.Bool), p.types(p.out(0), tensor.Bool),
	); err != nil {
		return nil, err
	}
	return pair(p, func(x, y uint8) uint8 { return truth(f(x != 0, y != 0)) })
}
