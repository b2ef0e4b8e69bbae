package op

import "fmt"

// callOnce is CALL_ONCE: the first time since a session's start or reset it runs
// another subgraph, which assigns the variables their first content.
type callOnce struct{ slot int }

func prepareCallOnce(p *Prep) (Evaluator, error) {
	if err := p.counts(0, 0, 0); err != nil {
		return nil, err
	}
	if p.Subgraph != 0 {
		return nil, p.unsupported(operand{}, "a call within an initialization subgraph", "calls from the main subgraph")
	}
	n := int(p.Operator.Options.Int32(0, 0))
	if n <= 0 || n >= len(p.Subgraphs) {
		return nil, p.invalid(operand{}, fmt.Sprintf("subgraph %d", n), fmt.Sprintf("one after the main, of %d", len(p.Subgraphs)))
	}
	if inputs := len(p.Subgraphs[n].Inputs); inputs != 0 {
		return nil, p.invalid(operand{}, fmt.Sprintf("subgraph %d, which has %d inputs", n, inputs), "none")
	}
	p.Calls = n
	return &callOnce{p.Slot}, nil
}

func (c *callOnce) Eval(m *Memory) { m.Once(c.slot) }
