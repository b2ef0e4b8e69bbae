package op

import "cmp"

// densify is DENSIFY: the expanded form of a compressed constant. It is done when
// the model is loaded, which makes the output a constant; nothing is left to be
// computed. A constant that is not compressed is passed on as it is.
type densify struct{}

func prepareDensify(p *Prep) (Evaluator, error) {
	if err := p.arity(1, 1, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	if err := cmp.Or(p.types(out, in.Type), p.shape(out, in.Shape), p.constant(in)); err != nil {
		return nil, err
	}
	return densify{}, nil
}

func (densify) Eval(*Memory) {}
