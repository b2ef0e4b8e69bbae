package op

import (
	"fmt"

	"kedge/runtime/tensor"
)

// prepareSpaceToDepth prepares SPACE_TO_DEPTH: each block of pixels becomes one
// pixel with the channels of all, row by row.
func prepareSpaceToDepth(p *Prep) (Evaluator, error) {
	in, out, block, err := p.depthBlock()
	if err != nil {
		return nil, err
	}
	h, w := in.Shape[1]/block, in.Shape[2]/block
	if in.Shape[1]%block != 0 || in.Shape[2]%block != 0 || int64(in.Shape[3])*int64(block)*int64(block) != int64(out.Shape[3]) {
		return nil, p.invalid(in, fmt.Sprintf("shape %v", in.Shape), fmt.Sprintf("%v in blocks of %d", out.Shape, block))
	}
	if err := p.shape(out, tensor.Shape{in.Shape[0], h, w, out.Shape[3]}); err != nil {
		return nil, err
	}
	s := elementStrides(in.Shape)
	return layStrided(in, out, 0, []loop{
		{in.Shape[0], s[0]}, {h, block * s[1]}, {w, block * s[2]}, {block, s[1]}, {block, s[2]}, {in.Shape[3], s[3]},
	}), nil
}

// depthBlock checks what SPACE_TO_DEPTH and DEPTH_TO_SPACE have in common.
func (p *Prep) depthBlock() (in, out operand, block int, err error) {
	if err := p.arity(1, 1, 1); err != nil {
		return in, out, 0, err
	}
	in, out = p.in(0), p.out(0)
	if err := p.movable(in, out); err != nil {
		return in, out, 0, err
	}
	for _, t := range []operand{in, out} {
		if err := p.rank(t, 4); err != nil {
			return in, out, 0, err
		}
	}
	block = int(p.Operator.Options.Int32(0, 0))
	if block < 1 || block > 1<<15 {
		return in, out, 0, p.invalid(operand{}, fmt.Sprintf("block size %d", block), "1 to 32768")
	}
	return in, out, block, nil
}
