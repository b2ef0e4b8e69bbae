package op

import (
	"slices"

	"kedge/runtime/tensor"
)

// prepareExpandDims prepares EXPAND_DIMS: the same bytes with one more
// dimension of extent 1. A negative axis counts from behind the new last
// dimension.
func prepareExpandDims(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	if err := p.movable(in, out); err != nil {
		return nil, err
	}
	axis, err := p.constantAxis(p.in(1), len(in.Shape)+1)
	if err != nil {
		return nil, err
	}
	return p.renamed(in, out, slices.Insert(slices.Clone(in.Shape), axis, 1))
}

// renamed prepares an operator that only gives in's bytes another shape.
func (p *Prep) renamed(in, out operand, want tensor.Shape) (Evaluator, error) {
	if err := p.shape(out, want); err != nil {
		return nil, err
	}
	p.Alias = true
	return &reshape{in.id, out.id}, nil
}
