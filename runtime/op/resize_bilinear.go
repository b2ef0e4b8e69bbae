package op

import (
	"cmp"
	"fmt"
	"math"

	"kedge/runtime/tensor"
)

// resizeBilinear is RESIZE_BILINEAR for int8, in integers: positions in 1/1024
// of an input pixel, weights that multiply to 1/2^20, and the sum over four
// pixels rounded half away from zero.
//
// The step between positions is rounded, so that where a few pixels are drawn
// out to very many the last positions may lie behind the input, where the
// reference reads on. Here they take the edge.
type resizeBilinear struct {
	resize
	stepH, stepW int32
}

func prepareResizeBilinear(p *Prep) (Evaluator, error) {
	r, in, out, err := p.resize(2)
	if err != nil {
		return nil, err
	}
	if err := cmp.Or(p.types(in, tensor.Int8, tensor.Uint8, tensor.Float32), p.types(out, in.Type)); err != nil {
		return nil, err
	}
	if r.height.half && r.height.corners {
		return nil, p.invalid(operand{}, "aligned corners and half-pixel centers", "one of them")
	}
	switch in.Type {
	case tensor.Uint8:
		return &resizeReal[uint8]{r, r.height.scale(), r.width.scale(), 0.5}, nil
	case tensor.Float32:
		return &resizeReal[float32]{r, r.height.scale(), r.width.scale(), 0}, nil
	}
	q := &resizeBilinear{resize: r}
	var okH, okW bool
	q.stepH, okH = r.height.step()
	q.stepW, okW = r.width.step()
	if !okH || !okW {
		return nil, p.unsupported(out, fmt.Sprintf("%v resized to %v", in.Shape, out.Shape), "positions below 2^21")
	}
	return q, nil
}

// step is the distance between output centers in 1/1024 of an input pixel; ok is
// false where a position would not fit in 32 bits.
func (d *resizedDim) step() (step int32, ok bool) {
	from, to := int64(d.from), int64(d.to)
	if d.corners && to > 1 {
		from, to = from-1, to-1
	}
	s := (from<<10 + to/2) / to
	return int32(s), from<<10+to/2 <= math.MaxInt32 && s*int64(d.to)+1<<10 <= math.MaxInt32
}

// between is the two input positions that output position i lies between, and
// the weight of the second, of 1024.
func (d *resizedDim) between(i int, step int32) (a, b int, weight int32) {
	at := int32(i) * step
	if d.half {
		at += step/2 - 1<<9
	}
	at = min(max(at, 0), int32(d.from-1)<<10) // beyond an edge both are the edge
	return int(at >> 10), int((at + 1<<10 - 1) >> 10), at & (1<<10 - 1)
}

func (r *resizeBilinear) Eval(m *Memory) {
	in, out := get[int8](m, r.in), get[int8](m, r.out)
	if len(out) == 0 {
		return
	}
	for b := range r.batch {
		image := in[b*r.imageElements():]
		for y := range r.height.to {
			y0, y1, wy := r.height.between(y, r.stepH)
			top, bottom := image[y0*r.width.from*r.depth:], image[y1*r.width.from*r.depth:]
			for x := range r.width.to {
				x0, x1, wx := r.width.between(x, r.stepW)
				mix(out[:r.depth], top[x0*r.depth:], top[x1*r.depth:], bottom[x0*r.depth:], bottom[x1*r.depth:], wx, wy)
				out = out[r.depth:]
			}
		}
	}
}

// mix interpolates one pixel's channels from its four neighbors.
func mix(out, tl, tr, bl, br []int8, wx, wy int32) {
	n := len(out)
	tl, tr, bl, br = tl[:n], tr[:n], bl[:n], br[:n]
	wtl, wtr, wbl, wbr := (1<<10-wx)*(1<<10-wy), wx*(1<<10-wy), (1<<10-wx)*wy, wx*wy
	for c := range out {
		sum := int32(tl[c])*wtl + int32(tr[c])*wtr + int32(bl[c])*wbl + int32(br[c])*wbr
		out[c] = int8((sum + 1<<19 + sum>>31) >> 20) // halves up, of negative sums down
	}
}
