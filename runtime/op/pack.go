package op

import "fmt"

// preparePack prepares PACK: inputs of one shape stacked along a new axis,
// counted in the output.
func preparePack(p *Prep) (Evaluator, error) {
	n := max(len(p.Operator.Inputs), 1)
	if err := p.arity(n, n, 1); err != nil {
		return nil, err
	}
	if count := p.Operator.Options.Int32(0, 0); int(count) != n {
		return nil, p.invalid(operand{}, fmt.Sprintf("%d inputs", n), fmt.Sprint(count))
	}
	out := p.out(0)
	axis, err := p.axis(operand{}, int64(p.Operator.Options.Int32(1, 0)), len(out.Shape))
	if err != nil {
		return nil, err
	}
	j, err := p.stacked(out, axis, n, p.in)
	if err != nil {
		return nil, err
	}
	return &joinParts{j}, nil
}
