package pass

import (
	"slices"

	"kedge/quant/graph"
)

// foldAffine merges multiplications and additions by constants, which is what
// batch normalization is at inference, into the weights and bias of the layer
// before or after them. Reshapes and transposes between do not matter.
func foldAffine(e *editor) error {
	for i := range e.g.Nodes {
		if e.g.Nodes[i].Op == nil {
			continue
		}
		if a, x, ok := affineOf(e.g, &e.g.Nodes[i]); ok && !e.foldBack(i, x, a) {
			e.foldForward(i, x, a)
		}
	}
	return nil
}

// foldBack merges node i, which computes a of x, into the layer that makes x.
// Nothing else may read the layer's result, and it must be linear.
func (e *editor) foldBack(i int, x graph.TensorID, a affine) bool {
	axis, p := a.axis, -1
	for id := x; e.sole(id); {
		if p = e.producer[id]; p < 0 {
			return false
		}
		if _, isLayer := layerOf(e.g, p); isLayer {
			break
		}
		var ok bool
		if axis, ok = axisBefore(e.g, &e.g.Nodes[p], axis); !ok {
			return false
		}
		id, p = e.g.Nodes[p].Inputs[0], -1
	}
	if p < 0 {
		return false
	}
	l, _ := layerOf(e.g, p)
	if act, _ := fused(e.g.Nodes[p].Op); act != graph.Linear || axis >= 0 && axis != len(e.g.Tensor(e.g.Nodes[p].Outputs[0]).Shape)-1 {
		return false
	}
	weights, bias := l.scaledAfter(a)
	if !finite(weights, bias) {
		return false
	}
	act, _ := fused(e.g.Nodes[i].Op)
	step := e.describe(i) + " into " + e.describe(p)
	if !e.bypass(i, x) {
		return false
	}
	e.setWeights(l, weights, bias)
	e.g.Nodes[p].Op = withActivation(e.g.Nodes[p].Op, act)
	e.note("%s", step)
	return true
}

// scaledAfter gives weights and bias of the layer with a applied to its result.
func (l *layer) scaledAfter(a affine) (weights, bias []float32) {
	weights, bias = make([]float32, len(l.weights.Float)), nil
	for j, w := range l.weights.Float {
		out, _ := l.channels(j)
		s, _ := a.at(out)
		weights[j] = float32(float64(w) * s)
	}
	if l.bias == nil && !a.shifts() {
		return weights, nil
	}
	bias = make([]float32, l.out)
	for c := range bias {
		s, o := a.at(c)
		if l.bias != nil {
			o += float64(l.bias[c]) * s
		}
		bias[c] = float32(o)
	}
	return weights, bias
}

// foldForward merges node i, which computes a of x, into the layer that alone
// reads its result. With padding an offset would be missing at the border.
func (e *editor) foldForward(i int, x graph.TensorID, a affine) bool {
	if act, _ := fused(e.g.Nodes[i].Op); act != graph.Linear {
		return false
	}
	l, axis, ok := e.layerAfter(i, a.axis)
	if !ok || l.padded && a.shifts() {
		return false
	}
	in := e.g.Tensor(e.g.Nodes[l.node].Inputs[0]).Shape
	if axis >= 0 && (axis != len(in)-1 || in[axis] != l.in) {
		return false
	}
	weights, bias := l.scaledBefore(a)
	if !finite(weights, bias) {
		return false
	}
	step := e.describe(i) + " into " + e.describe(l.node)
	if !e.bypass(i, x) {
		return false
	}
	e.setWeights(l, weights, bias)
	e.note("%s", step)
	return true
}

// layerAfter follows the only reader of node i's result, over reshapes and
// transposes, to a layer that reads it as its input, and says which of the
// input's axes the result's axis is.
func (e *editor) layerAfter(i, axis int) (l layer, at int, ok bool) {
	for id := e.g.Nodes[i].Outputs[0]; e.sole(id); {
		r := e.readers[id][0]
		if l, ok = layerOf(e.g, r); ok {
			return l, axis, e.g.Nodes[r].Inputs[0] == id
		}
		n := &e.g.Nodes[r]
		switch op := n.Op.(type) {
		case graph.Transpose:
			if axis >= 0 {
				axis = slices.Index(op.Perm, axis)
			}
		case graph.Reshape:
			if axis, ok = matchAxis(e.g.Tensor(id).Shape, op.Shape, axis); !ok {
				return l, 0, false
			}
		default:
			return l, 0, false
		}
		id = n.Outputs[0]
	}
	return l, 0, false
}

// scaledBefore gives weights and bias of the layer with a applied to its input.
func (l *layer) scaledBefore(a affine) (weights, bias []float32) {
	weights = make([]float32, len(l.weights.Float))
	sums := make([]float64, l.out)
	for j, w := range l.weights.Float {
		out, in := l.channels(j)
		s, o := a.at(in)
		weights[j] = float32(float64(w) * s)
		sums[out] += float64(w) * o
	}
	if !a.shifts() {
		return weights, l.bias
	}
	bias = make([]float32, l.out)
	for c, s := range sums {
		if l.bias != nil {
			s += float64(l.bias[c])
		}
		bias[c] = float32(s)
	}
	return weights, bias
}
