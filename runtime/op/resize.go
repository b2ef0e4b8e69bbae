package op

import (
	"fmt"

	"kedge/runtime/tensor"
)

// resize is what RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR share: images
// (NHWC) and the size, a constant, that they are brought to.
type resize struct {
	in, out       int
	batch, depth  int
	height, width resizedDim
}

// resizedDim is one spatial dimension's extent before and after, and where the
// centers of its elements are taken to lie.
type resizedDim struct {
	from, to int
	corners  bool // the first and last elements' centers coincide
	half     bool // centers lie half an element behind the edge
}

// resize checks the operands. Options field corners says whether the corners are
// aligned, the next one whether centers lie half an element behind the edge.
func (p *Prep) resize(corners int) (r resize, in, out operand, err error) {
	if err := p.arity(2, 2, 1); err != nil {
		return r, in, out, err
	}
	in, out = p.in(0), p.out(0)
	if err := p.rank(in, 4); err != nil {
		return r, in, out, err
	}
	size, err := p.constants(p.in(1), 2, tensor.Int32)
	if err != nil {
		return r, in, out, err
	}
	if size[0] < 1 || size[1] < 1 || in.Shape[1] < 1 || in.Shape[2] < 1 {
		return r, in, out, p.invalid(in, fmt.Sprintf("%v to be resized to %v", in.Shape, size), "heights and widths above 0")
	}
	if err := p.shape(out, tensor.Shape{in.Shape[0], int(size[0]), int(size[1]), in.Shape[3]}); err != nil {
		return r, in, out, err
	}
	aligned, half := p.Operator.Options.Bool(corners, false), p.Operator.Options.Bool(corners+1, false)
	return resize{
		in: in.id, out: out.id, batch: in.Shape[0], depth: in.Shape[3],
		height: resizedDim{in.Shape[1], out.Shape[1], aligned, half},
		width:  resizedDim{in.Shape[2], out.Shape[2], aligned, half},
	}, in, out, nil
}

// imageElements is the number of elements in an image before resizing.
func (r *resize) imageElements() int { return r.height.from * r.width.from * r.depth }
