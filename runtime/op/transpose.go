package op

import (
	"fmt"

	"kedge/runtime/tensor"
)

// prepareTranspose prepares TRANSPOSE: dimension d of the output is dimension
// perm[d] of the input, counted from the last one where negative, which
// TensorFlow Lite Micro leaves out.
func prepareTranspose(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	if err := p.movable(in, out); err != nil {
		return nil, err
	}
	rank := len(in.Shape)
	perm, err := p.constants(p.in(1), rank, tensor.Int32)
	if err != nil {
		return nil, err
	}
	strides := elementStrides(in.Shape)
	want, loops := make(tensor.Shape, rank), make([]loop, rank)
	var seen [maxRank]bool
	for d, from := range perm {
		if from < 0 {
			from += int64(rank)
		}
		if from < 0 || from >= int64(rank) || seen[from] {
			return nil, p.invalid(p.in(1), fmt.Sprintf("permutation %v", perm), fmt.Sprintf("each of %d dimensions once", rank))
		}
		seen[from] = true
		want[d] = in.Shape[from]
		loops[d] = loop{want[d], strides[from]}
	}
	if err := p.shape(out, want); err != nil {
		return nil, err
	}
	return layStrided(in, out, 0, loops), nil
}
