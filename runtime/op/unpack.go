package op

import "fmt"

// prepareUnpack prepares UNPACK: the input taken apart along an axis, which the
// outputs lack.
func prepareUnpack(p *Prep) (Evaluator, error) {
	n := max(len(p.Operator.Outputs), 1)
	if err := p.arity(1, 1, n); err != nil {
		return nil, err
	}
	if count := p.Operator.Options.Int32(0, 0); int(count) != n {
		return nil, p.invalid(operand{}, fmt.Sprintf("%d outputs", n), fmt.Sprint(count))
	}
	in := p.in(0)
	axis, err := p.axis(operand{}, int64(p.Operator.Options.Int32(1, 0)), len(in.Shape))
	if err != nil {
		return nil, err
	}
	j, err := p.stacked(in, axis, n, p.out)
	if err != nil {
		return nil, err
	}
	return &cutParts{j}, nil
}
