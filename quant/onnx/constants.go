package onnx

import (
	"fmt"
	"math"
	"slices"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// constant is the operator Constant, whose attribute is its value.
func constant(c *call) []*value {
	if len(c.node.attributes) != 1 {
		return c.invalid("%d attributes, want one value", len(c.node.attributes))
	}
	a := &c.node.attributes[0]
	t := &Tensor{Shape: tensor.Shape{}, Type: tensor.Float32}
	switch a.name {
	case "value":
		if a.tensor == nil {
			return c.invalid("no tensor in its attribute")
		}
		var err error
		if t, err = a.tensor.values(); err != nil {
			return c.fail(err)
		}
	case "value_float":
		t.Float = []float32{a.float}
	case "value_floats":
		t.Shape, t.Float = tensor.Shape{len(a.floats)}, a.floats
	case "value_int":
		t.Type, t.Int = tensor.Int64, []int64{a.integer}
	case "value_ints":
		t.Type, t.Shape, t.Int = tensor.Int64, tensor.Shape{len(a.ints)}, a.ints
	}
	return []*value{constantValue(t)}
}

func constantOfShape(c *call) []*value {
	dims, ok := c.constantInts(0)
	if !ok {
		return nil
	}
	t := &Tensor{Type: tensor.Float32, Float: []float32{0}}
	if a := c.given("value", attributeTensor); a != nil && a.tensor != nil {
		var err error
		if t, err = a.tensor.values(); err != nil {
			return c.fail(err)
		}
	}
	if t.length() != 1 {
		return c.invalid("value has %d elements, want 1", t.length())
	}
	t.Shape = make(tensor.Shape, len(dims))
	for i, d := range dims {
		if d < 0 || d > math.MaxInt32 {
			return c.invalid("shape %v", dims)
		}
		t.Shape[i] = int(d)
	}
	n, ok := t.Shape.Elements()
	if !ok {
		return c.invalid("shape %v", dims)
	}
	if err := c.im.spent.spend(2 * n); err != nil {
		return c.fail(err)
	}
	t.Float, t.Int = slices.Repeat(t.Float, n), slices.Repeat(t.Int, n)
	return []*value{constantValue(t)}
}

// shape is known while importing.
func shape(c *call) []*value {
	dims := c.shape(0)
	bound := func(name string, absent int) int {
		v := c.integer(name, int64(absent))
		if v < 0 {
			v += int64(len(dims))
		}
		return int(min(max(v, 0), int64(len(dims))))
	}
	start, end := bound("start", 0), bound("end", len(dims))
	t := &Tensor{Type: tensor.Int64, Int: []int64{}}
	for _, d := range dims[start:max(start, end)] {
		t.Int = append(t.Int, int64(d))
	}
	t.Shape = tensor.Shape{len(t.Int)}
	return []*value{constantValue(t)}
}

// sequence is the operator Range: start, start + delta, … below limit.
func sequence(c *call) []*value {
	for _, v := range c.in[:3] {
		if !v.isConstant() || v.length() != 1 {
			return c.unsupported("bounds that are not constant scalars")
		}
	}
	if !c.in[0].isReal() && !c.in[1].isReal() && !c.in[2].isReal() {
		start, limit, delta := c.in[0].Int[0], c.in[1].Int[0], c.in[2].Int[0]
		n, ok := c.steps(float64(start), float64(limit), float64(delta))
		if !ok {
			return nil
		}
		t := &Tensor{Shape: tensor.Shape{n}, Type: c.in[0].Type, Int: make([]int64, n)}
		for i := range t.Int {
			t.Int[i] = start + int64(i)*delta
		}
		return []*value{constantValue(t)}
	}
	start, limit, delta := c.in[0].first(), c.in[1].first(), c.in[2].first()
	n, ok := c.steps(start, limit, delta)
	if !ok {
		return nil
	}
	t := &Tensor{Shape: tensor.Shape{n}, Type: tensor.Float32, Float: make([]float32, n)}
	for i := range t.Float {
		t.Float[i] = float32(start + float64(i)*delta)
	}
	return []*value{constantValue(t)}
}

func (c *call) steps(start, limit, delta float64) (int, bool) {
	n := math.Max(math.Ceil((limit-start)/delta), 0)
	if math.IsNaN(n) || n > maxIndex {
		c.invalid("range from %v to %v by %v", start, limit, delta)
		return 0, false
	}
	if err := c.im.spent.spend(2 * int(n)); err != nil {
		c.fail(err)
		return 0, false
	}
	return int(n), true
}

// first is element 0.
func (t *Tensor) first() float64 {
	if t.isReal() {
		return float64(t.Float[0])
	}
	return float64(t.Int[0])
}

// uniform is the one value that all elements have.
func uniform(v *value) (float64, bool) {
	if v.length() == 0 {
		return 0, false
	}
	x := v.first()
	for i := range v.Float {
		if float64(v.Float[i]) != x {
			return 0, false
		}
	}
	for i := range v.Int {
		if float64(v.Int[i]) != x {
			return 0, false
		}
	}
	return x, true
}

// constantInts is input i, which must be a constant of integers; ok is false
// after an error.
func (c *call) constantInts(i int) ([]int64, bool) {
	v := c.in[i]
	if !v.isConstant() {
		c.unsupported("input %d is computed at run time, want a constant", i)
		return nil, false
	}
	if v.isReal() {
		c.invalid("input %d holds %v, want integers", i, v.Type)
		return nil, false
	}
	return v.Int, c.err == nil
}

// realScalar is input i, one real constant; ok is false when it is left out or
// after an error.
func (c *call) realScalar(i int) (float32, bool) {
	if !c.has(i) {
		return 0, false
	}
	v := c.in[i]
	if !v.isConstant() {
		c.unsupported("input %d is computed at run time, want a constant", i)
		return 0, false
	}
	if !v.isReal() {
		c.unsupported("on integers")
		return 0, false
	}
	if v.length() != 1 {
		c.invalid("input %d has shape %v, want one number", i, v.Shape)
		return 0, false
	}
	return v.Float[0], c.err == nil
}

// axes is what an operator takes from its attribute before the opset since and
// from its input i afterwards; nil when not given.
func (c *call) axes(name string, i int, since int64) []int64 {
	if c.im.opset < since {
		return c.integers(name)
	}
	if c.node.attribute(name) != nil {
		c.invalid("attribute %s, which is an input since opset %d", name, since)
		return nil
	}
	if !c.has(i) {
		return nil
	}
	list, _ := c.constantInts(i)
	return append([]int64{}, list...)
}

// axis turns a dimension, negative from the end, into 0 to rank − 1.
func (c *call) axis(axis int64, rank int) int {
	if axis < -int64(rank) || axis >= int64(rank) {
		c.invalid("axis %d of rank %d", axis, rank)
		return 0
	}
	if axis < 0 {
		axis += int64(rank)
	}
	return int(axis)
}

// permute rearranges a constant's dimensions.
func (c *call) permute(t Tensor, perm []int) Tensor {
	out := Tensor{Shape: permuted(t.Shape, perm), Type: t.Type}
	if err := c.im.spent.spend(len(t.Float)); err != nil {
		c.fail(err)
		return Tensor{Shape: out.Shape, Type: t.Type}
	}
	out.Float = make([]float32, len(t.Float))
	strides := make([]int, len(perm)) // in t, of the dimensions of out
	step := 1
	for i := len(t.Shape) - 1; i >= 0; i-- {
		strides[slices.Index(perm, i)] = step
		step *= t.Shape[i]
	}
	at, from := make([]int, len(perm)), 0
	for i := range out.Float {
		out.Float[i] = t.Float[from]
		for d := len(at) - 1; d >= 0; d-- {
			at[d]++
			from += strides[d]
			if at[d] < out.Shape[d] {
				break
			}
			from -= at[d] * strides[d]
			at[d] = 0
		}
	}
	return out
}

// combine computes integers element by element; shapes broadcast.
func (c *call) combine(f func(a, b int64) (int64, bool), a, b *value) []*value {
	rank := max(len(a.Shape), len(b.Shape))
	full := func(s tensor.Shape) tensor.Shape { return append(ones(rank-len(s)), s...) }
	sa, sb := full(a.Shape), full(b.Shape)
	out := &Tensor{Shape: make(tensor.Shape, rank), Type: a.Type}
	for i := range out.Shape {
		if sa[i] != sb[i] && sa[i] != 1 && sb[i] != 1 {
			return c.fail(fmt.Errorf("%w: %v and %v do not fit", graph.ErrInvalid, a.Shape, b.Shape))
		}
		out.Shape[i] = max(sa[i], sb[i])
		if sa[i] == 0 || sb[i] == 0 {
			out.Shape[i] = 0
		}
	}
	n, ok := out.Shape.Elements()
	if !ok {
		return c.invalid("%v and %v", a.Shape, b.Shape)
	}
	if err := c.im.spent.spend(2 * n); err != nil {
		return c.fail(err)
	}
	out.Int = make([]int64, n)
	for i := range out.Int {
		if out.Int[i], ok = f(a.Int[source(i, out.Shape, sa)], b.Int[source(i, out.Shape, sb)]); !ok {
			return c.invalid("division by zero")
		}
	}
	return []*value{constantValue(out)}
}

// source is the index of the element of a broadcast operand of shape s that
// makes element i of a result.
func source(i int, result, s tensor.Shape) int {
	at, step := 0, 1
	for d := len(result) - 1; d >= 0; d-- {
		if s[d] != 1 {
			at += i % result[d] * step
		}
		i /= result[d]
		step *= s[d]
	}
	return at
}

func addIntegers(a, b int64) (int64, bool) { return a + b, true }
func subIntegers(a, b int64) (int64, bool) { return a - b, true }
func mulIntegers(a, b int64) (int64, bool) { return a * b, true }
func maxIntegers(a, b int64) (int64, bool) { return max(a, b), true }
func minIntegers(a, b int64) (int64, bool) { return min(a, b), true }

// divIntegers rounds toward zero, as C does.
func divIntegers(a, b int64) (int64, bool) {
	if b == 0 {
		return 0, false
	}
	return a / b, true
}
