package runtime

import (
	"fmt"

	"kedge/runtime/op"
	"kedge/runtime/tflite"
)

// densify makes the outputs of DENSIFY operators constants and expands every
// compressed constant, once, that the model gives as an output or that an
// operator reads which does not compute on the compressed form.
func (p *program) densify(budget *tflite.Budget) error {
	compressed := false
	for i := range p.graph.Tensors {
		compressed = compressed || p.graph.Tensors[i].Compressed
	}
	p.foldDensify()
	if !compressed {
		return nil
	}
	e := expander{tensors: p.graph.Tensors, budget: budget, done: map[*tflite.Sparsity][]byte{}}
	for i := range p.graph.Operators {
		o := &p.graph.Operators[i]
		for k, t := range o.Inputs {
			if t != tflite.NoTensor && !op.ReadsCompressed(o, p.graph.Tensors, k) {
				if err := e.expand(t); err != nil {
					return err
				}
			}
		}
	}
	for _, t := range p.graph.Outputs {
		if err := e.expand(t); err != nil {
			return err
		}
	}
	return nil
}

// foldDensify hands every DENSIFY's input on as its output, in the form that it
// has. An operator whose input is not constant or whose tensors do not agree is
// left for its preparation to refuse.
func (p *program) foldDensify() {
	for i := range p.graph.Operators {
		o := &p.graph.Operators[i]
		if o.Code != tflite.Densify || len(o.Inputs) != 1 || len(o.Outputs) != 1 || o.Inputs[0] == tflite.NoTensor {
			continue
		}
		in, out := &p.graph.Tensors[o.Inputs[0]], &p.graph.Tensors[o.Outputs[0]]
		if in.Data != nil && in.Type == out.Type && in.Shape.Equal(out.Shape) {
			out.Data, out.Sparsity, out.Compressed = in.Data, in.Sparsity, in.Compressed
		}
	}
}

// expander expands compressed constants.
type expander struct {
	tensors []tflite.Tensor
	budget  *tflite.Budget
	done    map[*tflite.Sparsity][]byte
}

// expand puts tensor i into the form that it has without compression.
func (e *expander) expand(i int) error {
	t := &e.tensors[i]
	if !t.Compressed {
		return nil
	}
	dense, known := e.done[t.Sparsity]
	if !known {
		var err error
		if dense, err = t.Expand(e.budget); err != nil {
			return fmt.Errorf("tensor %q: %w", t.Label(i), err)
		}
		e.done[t.Sparsity] = dense
	}
	t.Data, t.Compressed = dense, false
	return nil
}
