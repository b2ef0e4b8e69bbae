package op

import (
	"cmp"
	"fmt"

	"kedge/runtime/tensor"
)

// reshape is RESHAPE: the same bytes under another shape, which the output
// tensor itself states.
type reshape struct{ in, out int }

func prepareReshape(p *Prep) (Evaluator, error) {
	if err := p.counts(1, 2, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	if err := cmp.Or(p.sound(in), p.resolveShape(in, out), p.sound(out), p.types(out, in.Type)); err != nil {
		return nil, err
	}
	if in.elements() != out.elements() {
		return nil, p.invalid(out, fmt.Sprintf("shape %v", out.Shape), fmt.Sprintf("the %d elements of %v", in.elements(), in.Shape))
	}
	p.Alias = true
	return &reshape{in.id, out.id}, nil
}

// resolveShape completes an output shape that leaves one dimension open (-1),
// or that says [0] for a scalar, as models of old converters do.
func (p *Prep) resolveShape(in, out operand) error {
	if len(p.Operator.Inputs) == 1 && out.Shape.Equal(tensor.Shape{0}) {
		out.Tensor.Shape = nil
		return nil
	}
	open, known := -1, int64(1)
	for i, d := range out.Shape {
		switch {
		case d == -1 && open < 0:
			open = i
		case d < 0:
			return p.invalid(out, fmt.Sprintf("shape %v", out.Shape), "at most one open dimension")
		default:
			known = min(known*int64(d), 1<<31)
		}
	}
	if open < 0 {
		return nil
	}
	if known == 0 || int64(in.elements())%known != 0 {
		return p.invalid(out, fmt.Sprintf("shape %v", out.Shape), fmt.Sprintf("one for %d elements", in.elements()))
	}
	shape := append(tensor.Shape(nil), out.Shape...)
	shape[open] = int(int64(in.elements()) / known)
	out.Tensor.Shape = shape
	return nil
}

func (r *reshape) Eval(m *Memory) { copy(m.Tensors[r.out], m.Tensors[r.in]) }
