package op

import "math"

// resizeReal is RESIZE_BILINEAR for float32, and for uint8 on its raw values:
// positions, weights and the sum over four pixels in float32, from left to
// right. To uint8 one half is added and the fraction cut off.
type resizeReal[T uint8 | float32] struct {
	resize
	scaleH, scaleW float32
	half           float32
}

// betweenReal is the two input positions that output position i lies between,
// and its distance from the first, which before the first center is negative.
func (d *resizedDim) betweenReal(i int, scale float32) (a, b int, distance float32) {
	at := float32(float32(i) * scale)
	if d.half {
		center := float32(float32(i) + 0.5)
		at = float32(float32(center*scale) - 0.5)
	}
	last := float64(d.from - 1)
	a = int(min(max(math.Floor(float64(at)), 0), last))
	b = int(min(math.Ceil(float64(at)), last))
	return a, b, float32(at - float32(a))
}

func (r *resizeReal[T]) Eval(m *Memory) {
	in, out := get[T](m, r.in), get[T](m, r.out)
	if len(out) == 0 {
		return
	}
	for b := range r.batch {
		image := in[b*r.imageElements():]
		for y := range r.height.to {
			y0, y1, dy := r.height.betweenReal(y, r.scaleH)
			top, bottom := image[y0*r.width.from*r.depth:], image[y1*r.width.from*r.depth:]
			for x := range r.width.to {
				x0, x1, dx := r.width.betweenReal(x, r.scaleW)
				mixReal(out[:r.depth], top[x0*r.depth:], top[x1*r.depth:], bottom[x0*r.depth:], bottom[x1*r.depth:], dx, dy, r.half)
				out = out[r.depth:]
			}
		}
	}
}

func mixReal[T uint8 | float32](out, tl, tr, bl, br []T, dx, dy, half float32) {
	ex, ey := float32(1-dx), float32(1-dy)
	for c := range out {
		v := float32(float32(float32(tl[c])*ey) * ex)
		v = float32(v + float32(float32(float32(bl[c])*dy)*ex))
		v = float32(v + float32(float32(float32(tr[c])*ey)*dx))
		v = float32(v + float32(float32(float32(br[c])*dy)*dx))
		out[c] = T(v + half) // adding 0 turns -0 into 0
	}
}
