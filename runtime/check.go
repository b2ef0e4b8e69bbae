package runtime

import (
	"fmt"
	"unsafe"

	"kedge/runtime/tflite"
)

// checkFlow checks that every tensor has exactly one source: the file, the
// caller, an earlier operator, or (variables) earlier inferences.
func (p *program) checkFlow() error {
	g := p.graph
	written := make([]bool, len(g.Tensors))
	for i := range g.Tensors {
		written[i] = g.Tensors[i].Data != nil || g.Tensors[i].Variable
	}
	for _, t := range g.Inputs {
		if g.Tensors[t].Data != nil {
			return fmt.Errorf("input %q: %w: it is a constant", g.Tensors[t].Label(t), ErrMalformed)
		}
		written[t] = true
	}
	for i := range g.Operators {
		o := &g.Operators[i]
		for _, t := range o.Inputs {
			if t != tflite.NoTensor && !written[t] && !empty(&g.Tensors[t]) {
				return fmt.Errorf("operator %d %s: tensor %q: %w: read before it is written", i, o.Name(), g.Tensors[t].Label(t), ErrMalformed)
			}
		}
		for _, t := range o.Outputs {
			if written[t] {
				return fmt.Errorf("operator %d %s: tensor %q: %w: written twice", i, o.Name(), g.Tensors[t].Label(t), ErrMalformed)
			}
			written[t] = true
		}
	}
	for _, t := range g.Outputs {
		if !written[t] {
			return fmt.Errorf("output %q: %w: never written", g.Tensors[t].Label(t), ErrMalformed)
		}
	}
	return nil
}

// empty reports whether a tensor has no elements, so that a constant of it has
// no data either.
func empty(t *tflite.Tensor) bool {
	n, ok := t.Shape.Elements()
	return ok && n == 0
}

// alignConstants copies constants of wider elements that do not lie at an
// address which their type needs. Converters align them; hostile or cut-out
// files may not.
func (p *program) alignConstants(budget *tflite.Budget) error {
	for i := range p.graph.Tensors {
		t := &p.graph.Tensors[i]
		size := t.Type.Bits() / 8
		if size <= 1 || t.Compressed || len(t.Data) == 0 || uintptr(unsafe.Pointer(unsafe.SliceData(t.Data)))%uintptr(size) == 0 {
			continue
		}
		if err := budget.Spend(len(t.Data), 1); err != nil {
			return fmt.Errorf("tensor %q: %w", t.Label(i), err)
		}
		t.Data = append(make([]byte, 0, len(t.Data)), t.Data...)
	}
	return nil
}
