package op

import (
	"encoding/binary"
	"fmt"

	"kedge/runtime/tensor"
)

// prepareSqueeze prepares SQUEEZE: the same bytes without the dimensions that
// the options name, whose extent must be 1, or where they name none without any
// of extent 1.
func prepareSqueeze(p *Prep) (Evaluator, error) {
	if err := p.arity(1, 1, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	if err := p.movable(in, out); err != nil {
		return nil, err
	}
	dims, err := p.Operator.Options.Int32s(0)
	if err != nil {
		return nil, p.invalid(operand{}, err.Error(), "a list of dimensions")
	}
	var drop [maxRank]bool
	for ; len(dims) > 0; dims = dims[4:] {
		d, err := p.axis(in, int64(int32(binary.LittleEndian.Uint32(dims))), len(in.Shape))
		if err != nil {
			return nil, err
		}
		if in.Shape[d] != 1 {
			return nil, p.invalid(in, fmt.Sprintf("shape %v", in.Shape), fmt.Sprintf("1 in dimension %d", d))
		}
		drop[d] = true
	}
	all := drop == [maxRank]bool{}
	var want tensor.Shape
	for d, n := range in.Shape {
		if !drop[d] && !(all && n == 1) {
			want = append(want, n)
		}
	}
	return p.renamed(in, out, want)
}
