package op

import "fmt"

// prepareSplit prepares SPLIT: the second input cut along an axis, which the
// first names, into outputs of equal shape.
func prepareSplit(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 2, max(len(p.Operator.Outputs), 1)); err != nil {
		return nil, err
	}
	in, outputs := p.in(1), len(p.Operator.Outputs)
	if n := p.Operator.Options.Int32(0, int32(outputs)); int(n) != outputs {
		return nil, p.invalid(operand{}, fmt.Sprintf("%d outputs", outputs), fmt.Sprint(n))
	}
	axis, err := p.constantAxis(p.in(0), len(in.Shape))
	if err != nil {
		return nil, err
	}
	first := p.out(0)
	for i := range outputs {
		if err := p.shape(p.out(i), first.Shape); err != nil {
			return nil, err
		}
	}
	return p.split(in, axis)
}

// split cuts in into the operator's outputs.
func (p *Prep) split(in operand, axis int) (Evaluator, error) {
	j, err := p.concatenated(in, axis, len(p.Operator.Outputs), p.out)
	if err != nil {
		return nil, err
	}
	return &cutParts{j}, nil
}
