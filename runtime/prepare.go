package runtime

import (
	"fmt"

	"kedge/runtime/op"
	"kedge/runtime/tflite"
)

// What the bookkeeping of one operator's error, of one subgraph that is called,
// and of planning memory for one tensor or operator takes at most.
const (
	errorBytes   = 512
	programBytes = 1024
	layoutBytes  = 384
)

// prepare prepares the main subgraph and those that it calls. On errors of
// operators, which are reported together, the model is returned too.
func (m *Model) prepare(graphs []tflite.Subgraph, budget *tflite.Budget) (*Model, error) {
	handles, err := m.resolveVariables(graphs, budget)
	if err != nil {
		return nil, err
	}
	m.program = program{graph: &graphs[0], handles: handles[0]}
	failed, err := m.prepareProgram(&m.program, graphs, budget)
	if err != nil {
		return nil, err
	}
	for i := range m.inits {
		p := &m.inits[i]
		p.graph, p.handles = &graphs[p.index], handles[p.index]
		more, err := m.prepareProgram(p, graphs, budget)
		if err != nil {
			return nil, fmt.Errorf("subgraph %d: %w", p.index, err)
		}
		failed = append(failed, more...)
	}
	if failed != nil {
		return m, failed
	}
	return m, nil
}

// resolveVariables finds the resource variables of the whole file, since one
// subgraph may read what another sizes, and returns every subgraph's handles.
func (m *Model) resolveVariables(graphs []tflite.Subgraph, budget *tflite.Budget) ([][]int32, error) {
	if err := budget.Spend(len(graphs), 24); err != nil {
		return nil, err
	}
	handles := make([][]int32, len(graphs))
	for i := range graphs {
		var err error
		if handles[i], err = m.variables.Resolve(&graphs[i], budget); err != nil {
			return nil, fmt.Errorf("subgraph %d: variables: %w", i, err)
		}
	}
	return handles, nil
}

// prepareProgram checks a subgraph and prepares its operators. Its calls join
// m.inits.
func (m *Model) prepareProgram(p *program, graphs []tflite.Subgraph, budget *tflite.Budget) (operatorErrors, error) {
	if err := p.checkFlow(); err != nil {
		return nil, err
	}
	if err := p.densify(budget); err != nil {
		return nil, err
	}
	if err := p.alignConstants(budget); err != nil {
		return nil, err
	}
	if err := budget.Spend(len(p.graph.Tensors)+len(p.graph.Operators), layoutBytes); err != nil {
		return nil, err
	}
	var failed operatorErrors
	fusion := newFusion(p.graph)
	p.steps = make([]step, len(p.graph.Operators))
	for i := range p.graph.Operators {
		prep := op.Prep{
			Index: i, Operator: &p.graph.Operators[i], Tensors: p.graph.Tensors,
			Kernels: m.kernels, Numerics: m.numerics, Budget: budget,
			Subgraph: p.index, Subgraphs: graphs, Variables: m.variables.List, Handles: p.handles, Slot: len(m.inits), StateSlot: len(p.states),
			Padding: fusion.padding(&p.graph.Operators[i]),
		}
		e, err := op.Prepare(&prep)
		init := -1
		if err == nil && prep.Calls != 0 {
			init = prep.Slot
			err = m.call(&prep)
		}
		if err != nil {
			failed = append(failed, located(err, p.graph))
			if err := budget.Spend(1, errorBytes); err != nil {
				failed = append(failed, err)
				break
			}
			continue
		}
		p.steps[i] = step{e, prep.Scratch, prep.MACs, prep.Alias, prep.InPlace, init, 0}
		fusion.note(p, &prep)
		if prep.State > 0 {
			p.states = append(p.states, state{i, prep.State})
		}
		m.macs = add(m.macs, prep.MACs)
		m.count(&prep)
	}
	return failed, nil
}

// maxCalls limits the subgraphs that a model calls; real ones call one.
const maxCalls = 64

// call notes the subgraph that an operator calls. Each may be called by one
// operator only: its memory lies within that operator's.
func (m *Model) call(p *op.Prep) error {
	e := &op.Error{Subgraph: p.Subgraph, Index: p.Index, Operator: p.Operator.Name(), Err: ErrUnsupported}
	for i := range m.inits {
		if m.inits[i].index == p.Calls {
			e.Found, e.Want = fmt.Sprintf("subgraph %d, which an earlier operator calls", p.Calls), "one of its own"
			return e
		}
	}
	if len(m.inits) == maxCalls {
		e.Found, e.Want = "one call more", fmt.Sprintf("at most %d", maxCalls)
		return e
	}
	if err := p.Budget.Spend(1, programBytes); err != nil {
		return err
	}
	m.inits = append(m.inits, program{index: p.Calls})
	return nil
}
