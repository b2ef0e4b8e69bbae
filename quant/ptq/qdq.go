package ptq

import (
	"fmt"
	"math"
	"slices"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// FoldQDQ removes the pairs of QUANTIZE and DEQUANTIZE by which
// quantization-aware training marks a float graph. What a pair says about an
// activation stays as int8 parameters on the tensor in front of it (Tensor.Quant
// of a float32 tensor), which Quantize keeps; a DEQUANTIZE of a constant becomes a
// float constant with its scales. Graph g, which need not have passed Infer (weights
// behind a DEQUANTIZE do not), is not changed; tensors keep their numbers, and those
// that are no longer used stay until Compact.
//
// uint8 parameters are moved to int8, int16 ones stand for the int8 range that covers
// the same. A pair that changes parameters in between, or one without its other half, is an
// error that matches ErrUnsupported.
func FoldQDQ(g *graph.Graph) (*graph.Graph, error) {
	f := &folder{src: g, dst: g.Clone(), stands: make(map[graph.TensorID]graph.TensorID), from: make(map[graph.TensorID]*graph.Quantize)}
	f.dst.Nodes = f.dst.Nodes[:0:0]
	for i := range g.Nodes {
		if err := f.node(&g.Nodes[i]); err != nil {
			return nil, fmt.Errorf("node %d %s: %w", i, g.Nodes[i].Op.Name(), err)
		}
	}
	for i, id := range f.dst.Outputs {
		f.output(i, id)
	}
	if err := f.dst.Infer(); err != nil {
		return nil, err
	}
	return f.dst, nil
}

// folder is one FoldQDQ at work.
type folder struct {
	src, dst *graph.Graph
	stands   map[graph.TensorID]graph.TensorID  // an integer or dequantized tensor: the float one it stands for
	from     map[graph.TensorID]*graph.Quantize // an integer tensor: what made it
}

// real is the float tensor that id stands for.
func (f *folder) real(id graph.TensorID) graph.TensorID {
	if to, ok := f.stands[id]; ok {
		return to
	}
	return id
}

// output points output i at the tensor that id stands for, under id's name, which
// callers know it by.
func (f *folder) output(i int, id graph.TensorID) {
	to := f.real(id)
	f.dst.Outputs[i] = to
	if to != id && !slices.Contains(f.src.Inputs, to) && !slices.Contains(f.src.Outputs, to) {
		f.dst.Tensor(to).Name, f.dst.Tensor(id).Name = f.src.Tensor(id).Name, f.src.Tensor(to).Name
	}
}

func (f *folder) node(n *graph.Node) error {
	switch op := n.Op.(type) {
	case graph.Quantize:
		in := f.real(n.Inputs[0])
		f.stands[n.Outputs[0]], f.from[n.Outputs[0]] = in, &op
		return nil
	case graph.Dequantize:
		return f.dequantize(op, n)
	}
	kept := graph.Node{Op: n.Op, Outputs: n.Outputs}
	for _, id := range n.Inputs {
		if id != graph.None && f.from[id] != nil {
			return fmt.Errorf("%w: works on the integers of tensor %d %q, want them dequantized first", ErrUnsupported, id, f.src.Tensor(id).Name)
		}
		if id != graph.None {
			id = f.real(id)
		}
		kept.Inputs = append(kept.Inputs, id)
	}
	f.dst.Nodes = append(f.dst.Nodes, kept)
	return nil
}

// dequantize ends a pair, or makes a constant.
func (f *folder) dequantize(op graph.Dequantize, n *graph.Node) error {
	in := f.src.Tensor(n.Inputs[0])
	if in.IsConstant() {
		values, err := reals(in, op.Quant)
		if err != nil {
			return err
		}
		t := f.dst.Tensor(n.Outputs[0])
		t.Shape, t.Float, t.Quant = slices.Clone(in.Shape), values, op.Quant
		return nil
	}
	made := f.from[n.Inputs[0]]
	if made == nil {
		return fmt.Errorf("%w: tensor %d %q does not come from a QUANTIZE", ErrUnsupported, n.Inputs[0], in.Name)
	}
	if !equal(made.Quant, op.Quant) {
		return fmt.Errorf("%w: scale %v after a QUANTIZE with %v", ErrUnsupported, op.Quant.Scale(), made.Quant.Scale())
	}
	to := f.real(n.Inputs[0])
	f.stands[n.Outputs[0]] = to
	return f.keep(f.dst.Tensor(to), made)
}

// keep notes a pair's parameters on the tensor in front of it; of several pairs
// there the first counts. Per-channel parameters make sense on weights alone.
func (f *folder) keep(t *graph.Tensor, made *graph.Quantize) error {
	switch {
	case len(t.Quant.Scales) > 0:
	case t.IsConstant():
		t.Quant = made.Quant
	case !made.Quant.PerChannel():
		q, err := as8(made.Quant, made.To)
		if err != nil {
			return err
		}
		t.Quant = q
	}
	return nil
}

// reals are the values of an integer constant.
func reals(t *graph.Tensor, q tensor.Quant) ([]float32, error) {
	l := layout{channels: 1, inner: 1}
	if q.PerChannel() {
		l = alongAxis(t.Shape, q.Dim)
	}
	switch {
	case t.Int8 != nil:
		return scaled(t.Int8, q, l), nil
	case t.Int16 != nil:
		return scaled(t.Int16, q, l), nil
	case t.Int32 != nil:
		return scaled(t.Int32, q, l), nil
	}
	return nil, fmt.Errorf("%w: constant of %v", ErrUnsupported, t.Type)
}

func scaled[T int8 | int16 | int32](v []T, q tensor.Quant, l layout) []float32 {
	out := make([]float32, len(v))
	for i, x := range v {
		c, zero := l.of(i), int32(0)
		if len(q.ZeroPoints) > 0 {
			zero = q.ZeroPoints[c]
		}
		// In float64: int32 biases have more digits than a float32.
		out[i] = float32(float64(q.Scales[c]) * float64(int64(x)-int64(zero)))
	}
	return out
}

// as8 states parameters of another integer type for int8.
func as8(q tensor.Quant, from tensor.Type) (tensor.Quant, error) {
	s, z := q.Scale(), q.ZeroPoint()
	switch from {
	case tensor.Int8:
		return fixed(s, z), nil
	case tensor.Uint8:
		return fixed(s, z-128), nil
	case tensor.Int16:
		zero := math.Round(float64(z)*255/65535 + float64(math.MinInt8) + 32768*255.0/65535)
		return fixed(s*65535/255, int32(min(max(zero, math.MinInt8), math.MaxInt8))), nil
	}
	return q, fmt.Errorf("%w: activations of %v", ErrUnsupported, from)
}
