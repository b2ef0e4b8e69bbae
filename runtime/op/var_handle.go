package op

import "kedge/runtime/tensor"

// varHandle is VAR_HANDLE: its output is the number of a variable. The operators
// that take it were bound to the variable when the model was loaded.
type varHandle struct {
	out int
	id  int32
}

func prepareVarHandle(p *Prep) (Evaluator, error) {
	if err := p.arity(0, 0, 1); err != nil {
		return nil, err
	}
	out := p.out(0)
	if err := p.types(out, tensor.Resource, tensor.Int32); err != nil {
		return nil, err
	}
	if p.Handles == nil || p.Handles[out.id] < 0 {
		return nil, p.invalid(out, "no shared_name", "the variable's name")
	}
	id, err := p.handle(out)
	return &varHandle{out.id, int32(id)}, err
}

func (v *varHandle) Eval(m *Memory) { get[int32](m, v.out)[0] = v.id }
