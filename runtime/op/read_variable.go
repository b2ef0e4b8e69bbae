package op

import "kedge/runtime/tensor"

// readVariable is READ_VARIABLE: a copy of the variable's bytes.
type readVariable struct{ variable, out int }

func prepareReadVariable(p *Prep) (Evaluator, error) {
	if err := p.arity(1, 1, 1); err != nil {
		return nil, err
	}
	variable, err := p.variableOf(p.in(0), p.out(0), tensor.Resource)
	return &readVariable{variable, p.out(0).id}, err
}

func (r *readVariable) Eval(m *Memory) { copy(m.Tensors[r.out], m.Variables[r.variable]) }
