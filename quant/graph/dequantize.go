package graph

import (
	"fmt"
	"slices"

	"kedge/runtime/tensor"
)

// Dequantize returns the float graph that a quantized or hybrid graph
// approximates: every quantized constant becomes Scale × (q − ZeroPoint), every
// activation float32, and the nodes between the two kinds of numbers go. A float
// graph is copied. It is where compressing a hybrid model starts, and retraining
// when only the deployed file is at hand.
//
// What the range of an activation cuts off is not in the result, but for the
// activations that uint8 models of old converters express by it alone.
func (g *Graph) Dequantize() (*Graph, error) {
	out := g.Clone()
	out.restoreActivations()
	out.scaleBiases()
	for i := range out.Tensors {
		if err := out.Tensors[i].dequantize(); err != nil {
			return nil, fmt.Errorf("%s: %w", g.label(TensorID(i)), err)
		}
	}
	out.dropConversions()
	if err := out.Infer(); err != nil {
		return nil, err
	}
	return out, nil
}

func (t *Tensor) dequantize() error {
	if t.Type == tensor.Float32 {
		return nil
	}
	if len(t.Quant.Scales) == 0 {
		return fmt.Errorf("%w: %v without quantization parameters", ErrUnsupported, t.Type)
	}
	if t.IsConstant() {
		values, err := t.reals()
		if err != nil {
			return err
		}
		t.Float = values
	}
	t.Type, t.Quant = tensor.Float32, tensor.Quant{}
	t.Int8, t.Uint8, t.Int16, t.Int32, t.Int64 = nil, nil, nil, nil, nil
	return nil
}

// reals gives a constant's values as real numbers.
func (t *Tensor) reals() ([]float32, error) {
	if t.Float != nil {
		return t.Float, nil
	}
	n, q := t.length(), t.Quant
	channels, inner := 1, n
	if q.PerChannel() {
		if q.Dim < 0 || q.Dim >= len(t.Shape) || t.Shape[q.Dim] != len(q.Scales) {
			return nil, fmt.Errorf("%w: %d scales along dimension %d of %v", ErrInvalid, len(q.Scales), q.Dim, t.Shape)
		}
		channels = len(q.Scales)
		inner, _ = t.Shape[q.Dim+1:].Elements()
	}
	out := make([]float32, n)
	for i := range out {
		c := 0
		if channels > 1 {
			c = i / inner % channels
		}
		zero := int64(0)
		if len(q.ZeroPoints) > 0 {
			zero = int64(q.ZeroPoints[c])
		}
		// In float64: int32 biases have more digits than a float32.
		out[i] = float32(float64(q.Scales[c]) * float64(t.integer(i)-zero))
	}
	return out, nil
}

// integer is value i of an integer constant.
func (t *Tensor) integer(i int) int64 {
	switch {
	case t.Int8 != nil:
		return int64(t.Int8[i])
	case t.Uint8 != nil:
		return int64(t.Uint8[i])
	case t.Int16 != nil:
		return int64(t.Int16[i])
	case t.Int32 != nil:
		return int64(t.Int32[i])
	}
	return t.Int64[i]
}

// dropConversions removes Quantize and Dequantize from a graph that has become
// float: what read their results reads their inputs. A result of the graph keeps
// its tensor, and with it its name: then the node before writes there.
func (g *Graph) dropConversions() {
	instead := make([]TensorID, len(g.Tensors))
	for i := range instead {
		instead[i] = TensorID(i)
	}
	given, result := g.mark(g.Inputs), g.mark(g.Outputs)
	nodes := g.Nodes[:0]
	for _, n := range g.Nodes {
		if !converts(n.Op) || !g.single(n.Inputs) || !g.single(n.Outputs) {
			nodes = append(nodes, n)
			continue
		}
		from, to := n.Inputs[0], n.Outputs[0]
		for instead[from] != from {
			from = instead[from]
		}
		switch {
		case !result[to]:
			instead[to] = from
		case !given[from] && !result[from] && !g.Tensor(from).IsConstant():
			instead[from] = to
		default: // the same values under two names that both count
			nodes = append(nodes, Node{Op: Reshape{Shape: slices.Clone(g.Tensor(from).Shape)}, Inputs: []TensorID{from}, Outputs: []TensorID{to}})
		}
	}
	if len(nodes) < len(g.Nodes) {
		g.Nodes = nodes
		g.rewire(instead)
		g.Compact()
	}
}

// mark says of every tensor whether it is in the list.
func (g *Graph) mark(list []TensorID) []bool {
	out := make([]bool, len(g.Tensors))
	for _, id := range list {
		if g.has(id) {
			out[id] = true
		}
	}
	return out
}

// single reports whether a list is one tensor of the graph.
func (g *Graph) single(list []TensorID) bool {
	return len(list) == 1 && g.has(list[0])
}

func converts(op Op) bool {
	switch op.(type) {
	case Quantize, Dequantize:
		return true
	}
	return false
}

// rewire replaces operands and results by others, which may be replaced in turn.
func (g *Graph) rewire(instead []TensorID) {
	replace := func(list []TensorID) {
		for i, id := range list {
			for id >= 0 && int(id) < len(instead) && instead[id] != id {
				id = instead[id]
			}
			list[i] = id
		}
	}
	for i := range g.Nodes {
		replace(g.Nodes[i].Inputs)
		replace(g.Nodes[i].Outputs)
	}
}
