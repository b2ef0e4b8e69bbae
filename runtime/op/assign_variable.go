package op

import "kedge/runtime/tensor"

// assignVariable is ASSIGN_VARIABLE: the variable takes the value's bytes.
type assignVariable struct{ variable, value int }

func prepareAssignVariable(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 2, 0); err != nil {
		return nil, err
	}
	variable, err := p.variableOf(p.in(0), p.in(1), tensor.Resource, tensor.Int32)
	return &assignVariable{variable, p.in(1).id}, err
}

func (a *assignVariable) Eval(m *Memory) { copy(m.Variables[a.variable], m.Tensors[a.value]) }
