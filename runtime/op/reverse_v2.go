package op

import (
	"fmt"

	"kedge/runtime/tensor"
)

// prepareReverseV2 prepares REVERSE_V2: the input backward along the named axes,
// which must be neighbors.
func prepareReverseV2(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	in, axes, out := p.in(0), p.in(1), p.out(0)
	if err := p.movable(in, out); err != nil {
		return nil, err
	}
	if err := p.shape(out, in.Shape); err != nil {
		return nil, err
	}
	values, err := p.constants(axes, axes.elements(), tensor.Int32)
	if err != nil {
		return nil, err
	}
	var reversed [maxRank]bool
	low, high, named := maxRank, -1, 0
	for _, v := range values {
		a, err := p.axis(axes, v, len(in.Shape))
		if err != nil {
			return nil, err
		}
		if !reversed[a] {
			named++
		}
		reversed[a] = true
		low, high = min(low, a), max(high, a)
	}
	if n := len(values); n > 0 && (n != named || n != high-low+1) {
		return nil, p.unsupported(axes, fmt.Sprintf("axes %v", values), "neighboring axes, each once")
	}
	strides := elementStrides(in.Shape)
	loops, start := make([]loop, len(in.Shape)), 0
	for d, n := range in.Shape {
		loops[d] = loop{n, strides[d]}
		if reversed[d] && n > 0 {
			start += (n - 1) * strides[d]
			loops[d].stride = -strides[d]
		}
	}
	if out.elements() == 0 {
		start = 0
	}
	return layStrided(in, out, start, loops), nil
}
