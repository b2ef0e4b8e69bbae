package op

import (
	"fmt"

	"kedge/runtime/tensor"
)

// prepareSplitV prepares SPLIT_V: the first input cut along the axis that the
// third names, into outputs whose shapes say how much each takes. The second
// input, the sizes, is not used; as a constant it must agree, -1 leaving the
// size to the shape.
func prepareSplitV(p *Prep) (Evaluator, error) {
	if err := p.arity(3, 3, max(len(p.Operator.Outputs), 1)); err != nil {
		return nil, err
	}
	in, sizes, outputs := p.in(0), p.in(1), len(p.Operator.Outputs)
	axis, err := p.constantAxis(p.in(2), len(in.Shape))
	if err != nil {
		return nil, err
	}
	if sizes.Data != nil {
		values, err := p.constants(sizes, outputs, tensor.Int32, tensor.Int64)
		if err != nil {
			return nil, err
		}
		for i, v := range values {
			out := p.out(i)
			if axis < len(out.Shape) && v != -1 && v != int64(out.Shape[axis]) {
				return nil, p.invalid(out, fmt.Sprintf("shape %v", out.Shape), fmt.Sprintf("%d in dimension %d", v, axis))
			}
		}
	}
	return p.split(in, axis)
}
