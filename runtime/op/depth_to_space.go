package op

import (
	"fmt"

	"kedge/runtime/tensor"
)

// prepareDepthToSpace prepares DEPTH_TO_SPACE: the channels of each pixel become
// a block of pixels, row by row.
func prepareDepthToSpace(p *Prep) (Evaluator, error) {
	in, out, block, err := p.depthBlock()
	if err != nil {
		return nil, err
	}
	depth := in.Shape[3] / (block * block)
	h, w := int64(in.Shape[1])*int64(block), int64(in.Shape[2])*int64(block)
	if depth*block*block != in.Shape[3] || h != int64(out.Shape[1]) || w != int64(out.Shape[2]) {
		return nil, p.invalid(in, fmt.Sprintf("shape %v", in.Shape), fmt.Sprintf("%v in blocks of %d", out.Shape, block))
	}
	if err := p.shape(out, tensor.Shape{in.Shape[0], out.Shape[1], out.Shape[2], depth}); err != nil {
		return nil, err
	}
	s := elementStrides(in.Shape)
	return layStrided(in, out, 0, []loop{
		{in.Shape[0], s[0]}, {in.Shape[1], s[1]}, {block, block * depth}, {in.Shape[2], s[2]}, {block, depth}, {depth, 1},
	}), nil
}
