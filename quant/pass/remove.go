package pass

import (
	"fmt"
	"slices"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// RemoveChannels returns a copy of g without the given channels and all that
// are coupled with them: rows and columns of weights, biases and other
// constants are cut. The result computes what g would if those channels were 0
// wherever weights read them. Tensors keep their ids; constants that change are
// appended.
//
// Errors match ErrInvalid: a channel that does not exist, one of a fixed group
// (see Coupling), or a tensor of which nothing would be left.
func RemoveChannels(g *graph.Graph, channels []Channel) (*graph.Graph, error) {
	c, err := Couple(g)
	if err != nil {
		return nil, err
	}
	gone := make([]bool, len(c.group)) // by root
	for _, ch := range channels {
		x := c.number(ch)
		if x < 0 {
			return nil, fmt.Errorf("%w: there is no channel %d of tensor %d", ErrInvalid, ch.Index, ch.Tensor)
		}
		if c.fixed[c.root(x)] {
			return nil, fmt.Errorf("%w: channel %d of tensor %d %q cannot be removed: it reaches an input, an output or an operator that mixes channels", ErrInvalid, ch.Index, ch.Tensor, g.Tensor(ch.Tensor).Name)
		}
		gone[c.root(x)] = true
	}
	return c.cut(gone)
}

// cut removes the groups whose roots are marked.
func (c *Coupling) cut(gone []bool) (*graph.Graph, error) {
	r := &remover{g: c.g.Clone(), keep: make([][]int, len(c.g.Tensors))}
	for i := range c.base {
		id := graph.TensorID(i)
		width := c.width(id)
		if width == 0 {
			continue
		}
		kept := make([]int, 0, width)
		for x := range width {
			if !gone[c.root(c.base[id]+x)] {
				kept = append(kept, x)
			}
		}
		if len(kept) == 0 {
			return nil, fmt.Errorf("%w: no channel of tensor %d %q would be left", ErrInvalid, id, c.g.Tensor(id).Name)
		}
		if len(kept) < width {
			r.keep[id] = kept
		}
	}
	for i := range r.g.Nodes {
		r.node(&r.g.Nodes[i])
	}
	for i, kept := range r.keep {
		if t := &r.g.Tensors[i]; kept != nil && !t.IsConstant() {
			t.Shape[len(t.Shape)-1] = len(kept)
		}
	}
	if err := r.g.Infer(); err != nil {
		return nil, err
	}
	return r.g, nil
}

// remover is one removal at work: keep lists, by tensor, the channels that
// stay, nil for all. It reads the old shapes, which change last.
type remover struct {
	g    *graph.Graph
	keep [][]int
}

func (r *remover) node(n *graph.Node) {
	in, out := n.Inputs[0], n.Outputs[0]
	last := len(r.g.Tensor(in).Shape) - 1
	switch op := n.Op.(type) {
	case graph.Conv2D, graph.TransposeConv, graph.FullyConnected:
		rank := len(r.g.Tensor(n.Inputs[1]).Shape)
		r.operand(n, 1, 0, r.keep[out])
		r.operand(n, 1, rank-1, r.keep[in])
		r.operand(n, 2, 0, r.keep[out])
	case graph.DepthwiseConv2D:
		r.operand(n, 1, 3, r.keep[out])
		r.operand(n, 2, 0, r.keep[out])
		if lastDim(r.g.Tensor(in)) == 1 && r.keep[out] != nil {
			op.Multiplier = len(r.keep[out])
			n.Op = op
		}
	case graph.Binary, graph.PReLU:
		for k := range n.Inputs {
			r.broadcast(n, k, r.keep[out])
		}
	case graph.Concatenation:
		for k, id := range n.Inputs {
			r.broadcast(n, k, r.keep[id])
		}
	case graph.Split:
		if op.Axis == last && r.keep[in] != nil {
			op.Sizes = slices.Clone(op.Sizes)
			for k, id := range n.Outputs {
				if r.keep[id] != nil {
					op.Sizes[k] = len(r.keep[id])
				}
			}
			n.Op = op
		}
	case graph.StridedSlice:
		n.Op = r.slice(op, in, out, last)
	case graph.Reshape:
		if kept := r.keep[out]; kept != nil {
			op.Shape = slices.Clone(op.Shape)
			op.Shape[len(op.Shape)-1] = len(kept)
			n.Op = op
		}
	}
}

// slice adapts a slice of the channels that stay.
func (r *remover) slice(op graph.StridedSlice, in, out graph.TensorID, last int) graph.Op {
	if r.keep[in] == nil {
		return op
	}
	op.Begin, op.Count = slices.Clone(op.Begin), slices.Clone(op.Count)
	op.Begin[last], _ = slices.BinarySearch(r.keep[in], op.Begin[last])
	if r.keep[out] != nil {
		op.Count[last] = len(r.keep[out])
	}
	return op
}

// broadcast cuts the last dimension of constant operand k, if it has channels.
func (r *remover) broadcast(n *graph.Node, k int, kept []int) {
	t := r.g.Tensor(n.Inputs[k])
	if t.Float != nil && len(t.Shape) > 0 && lastDim(t) > 1 {
		r.operand(n, k, len(t.Shape)-1, kept)
	}
}

// operand gives n a copy of constant operand k with only the kept indices of
// dimension dim.
func (r *remover) operand(n *graph.Node, k, dim int, kept []int) {
	if kept == nil || k >= len(n.Inputs) || n.Inputs[k] == graph.None {
		return
	}
	t := *r.g.Tensor(n.Inputs[k])
	t.Shape, t.Float = selected(t.Shape, t.Float, dim, kept)
	n.Inputs[k] = r.g.AddTensor(t)
	r.keep = append(r.keep, nil)
}

// selected copies the kept indices of dimension dim.
func selected(shape tensor.Shape, data []float32, dim int, kept []int) (tensor.Shape, []float32) {
	inner, _ := shape[dim+1:].Elements()
	extent := shape[dim]
	shape = slices.Clone(shape)
	shape[dim] = len(kept)
	out := make([]float32, 0, len(data)/extent*len(kept))
	for lo := 0; lo < len(data); lo += extent * inner {
		for _, x := range kept {
			out = append(out, data[lo+x*inner:lo+(x+1)*inner]...)
		}
	}
	return shape, out
}
