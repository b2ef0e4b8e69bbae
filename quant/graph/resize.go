package graph

import (
	"fmt"
	"math"

	"kedge/runtime/tensor"
)

// Resize scales an image (n, h, w, c) to (n, H, W, c), to the nearest element
// or bilinearly, with TFLite's meaning of AlignCorners and HalfPixelCenters
// (at most one of them).
type Resize struct {
	H, W                           int
	Bilinear                       bool
	AlignCorners, HalfPixelCenters bool
}

// Name implements Op.
func (op Resize) Name() string {
	if op.Bilinear {
		return "RESIZE_BILINEAR"
	}
	return "RESIZE_NEAREST_NEIGHBOR"
}

func (op Resize) infer(g *Graph, n *Node) ([]tensor.Shape, error) {
	in, err := operands(g, n, 1)
	if err != nil {
		return nil, err
	}
	x := in[0].Shape
	if len(x) != 4 {
		return nil, fmt.Errorf("%w: input %v, want (n, h, w, c)", ErrInvalid, x)
	}
	if op.H < 1 || op.W < 1 {
		return nil, fmt.Errorf("%w: size %d × %d, want at least 1 × 1", ErrInvalid, op.H, op.W)
	}
	if op.AlignCorners && op.HalfPixelCenters {
		return nil, fmt.Errorf("%w: both aligned corners and half-pixel centers", ErrInvalid)
	}
	return []tensor.Shape{{x[0], op.H, op.W, x[3]}}, nil
}

func (op Resize) eval(e *Executor, n *Node) {
	shape := e.g.Tensor(n.Inputs[0]).Shape
	h, w, c := shape[1], shape[2], shape[3]
	rows, columns := op.taps(h, op.H), op.taps(w, op.W)
	x, y := e.values[n.Inputs[0]], e.values[n.Outputs[0]]
	for ; len(x) > 0; x = x[h*w*c:] {
		for _, r := range rows {
			for _, k := range columns {
				at := func(row, column int) []float32 { return x[(row*w+column)*c:][:c] }
				if op.Bilinear {
					blend(y[:c], at(r.lo, k.lo), at(r.hi, k.lo), at(r.lo, k.hi), at(r.hi, k.hi), r.share, k.share)
				} else {
					copy(y[:c], at(r.lo, k.lo))
				}
				y = y[c:]
			}
		}
	}
}

// tap is where an output element comes from along one dimension: lo, and for
// interpolation hi with its share.
type tap struct {
	lo, hi int
	share  float32
}

// taps computes positions in float32, step by step as TFLite's reference does,
// so that ties fall on the same side.
func (op Resize) taps(in, out int) []tap {
	scale := float32(in) / float32(out)
	if op.AlignCorners && out > 1 {
		scale = float32(in-1) / float32(out-1)
	}
	taps := make([]tap, out)
	for i := range taps {
		if op.Bilinear {
			taps[i] = op.between(i, in, scale)
		} else {
			taps[i].lo = op.nearest(i, in, scale)
		}
	}
	return taps
}

func (op Resize) nearest(i, in int, scale float32) int {
	position := float32(i)
	if op.HalfPixelCenters {
		position += 0.5
	}
	position *= scale
	if op.AlignCorners {
		return min(int(math.Round(float64(position))), in-1)
	}
	return min(int(math.Floor(float64(position))), in-1)
}

func (op Resize) between(i, in int, scale float32) tap {
	position := float32(i) * scale
	if op.HalfPixelCenters {
		// Converted before the subtraction: fused, it would round once, not twice.
		position = float32((float32(i)+0.5)*scale) - 0.5
	}
	lo := min(max(int(math.Floor(float64(position))), 0), in-1)
	hi := min(int(math.Ceil(float64(position))), in-1)
	return tap{lo: lo, hi: hi, share: position - float32(lo)}
}

// blend interpolates between four pixels: the first letter is the row, the
// second the column.
func blend(y, ll, hl, lh, hh []float32, row, column float32) {
	for i := range y {
		y[i] = ll[i]*(1-row)*(1-column) + hl[i]*row*(1-column) + lh[i]*(1-row)*column + hh[i]*row*column
	}
}
