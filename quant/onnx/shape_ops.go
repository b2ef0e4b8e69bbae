package onnx

import (
	"math"
	"slices"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// concat skips operands without elements, which shape arithmetic makes.
func concat(c *call) []*value {
	var parts []graph.TensorID
	for i := range c.in {
		if !c.has(i) {
			return c.invalid("input %d is left out", i)
		}
		if n, _ := c.shape(i).Elements(); n > 0 {
			parts = append(parts, c.tensor(i))
		}
	}
	axis := c.axis(c.integer("axis", 1), len(c.shape(0)))
	if c.err != nil {
		return nil
	}
	switch len(parts) {
	case 0:
		return c.in[:1]
	case 1:
		return c.result(parts[0])
	}
	return c.result(c.emit(graph.Concatenation{Axis: axis}, parts...))
}

// split has its sizes as attribute or input, or parts as equal as possible.
func split(c *call) []*value {
	s := c.shape(0)
	axis := c.axis(c.integer("axis", 0), len(s))
	list := c.axes("split", 1, 13)
	if c.err != nil {
		return nil
	}
	count := len(c.node.outputs)
	if n := c.integer("num_outputs", int64(count)); n != int64(count) || count == 0 {
		return c.invalid("%d outputs, num_outputs says %d", count, n)
	}
	sizes := make([]int, count)
	if list != nil && len(list) != count {
		return c.invalid("%d sizes for %d outputs", len(list), count)
	}
	each, left := (s[axis]+count-1)/count, s[axis]
	for i := range sizes {
		sizes[i] = min(each, left)
		if list != nil {
			sizes[i] = int(min(max(list[i], -1), math.MaxInt32))
		}
		if sizes[i] < 1 {
			return c.unsupported("a part of %d elements", sizes[i])
		}
		left -= sizes[i]
	}
	if left != 0 {
		return c.invalid("sizes %v do not add up to %d", sizes, s[axis])
	}
	return c.result(c.emitMany(graph.Split{Axis: axis, Sizes: sizes}, count, c.tensor(0))...)
}

// slice takes elements from starts to ends by steps; what lies outside is cut
// off.
func slice(c *call) []*value {
	starts, ok1 := c.constantInts(1)
	ends, ok2 := c.constantInts(2)
	if !ok1 || !ok2 {
		return nil
	}
	s := c.shape(0)
	axes, steps := make([]int64, len(starts)), make([]int64, len(starts))
	for i := range axes {
		axes[i], steps[i] = int64(i), 1
	}
	if c.has(3) {
		axes, _ = c.constantInts(3)
	}
	if c.has(4) {
		steps, _ = c.constantInts(4)
	}
	if c.err != nil || len(ends) != len(starts) || len(axes) != len(starts) || len(steps) != len(starts) {
		return c.invalid("%d starts, %d ends, %d axes, %d steps", len(starts), len(ends), len(axes), len(steps))
	}
	op := graph.StridedSlice{Begin: make([]int, len(s)), Count: slices.Clone([]int(s)), Stride: []int(ones(len(s)))}
	for i := range starts {
		axis := c.axis(axes[i], len(s))
		if c.err != nil {
			return nil
		}
		begin, count, ok := stretch(starts[i], ends[i], steps[i], int64(s[axis]))
		if !ok {
			return c.invalid("step %d", steps[i])
		}
		if count == 0 {
			return c.nothing(axis)
		}
		op.Begin[axis], op.Count[axis], op.Stride[axis] = int(begin), int(count), int(steps[i])
		if count == 1 {
			op.Stride[axis] = 1
		}
	}
	return c.result(c.emit(op, c.tensor(0)))
}

// stretch resolves start and end in a dimension as NumPy does.
func stretch(start, end, step, size int64) (begin, count int64, ok bool) {
	if step == 0 || step == math.MinInt64 {
		return 0, 0, false
	}
	low, high := int64(0), size // where a position is cut off
	if step < 0 {
		low, high = -1, size-1
	}
	at := func(v int64) int64 {
		if v < 0 {
			v = max(v, math.MinInt64/2) + size
		}
		return min(max(v, low), high)
	}
	start, end = at(start), at(end)
	distance, pace := end-start, step
	if step < 0 {
		distance, pace = -distance, -step
	}
	if distance <= 0 {
		return 0, 0, true
	}
	return start, (distance-1)/pace + 1, true
}

// nothing is input 0 cut to no elements along axis: for shape arithmetic only.
func (c *call) nothing(axis int) []*value {
	if !c.in[0].isConstant() {
		return c.unsupported("a result without elements")
	}
	t := &Tensor{Shape: slices.Clone(c.shape(0)), Type: c.in[0].Type}
	t.Shape[axis] = 0
	return []*value{constantValue(t)}
}

func transpose(c *call) []*value {
	rank := len(c.shape(0))
	perm := make([]int, rank)
	for i := range perm {
		perm[i] = rank - 1 - i
	}
	if list := c.integers("perm"); list != nil {
		if len(list) != rank {
			return c.invalid("perm %v of rank %d", list, rank)
		}
		for i, p := range list {
			if perm[i] = c.axis(p, rank); slices.Contains(perm[:i], perm[i]) {
				return c.invalid("perm %v", list)
			}
		}
	}
	if rank < 2 && c.err == nil {
		return c.in[:1]
	}
	return c.result(c.emit(graph.Transpose{Perm: perm}, c.tensor(0)))
}

// reshape has 0 for a dimension that stays (without allowzero) and −1 for the
// one that follows from the others.
func reshape(c *call) []*value {
	list, ok := c.constantInts(1)
	if !ok {
		return nil
	}
	s := c.shape(0)
	n, _ := s.Elements()
	open, known := -1, 1
	shape := make(tensor.Shape, len(list))
	for i, d := range list {
		switch {
		case d == 0 && c.integer("allowzero", 0) == 0 && i < len(s):
			shape[i] = s[i]
		case d == -1 && open < 0:
			open, shape[i] = i, 1
		case d > 0 && d <= int64(n):
			shape[i] = int(d)
		default:
			return c.invalid("shape %v for %v", list, s)
		}
		if known *= shape[i]; known > n {
			return c.invalid("shape %v for %v", list, s)
		}
	}
	if n == 0 {
		return c.unsupported("an operand without elements")
	}
	if open >= 0 {
		shape[open] = n / known
		known *= shape[open]
	}
	if known != n {
		return c.invalid("shape %v for %v", list, s)
	}
	return c.reshaped(shape)
}

// reshaped is input 0 with another shape of as many elements.
func (c *call) reshaped(shape tensor.Shape) []*value {
	if c.err == nil && slices.Equal(shape, c.shape(0)) {
		return c.in[:1]
	}
	return c.result(c.reshape(c.tensor(0), shape))
}

func flatten(c *call) []*value {
	s := c.shape(0)
	axis := c.integer("axis", 1)
	if axis < -int64(len(s)) || axis > int64(len(s)) {
		return c.invalid("axis %d of rank %d", axis, len(s))
	}
	if axis < 0 {
		axis += int64(len(s))
	}
	rows, _ := s[:axis].Elements()
	columns, _ := s[axis:].Elements()
	return c.reshaped(tensor.Shape{rows, columns})
}

func squeeze(c *call) []*value {
	s := c.shape(0)
	list := c.axes("axes", 1, 13)
	gone := make([]bool, len(s))
	for _, a := range list {
		axis := c.axis(a, len(s))
		if c.err != nil {
			return nil
		}
		if s[axis] != 1 {
			return c.invalid("axis %d of %v is not 1", a, s)
		}
		gone[axis] = true
	}
	out := tensor.Shape{}
	for i, d := range s {
		if !gone[i] && (list != nil || d != 1) {
			out = append(out, d)
		}
	}
	return c.reshaped(out)
}

func unsqueeze(c *call) []*value {
	list := c.axes("axes", 1, 13)
	rank := len(c.shape(0)) + len(list)
	added := make([]bool, rank)
	for _, a := range list {
		axis := c.axis(a, rank)
		if c.err != nil || added[axis] {
			return c.invalid("axes %v", list)
		}
		added[axis] = true
	}
	rest := c.shape(0)
	out := make(tensor.Shape, rank)
	for i := range out {
		if out[i] = 1; !added[i] {
			out[i], rest = rest[0], rest[1:]
		}
	}
	return c.reshaped(out)
}

// spaceToDepth moves blocks of pixels into the channels, block positions first.
func spaceToDepth(c *call) []*value {
	s, b := c.shape(0), c.integer("blocksize", 0)
	if len(s) != 4 || b < 1 || b > maxExtent || s[2]%int(b) != 0 || s[3]%int(b) != 0 {
		return c.invalid("blocks of %d in %v", b, s)
	}
	n := int(b)
	x := c.reshape(c.tensor(0), tensor.Shape{s[0], s[1], s[2] / n, n, s[3] / n, n})
	x = c.emit(graph.Transpose{Perm: []int{0, 3, 5, 1, 2, 4}}, x)
	return c.result(c.reshape(x, tensor.Shape{s[0], s[1] * n * n, s[2] / n, s[3] / n}))
}

// depthToSpace undoes it (mode DCR) or takes the block positions from the inner
// part of the channels (mode CRD).
func depthToSpace(c *call) []*value {
	s, b := c.shape(0), c.integer("blocksize", 0)
	if len(s) != 4 || b < 1 || b > 1<<12 || s[1]%int(b*b) != 0 {
		return c.invalid("blocks of %d in %v", b, s)
	}
	n := int(b)
	split, perm := tensor.Shape{s[0], n, n, s[1] / n / n, s[2], s[3]}, []int{0, 3, 4, 1, 5, 2}
	switch mode := c.text("mode", "DCR"); mode {
	case "DCR":
	case "CRD":
		split, perm = tensor.Shape{s[0], s[1] / n / n, n, n, s[2], s[3]}, []int{0, 1, 4, 2, 5, 3}
	default:
		return c.invalid("mode %q", mode)
	}
	x := c.emit(graph.Transpose{Perm: perm}, c.reshape(c.tensor(0), split))
	return c.result(c.reshape(x, tensor.Shape{s[0], s[1] / n / n, s[2] * n, s[3] * n}))
}
