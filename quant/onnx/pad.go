package onnx

import (
	"slices"

	"kedge/quant/graph"
)

// pad adds a border or, where the padding is negative, takes elements away.
func pad(c *call) []*value {
	mode := c.text("mode", "constant")
	before, after := c.padding()
	if c.err != nil {
		return nil
	}
	if v := c.in[0]; !v.isReal() && (mode == "constant" || !v.isConstant()) {
		return c.unsupported("of %v", v.Type)
	}
	x := c.crop(c.tensor(0), before, after)
	op := graph.Pad{Before: before, After: after}
	switch mode {
	case "constant":
		if v, ok := c.realScalar(2); ok {
			op.Value = v
		}
	case "reflect":
		op.Mode = graph.PadReflect
	case "edge":
		return c.result(c.padEdge(x, op))
	default:
		return c.unsupported("mode %q", mode)
	}
	if c.err == nil && !adds(op) {
		return c.result(x)
	}
	return c.result(c.emit(op, x))
}

// padding is what each dimension gets; axes come with opset 18.
func (c *call) padding() (before, after []int) {
	rank := len(c.shape(0))
	before, after = make([]int, rank), make([]int, rank)
	if !c.has(1) {
		c.invalid("no pads")
		return
	}
	pads, ok := c.constantInts(1)
	axes := make([]int64, rank)
	for i := range axes {
		axes[i] = int64(i)
	}
	if c.has(3) {
		axes, _ = c.constantInts(3)
	}
	if !ok || len(pads) != 2*len(axes) {
		c.invalid("%d pads for %d axes", len(pads), len(axes))
		return
	}
	for i, a := range axes {
		axis, b, e := c.axis(a, rank), pads[i], pads[len(axes)+i]
		if c.err != nil || max(b, e) > maxExtent || min(b, e) < -maxExtent {
			c.invalid("pads %v", pads)
			return
		}
		before[axis], after[axis] = int(b), int(e)
	}
	return
}

// crop takes away what negative padding says, and makes it 0.
func (c *call) crop(x graph.TensorID, before, after []int) graph.TensorID {
	if c.err != nil || slices.Min(before) >= 0 && slices.Min(after) >= 0 {
		return x
	}
	s := c.shapeOf(x)
	op := graph.StridedSlice{Begin: make([]int, len(s)), Count: make([]int, len(s)), Stride: []int(ones(len(s)))}
	for i := range s {
		op.Begin[i] = max(-before[i], 0)
		op.Count[i] = s[i] - op.Begin[i] - max(-after[i], 0)
		if op.Count[i] < 1 {
			c.invalid("negative pads leave nothing of %v", s)
			return x
		}
		before[i], after[i] = max(before[i], 0), max(after[i], 0)
	}
	return c.emit(op, x)
}

// padEdge repeats the edge elements. Mirroring behind the edge repeats it once;
// the edge is then so much wider that the next round repeats it twice as often.
func (c *call) padEdge(x graph.TensorID, op graph.Pad) graph.TensorID {
	widthB, widthA := []int(ones(len(op.Before))), []int(ones(len(op.Before)))
	for c.err == nil && adds(op) {
		step := graph.Pad{Mode: graph.PadSymmetric, Before: make([]int, len(op.Before)), After: make([]int, len(op.Before))}
		for i := range op.Before {
			step.Before[i], step.After[i] = min(op.Before[i], widthB[i]), min(op.After[i], widthA[i])
			op.Before[i] -= step.Before[i]
			op.After[i] -= step.After[i]
			widthB[i] += step.Before[i]
			widthA[i] += step.After[i]
		}
		x = c.emit(step, x)
	}
	return x
}

// adds reports whether there is anything to pad.
func adds(op graph.Pad) bool { return slices.Max(op.Before) > 0 || slices.Max(op.After) > 0 }
