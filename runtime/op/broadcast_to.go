package op

import (
	"fmt"

	"kedge/runtime/tensor"
)

// prepareBroadcastTo prepares BROADCAST_TO: the input repeated along new leading
// dimensions and those of extent 1 until it has the shape that the second input
// states.
func prepareBroadcastTo(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	if err := p.movable(in, out); err != nil {
		return nil, err
	}
	rank := len(out.Shape)
	if len(in.Shape) > rank {
		return nil, p.invalid(in, fmt.Sprintf("shape %v", in.Shape), fmt.Sprintf("at most %d dimensions", rank))
	}
	want, err := p.constants(p.in(1), rank, tensor.Int32, tensor.Int64)
	if err != nil {
		return nil, err
	}
	strides := elementStrides(in.Shape)
	loops := make([]loop, rank)
	for d, n := range out.Shape {
		if int64(n) != want[d] {
			return nil, p.invalid(out, fmt.Sprintf("shape %v", out.Shape), fmt.Sprint(want))
		}
		loops[d] = loop{extent: n}
		if from := dim(in.Shape, rank, d); from == n && n != 1 {
			loops[d].stride = strides[d-(rank-len(in.Shape))]
		} else if from != 1 {
			return nil, p.invalid(in, fmt.Sprintf("shape %v", in.Shape), fmt.Sprintf("one that broadcasts to %v", out.Shape))
		}
	}
	return layStrided(in, out, 0, loops), nil
}
