package pass

import (
	"slices"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// constants says which channels have one value everywhere in the image,
// whatever the graph's inputs are.
type constants struct {
	*Coupling
	known []bool // by channel
	value []float32
}

func constantsOf(c *Coupling) *constants {
	v := &constants{c, make([]bool, len(c.group)), make([]float32, len(c.group))}
	for i := range c.g.Tensors {
		if t := &c.g.Tensors[i]; t.Float != nil && c.base[i] >= 0 {
			v.constant(graph.TensorID(i), t)
		}
	}
	for i := range c.g.Nodes {
		if n := &c.g.Nodes[i]; c.base[n.Outputs[0]] >= 0 && c.base[n.Inputs[0]] >= 0 {
			v.node(i, n)
		}
	}
	return v
}

// constant looks at the channels of a constant operand.
func (v *constants) constant(id graph.TensorID, t *graph.Tensor) {
	width, base := lastDim(t), v.base[id]
	for x := range width {
		v.known[base+x], v.value[base+x] = true, t.Float[x]
	}
	for j, f := range t.Float {
		if f != t.Float[j%width] {
			v.known[base+j%width] = false
		}
	}
}

func (v *constants) node(i int, n *graph.Node) {
	in, out := n.Inputs[0], n.Outputs[0]
	last := len(v.g.Tensor(in).Shape) - 1
	switch op := n.Op.(type) {
	case graph.Conv2D, graph.DepthwiseConv2D, graph.TransposeConv, graph.FullyConnected:
		if l, ok := layerOf(v.g, i); ok {
			v.layer(l, in, out)
		}
	case graph.Unary, graph.LeakyReLU:
		v.function(n, in, out)
	case graph.PReLU:
		v.copy(in, out, 0, 0, func(x float32) (float32, bool) { return x, x >= 0 })
	case graph.Binary:
		v.binary(n, op)
	case graph.AveragePool2D:
		v.copy(in, out, 0, 0, activationClamps[op.Activation].certain)
	case graph.MaxPool2D:
		v.copy(in, out, 0, 0, activationClamps[op.Activation].certain)
	case graph.Pad:
		v.copy(in, out, 0, 0, func(x float32) (float32, bool) {
			return x, op.Before[last] == 0 && op.After[last] == 0 && (op.Mode != graph.PadConstant || x == op.Value)
		})
	case graph.Resize, graph.Transpose, graph.Reduce, graph.Reshape, graph.StridedSlice, graph.Split, graph.Concatenation:
		v.movement(n, last)
	}
}

// movement treats operators whose result has the operand's values.
func (v *constants) movement(n *graph.Node, last int) {
	in, out := n.Inputs[0], n.Outputs[0]
	switch op := n.Op.(type) {
	case graph.Resize:
		v.copy(in, out, 0, 0, open.certain)
	case graph.Transpose:
		if op.Perm[last] == last {
			v.copy(in, out, 0, 0, open.certain)
		}
	case graph.Reduce:
		if !slices.Contains(op.Axes, last) {
			// The sum of many is not their value, unless that is 0.
			v.copy(in, out, 0, 0, func(x float32) (float32, bool) { return x, op.Kind != graph.ReduceSum || x == 0 })
		}
	case graph.Reshape:
		if few := v.width(in); v.width(out)%few == 0 {
			for lo := 0; lo < v.width(out); lo += few {
				v.copy(in, out, 0, lo, open.certain)
			}
		}
	case graph.StridedSlice:
		if op.Stride[last] == 1 {
			v.copy(in, out, op.Begin[last], 0, open.certain)
		}
	case graph.Split:
		offset := 0
		for _, id := range n.Outputs {
			v.copy(in, id, offset, 0, open.certain)
			if op.Axis == last {
				offset += v.width(id)
			}
		}
	case graph.Concatenation:
		offset := 0
		for _, id := range n.Inputs {
			if op.Axis == last {
				v.copy(id, out, 0, offset, activationClamps[op.Activation].certain)
				offset += v.width(id)
			}
		}
	}
}

// certain is of as a function for copy.
func (c clamp) certain(x float32) (float32, bool) { return c.of(x), true }

// copy carries f of known values from channel a + i of one tensor to channel
// b + i of another, for all i that both have; f may not know either.
func (v *constants) copy(from, to graph.TensorID, a, b int, f func(float32) (float32, bool)) {
	for i := range min(v.width(from)-a, v.width(to)-b) {
		if x := v.base[from] + a + i; v.known[x] {
			y := v.base[to] + b + i
			v.value[y], v.known[y] = f(v.value[x])
		}
	}
}

// layer: an output channel is constant if its weights are none, or meet only
// constant inputs, with padding only 0.
func (v *constants) layer(l layer, in, out graph.TensorID) {
	sums, known := make([]float64, l.out), slices.Repeat([]bool{true}, l.out)
	floor := l.floor()
	for j, w := range l.weights.Float {
		o, i := l.channels(j)
		switch x := v.base[in] + i; {
		case v.known[x] && (!l.padded || v.value[x] == 0):
			sums[o] += float64(w) * float64(v.value[x])
		case abs(w) > floor:
			known[o] = false
		}
	}
	a, _ := fused(v.g.Nodes[l.node].Op)
	for o, s := range sums {
		if l.bias != nil {
			s += float64(l.bias[o])
		}
		y := v.base[out] + o
		v.known[y], v.value[y] = known[o], activationClamps[a].of(float32(s))
	}
}

// function lets the executor compute a function of the known channels.
func (v *constants) function(n *graph.Node, in, out graph.TensorID) {
	width := v.width(in)
	base := v.base[in]
	at := slices.Index(v.known[base:base+width], true)
	if at < 0 {
		return
	}
	values := make([]float32, width)
	for x := range width {
		// A known value in place of an unknown one: it is in the function's domain.
		values[x] = v.value[base+at]
		if v.known[base+x] {
			values[x] = v.value[base+x]
		}
	}
	g := &graph.Graph{Tensors: []graph.Tensor{{Shape: tensor.Shape{1, width}, Type: tensor.Float32, Float: values}}}
	result := evaluate(g, &graph.Node{Op: n.Op, Inputs: []graph.TensorID{0}, Outputs: []graph.TensorID{1}})
	if result == nil {
		return
	}
	for x, y := range result[0] {
		v.known[v.base[out]+x], v.value[v.base[out]+x] = v.known[base+x], y
	}
}

// binary: x · 0 is 0 whatever x is.
func (v *constants) binary(n *graph.Node, op graph.Binary) {
	base := v.base[n.Outputs[0]]
	for o := range v.width(n.Outputs[0]) {
		a, haveA := v.operand(n.Inputs[0], o)
		b, haveB := v.operand(n.Inputs[1], o)
		switch {
		case haveA && haveB:
			y, ok := arithmetic(op.Kind, a, b)
			v.known[base+o], v.value[base+o] = ok, activationClamps[op.Activation].of(y)
		case op.Kind == graph.Mul && (haveA && a == 0 || haveB && b == 0):
			v.known[base+o], v.value[base+o] = true, activationClamps[op.Activation].of(0)
		}
	}
}

// operand is the value that channel o of a result meets in one operand.
func (v *constants) operand(id graph.TensorID, o int) (float32, bool) {
	t := v.g.Tensor(id)
	if t.Float != nil {
		if len(t.Float) == 1 {
			return t.Float[0], true
		}
		return t.Float[o%len(t.Float)], len(t.Shape) > 0 && len(t.Float) == lastDim(t)
	}
	if t.IsConstant() || v.width(id) == 0 {
		return 0, false
	}
	x := v.base[id] + o%v.width(id)
	return v.value[x], v.known[x]
}

// arithmetic computes one element; not ok where the result is not finite.
func arithmetic(k graph.Arithmetic, a, b float32) (y float32, ok bool) {
	switch k {
	case graph.Add:
		y = a + b
	case graph.Sub:
		y = a - b
	case graph.Mul:
		y = a * b
	case graph.Div:
		y = a / b
	case graph.Maximum:
		y = max(a, b)
	case graph.Minimum:
		y = min(a, b)
	case graph.SquaredDifference:
		y = (a - b) * (a - b)
	default:
		return 0, false
	}
	return y, finite([]float32{y})
}
