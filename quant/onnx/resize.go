package onnx

import (
	"math"
	"slices"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// resize scales images. ONNX has many rules for where an output element lies in
// the input, TFLite three. The positions are therefore computed by ONNX's rule
// and compared with TFLite's three; where none agrees, scaling one extent is a
// FullyConnected with a constant matrix, which is exact, but slower.
func resize(c *call) []*value {
	mode := c.text("mode", "nearest")
	if mode != "nearest" && mode != "linear" {
		return c.unsupported("mode %q; only nearest and linear", mode)
	}
	if p := c.text("keep_aspect_ratio_policy", "stretch"); p != "stretch" {
		return c.unsupported("keep_aspect_ratio_policy %q", p)
	}
	all, ok := c.scaling()
	if !ok {
		return nil
	}
	positions := make([][]float64, len(all))
	for i := range all {
		if c.integer("antialias", 0) != 0 && all[i].out < all[i].in {
			return c.unsupported("antialias")
		}
		if positions[i], ok = c.positions(all[i], mode == "linear"); !ok {
			return nil
		}
	}
	if len(all) == 1 { // in one dimension the image has height 1
		all, positions = append([]scaling{{in: 1, out: 1, scale: 1}}, all...), append([][]float64{{0}}, positions...)
	}
	return c.result(c.ofImage(c.resample(c.image(0), all, positions, mode == "linear")))
}

// scaling is what happens to one extent.
type scaling struct {
	in, out int
	scale   float64 // out/in before out was rounded
}

// scaling reads the scales or sizes of the extents; batch and channels must
// stay.
func (c *call) scaling() ([]scaling, bool) {
	if c.extent() == nil {
		return nil, false
	}
	s := c.shape(0)
	all := make([]scaling, len(s))
	for i, d := range s {
		all[i] = scaling{in: d, out: d, scale: 1}
	}
	axes := c.integers("axes")
	if axes == nil {
		for i := range s {
			axes = append(axes, int64(i))
		}
	}
	scales, sizes := c.has(2) && c.in[2].length() > 0, c.has(3) && c.in[3].length() > 0
	if scales == sizes {
		c.invalid("want either scales or sizes, which must be constant")
		return nil, false
	}
	given := 2
	if sizes {
		given = 3
	}
	if v := c.in[given]; !v.isConstant() || v.isReal() != scales || v.length() != len(axes) {
		c.invalid("input %d is %v %v for %d axes", given, v.Type, v.Shape, len(axes))
		return nil, false
	}
	for i, a := range axes {
		e := &all[c.axis(a, len(s))]
		if scales {
			e.scale = float64(c.in[2].Float[i])
			e.out = int(math.Floor(min(float64(float32(e.in)*c.in[2].Float[i]), maxExtent+1)))
		} else {
			e.out = int(min(max(c.in[3].Int[i], 0), maxExtent+1))
			e.scale = float64(e.out) / float64(e.in)
		}
		if c.err != nil || e.out < 1 || e.out > maxExtent || !(e.scale > 0) {
			c.invalid("%d elements scaled by %v", e.in, e.scale)
			return nil, false
		}
	}
	if all[0].in != all[0].out || all[1].in != all[1].out {
		c.unsupported("scales batch or channels")
		return nil, false
	}
	return all[2:], true
}

// positions gives, for every output element, where it lies among the input
// elements; for nearest a whole number.
func (c *call) positions(e scaling, linear bool) ([]float64, bool) {
	if err := c.im.spent.spend(4 * e.out); err != nil {
		c.fail(err)
		return nil, false
	}
	rule := c.text("coordinate_transformation_mode", "half_pixel")
	rounding := c.text("nearest_mode", "round_prefer_floor")
	out := make([]float64, e.out)
	for i := range out {
		p, ok := e.position(rule, float64(i))
		if !ok {
			c.unsupported("coordinate_transformation_mode %q", rule)
			return nil, false
		}
		// Scales such as ⅓ are rounded in the file; rounding the position to a
		// float32 too makes it whole again where it was meant to be.
		p = float64(float32(p))
		if !linear {
			if p, ok = nearest(rounding, p); !ok {
				c.unsupported("nearest_mode %q", rounding)
				return nil, false
			}
		}
		out[i] = min(max(p, 0), float64(e.in-1))
	}
	return out, true
}

// position is ONNX's coordinate_transformation_mode.
func (e scaling) position(rule string, i float64) (float64, bool) {
	// The extent before rounding: what ONNX's formulas call length_resized.
	resized := float64(e.in) * e.scale
	switch rule {
	case "half_pixel":
		return (i+0.5)/e.scale - 0.5, true
	case "half_pixel_symmetric":
		center := float64(e.in) / 2
		return center*(1-float64(e.out)/resized) + (i+0.5)/e.scale - 0.5, true
	case "pytorch_half_pixel":
		if e.out == 1 {
			return 0, true
		}
		return (i+0.5)/e.scale - 0.5, true
	case "align_corners":
		if e.out == 1 {
			return 0, true
		}
		return i * float64(e.in-1) / (resized - 1), true
	case "asymmetric":
		return i / e.scale, true
	case "tf_half_pixel_for_nn":
		return (i + 0.5) / e.scale, true
	}
	return 0, false
}

// nearest is ONNX's nearest_mode.
func nearest(mode string, p float64) (float64, bool) {
	switch mode {
	case "round_prefer_floor":
		return math.Ceil(p - 0.5), true
	case "round_prefer_ceil":
		return math.Floor(p + 0.5), true
	case "floor":
		return math.Floor(p), true
	case "ceil":
		return math.Ceil(p), true
	}
	return 0, false
}

// rules are TFLite's.
var rules = [...]struct{ align, half bool }{{false, false}, {false, true}, {true, false}}

// follows reports whether TFLite's rule number r gives these positions.
func follows(r int, e scaling, linear bool, positions []float64) bool {
	scale := float32(e.in) / float32(e.out)
	if rules[r].align && e.out > 1 {
		scale = float32(e.in-1) / float32(e.out-1)
	}
	for i, want := range positions {
		var p float64
		switch {
		case rules[r].half && linear:
			p = float64((float32(i)+0.5)*scale - 0.5)
		case rules[r].half:
			p = math.Floor(float64((float32(i) + 0.5) * scale))
		case linear:
			p = float64(float32(i) * scale)
		case rules[r].align:
			p = math.Round(float64(float32(i) * scale))
		default:
			p = math.Floor(float64(float32(i) * scale))
		}
		if math.Abs(min(max(p, 0), float64(e.in-1))-want) > 1e-5 {
			return false
		}
	}
	return true
}

// resample scales height and width of x (n, h, w, c), in one Resize if it can
// be.
func (c *call) resample(x graph.TensorID, all []scaling, positions [][]float64, linear bool) graph.TensorID {
	for r := range rules {
		if follows(r, all[0], linear, positions[0]) && follows(r, all[1], linear, positions[1]) {
			return c.emit(graph.Resize{H: all[0].out, W: all[1].out, Bilinear: linear, AlignCorners: rules[r].align, HalfPixelCenters: rules[r].half}, x)
		}
	}
	h := all[0].in
	for i, e := range all {
		stay := e.in == e.out && follows(0, e, linear, positions[i])
		r := slices.IndexFunc([]int{0, 1, 2}, func(r int) bool { return follows(r, e, linear, positions[i]) })
		switch {
		case stay:
		case r >= 0:
			op := graph.Resize{H: h, W: all[1].in, Bilinear: linear, AlignCorners: rules[r].align, HalfPixelCenters: rules[r].half}
			if i == 0 {
				op.H = e.out
			} else {
				op.W = e.out
			}
			x = c.emit(op, x)
		default:
			x = c.interpolate(x, i+1, e, positions[i])
		}
		if i == 0 {
			h = e.out
		}
	}
	return x
}

// interpolate scales dimension axis of x by a matrix that has, for each output
// element, the weights of its two neighbors.
func (c *call) interpolate(x graph.TensorID, axis int, e scaling, positions []float64) graph.TensorID {
	if int64(e.in)*int64(e.out) > math.MaxInt32 {
		c.unsupported("%d elements scaled to %d by a rule that TFLite does not have", e.in, e.out)
	}
	if err := c.im.spent.spend(e.in * e.out); c.err == nil && err != nil {
		c.fail(err)
	}
	if c.err != nil {
		return graph.None
	}
	m := make([]float32, e.in*e.out)
	for i, p := range positions {
		low := int(p)
		part := float32(p - float64(low))
		m[i*e.in+low] = 1 - part
		if part > 0 {
			m[i*e.in+low+1] = part
		}
	}
	swap := []int{0, 1, 2, 3}
	swap[axis], swap[3] = 3, axis
	y := c.emit(graph.Transpose{Perm: swap}, x)
	y = c.emit(graph.FullyConnected{KeepDims: true}, y, c.constant(tensor.Shape{e.out, e.in}, m...))
	return c.emit(graph.Transpose{Perm: swap}, y)
}
