package op

import "math"

// resizeNearest is RESIZE_NEAREST_NEIGHBOR: each output pixel is the input pixel
// at (position + half, 0.5 or 0) times the ratio of the extents, in float32,
// rounded down, or half away from zero where the corners' centers coincide. It
// moves whole pixels, whatever their elements.
type resizeNearest struct {
	resize
	pixel          int // bytes
	scaleH, scaleW float32
}

func prepareResizeNearestNeighbor(p *Prep) (Evaluator, error) {
	r, in, out, err := p.resize(0)
	if err != nil {
		return nil, err
	}
	if err := p.movable(in, out); err != nil {
		return nil, err
	}
	return &resizeNearest{r, r.depth * in.size(), r.height.scale(), r.width.scale()}, nil
}

// scale is the ratio of the extents, or of the distances between the outermost
// centers.
func (d *resizedDim) scale() float32 {
	if d.corners && d.to > 1 {
		return float32(d.from-1) / float32(d.to-1)
	}
	return float32(d.from) / float32(d.to)
}

// nearest is the input position for output position i.
func (d *resizedDim) nearest(i int, scale float32) int {
	center := float32(i)
	if d.half {
		center += 0.5
	}
	v := float64(float32(center * scale))
	if d.corners {
		v = math.Round(v)
	} else {
		v = math.Floor(v)
	}
	return int(min(v, float64(d.from-1)))
}

func (r *resizeNearest) Eval(m *Memory) {
	in, out := m.Tensors[r.in], m.Tensors[r.out]
	if len(out) == 0 {
		return
	}
	row := r.width.from * r.pixel
	for b := range r.batch {
		image := in[b*r.height.from*row:]
		for y := range r.height.to {
			from := image[r.height.nearest(y, r.scaleH)*row:]
			for x := range r.width.to {
				at := r.width.nearest(x, r.scaleW) * r.pixel
				copy(out[:r.pixel], from[at:])
				out = out[r.pixel:]
			}
		}
	}
}
