package op

import (
	"fmt"

	"kedge/runtime/tensor"
)

// blocks relates images (the spatial tensor) to batches of their blocks' cells
// (the batched tensor): cell (y, x) of every block makes up one batch. The
// images are seen with a border around them, which the batches have too. It
// moves whole pixels, whatever their elements.
type blocks struct {
	spatial, batched int
	images           int // in the spatial tensor
	height, width    int // of an image
	blockH, blockW   int
	top, left        int // border
	cellsH, cellsW   int // of the batched tensor
	pixel            int // bytes
}

// layBlocks checks the operands that SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND
// share: 3 dimensions (one of them spatial) or 4 (two), a block and a border, as
// constants.
func (p *Prep) layBlocks(spatial, batched operand) (blocks, error) {
	rank := len(spatial.Shape)
	b := blocks{spatial: spatial.id, batched: batched.id, blockW: 1, width: 1, cellsW: 1}
	if rank != 3 && rank != 4 {
		return b, p.unsupported(spatial, fmt.Sprintf("shape %v", spatial.Shape), "3 or 4 dimensions")
	}
	if err := p.rank(batched, rank); err != nil {
		return b, err
	}
	block, err := p.constants(p.in(1), rank-2, tensor.Int32)
	if err != nil {
		return b, err
	}
	border, err := p.paddings(p.in(2), spatial.Shape[1:rank-1], tensor.Int32)
	if err != nil {
		return b, err
	}
	b.images, b.height, b.blockH, b.top = spatial.Shape[0], spatial.Shape[1], int(block[0]), int(border[0])
	b.cellsH, b.pixel = batched.Shape[1], spatial.Shape[rank-1]*spatial.size()
	if rank == 4 {
		b.width, b.blockW, b.left, b.cellsW = spatial.Shape[2], int(block[1]), int(border[2]), batched.Shape[2]
	}
	cells := int64(1)
	bordered := padded(spatial.Shape[1:rank-1], border)
	for d, size := range block {
		whole := bordered[d]
		if size < 1 || int64(whole)%size != 0 {
			return b, p.invalid(p.in(1), fmt.Sprintf("block %v", block), fmt.Sprintf("one that divides %d", whole))
		}
		if int64(batched.Shape[1+d]) != int64(whole)/size {
			return b, p.invalid(batched, fmt.Sprintf("shape %v", batched.Shape), fmt.Sprintf("%d in dimension %d", int64(whole)/size, 1+d))
		}
		cells *= size
	}
	if b.blockH > 1<<30/b.blockW || int64(batched.Shape[0]) != cells*int64(b.images) || batched.Shape[rank-1] != spatial.Shape[rank-1] {
		return b, p.invalid(batched, fmt.Sprintf("shape %v", batched.Shape), fmt.Sprintf("%d images of %d channels", b.images, spatial.Shape[rank-1]))
	}
	return b, nil
}

// each calls f for every pixel of the batched tensor with its position there and
// in the spatial tensor, in bytes; the latter is -1 for the border.
func (b *blocks) each(f func(batched, spatial int)) {
	at := 0
	for cell := range b.blockH * b.blockW {
		for n := range b.images {
			for h := range b.cellsH {
				y := h*b.blockH + cell/b.blockW - b.top
				for w := range b.cellsW {
					x := w*b.blockW + cell%b.blockW - b.left
					from := -1
					if y >= 0 && y < b.height && x >= 0 && x < b.width {
						from = ((n*b.height+y)*b.width + x) * b.pixel
					}
					f(at, from)
					at += b.pixel
				}
			}
		}
	}
}
