package op

import (
	"cmp"
	"fmt"

	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// Variable is a resource variable: memory of a session that VAR_HANDLE names,
// READ_VARIABLE copies out of and ASSIGN_VARIABLE into, in any subgraph.
type Variable struct {
	Name     string // which the model's handles give it
	Bytes    int    // of its content, where Assigned
	Initial  byte   // what every byte holds before the first assignment
	Assigned bool   // some ASSIGN_VARIABLE of the model gives it a size
}

// Variables are the resource variables of a model. The zero value has none.
type Variables struct {
	List []Variable
	// A handle is found by container and name; one without a container takes the
	// oldest variable of its name.
	byPair map[[2]string]int32
	byName map[string]int32
}

// variableBytes is about what the bookkeeping of one variable takes.
const variableBytes = 256

// Resolve finds the variables of a subgraph and returns, by tensor, the number
// of the variable that it is a handle of, -1 for none. Numbers are given in order
// of appearance; size and initial content are those of the first tensor that is
// assigned, as in the reference, so subgraphs have to come in the model's order.
// What is wrong with an operator is left to its preparation.
func (v *Variables) Resolve(g *tflite.Subgraph, budget *tflite.Budget) ([]int32, error) {
	var handles []int32
	for i := range g.Operators {
		o := &g.Operators[i]
		switch {
		case o.Code == tflite.VarHandle && len(o.Outputs) == 1:
			if handles == nil {
				if err := budget.Spend(len(g.Tensors), 4); err != nil {
					return nil, err
				}
				handles = make([]int32, len(g.Tensors))
				for t := range handles {
					handles[t] = -1
				}
			}
			id, err := v.find(o.Options, budget)
			if err != nil {
				return nil, err
			}
			handles[o.Outputs[0]] = id
		case o.Code == tflite.AssignVariable && len(o.Inputs) == 2:
			v.assign(g, handles, o.Inputs[0], o.Inputs[1])
		}
	}
	return handles, nil
}

// find is the number of the variable that the options of a VAR_HANDLE name, a
// new one if need be; -1 if they name none.
func (v *Variables) find(options tflite.Table, budget *tflite.Budget) (int32, error) {
	container, contained, err := options.Text(0, budget)
	if err != nil {
		return -1, err
	}
	name, named, err := options.Text(1, budget)
	if err != nil || !named {
		return -1, err
	}
	id, known := v.byPair[[2]string{container, name}]
	if !contained {
		id, known = v.byName[name]
	}
	if known {
		return id, nil
	}
	if err := budget.Spend(1, variableBytes); err != nil {
		return -1, err
	}
	if v.byPair == nil {
		v.byPair, v.byName = map[[2]string]int32{}, map[string]int32{}
	}
	id = int32(len(v.List))
	v.List = append(v.List, Variable{Name: name})
	v.byPair[[2]string{container, name}] = id
	if _, older := v.byName[name]; !older {
		v.byName[name] = id
	}
	return id, nil
}

// assign sizes the variable of a handle by the value, if it is the first.
func (v *Variables) assign(g *tflite.Subgraph, handles []int32, handle, value int) {
	if handles == nil || handle == tflite.NoTensor || value == tflite.NoTensor || handles[handle] < 0 {
		return
	}
	variable, t := &v.List[handles[handle]], &g.Tensors[value]
	n, ok := t.Shape.Bytes(t.Type)
	if variable.Assigned || !ok {
		return
	}
	// The initial content is the zero point in every byte, whatever the type.
	*variable = Variable{Name: variable.Name, Bytes: n, Initial: byte(t.Quant.ZeroPoint()), Assigned: true}
}

// handle checks that t is a handle and gives its variable's number.
func (p *Prep) handle(t operand) (int, error) {
	if p.Handles == nil || p.Handles[t.id] < 0 {
		return 0, p.unsupported(t, "a tensor that no VAR_HANDLE here writes", "a handle")
	}
	if t.elements() != 1 {
		return 0, p.invalid(t, "shape "+t.Shape.String(), "one element")
	}
	return int(p.Handles[t.id]), nil
}

// variableOf is the variable of a handle, which must have the size of the
// tensor that it is copied from or to. Types need not agree: bytes are copied.
func (p *Prep) variableOf(handle, content operand, types ...tensor.Type) (int, error) {
	id, err := p.handle(handle)
	if err := cmp.Or(p.types(handle, types...), err); err != nil {
		return 0, err
	}
	v := p.Variables[id]
	if !v.Assigned {
		return 0, p.invalid(handle, "a variable that is never assigned", "an ASSIGN_VARIABLE")
	}
	if n, _ := content.Shape.Bytes(content.Type); n != v.Bytes {
		return 0, p.invalid(content, fmt.Sprintf("%d bytes", n), fmt.Sprintf("the variable's %d", v.Bytes))
	}
	return id, nil
}
