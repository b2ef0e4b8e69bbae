package ptq

import (
	"fmt"
	"slices"
	"strings"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// layOut decides every node's type and puts conversions where types meet.
func (c *converter) layOut() error {
	types, err := c.chooseTypes()
	if err != nil {
		return err
	}
	c.origin = make([]graph.TensorID, len(c.src.Tensors))
	for i := range c.origin {
		c.origin[i] = graph.TensorID(i)
	}
	c.taken, c.casts = make([]bool, len(c.src.Tensors)), make(map[cast]graph.TensorID)
	border := c.options.Activations
	for _, id := range c.src.Inputs {
		c.dst.Tensor(id).Type = border
		if c.options.FloatInput {
			c.dst.Tensor(id).Type = tensor.Float32
		}
	}
	c.dst.Nodes = nil
	for i := range c.src.Nodes {
		c.place(&c.src.Nodes[i], types[i])
	}
	if c.options.FloatOutput {
		border = tensor.Float32
	}
	for i, id := range c.dst.Outputs {
		c.dst.Outputs[i] = c.as(id, border)
	}
	return nil
}

// chooseTypes gives every node of src the type that it was asked to have, or
// float32 where the runtime has it in that alone.
func (c *converter) chooseTypes() ([]tensor.Type, error) {
	types := make([]tensor.Type, len(c.src.Nodes))
	var missing []string
	for i := range c.src.Nodes {
		op := c.src.Nodes[i].Op
		if why := refusal(op); why != "" {
			missing = append(missing, fmt.Sprintf("node %d %s: %s", i, op.Name(), why))
			continue
		}
		types[i] = c.options.Activations
		if to, ok := c.options.Types[i]; ok {
			if to != tensor.Float32 && to != tensor.Int8 && to != tensor.Int16 {
				return nil, fmt.Errorf("%w: node %d as %v, want float32, int8 or int16", ErrOptions, i, to)
			}
			types[i] = to
		}
		if !table[op.Name()].has(types[i]) {
			types[i] = tensor.Float32
		}
	}
	for i := range c.options.Types {
		if i < 0 || i >= len(types) {
			return nil, fmt.Errorf("%w: node %d of %d", ErrOptions, i, len(types))
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%w: %s", ErrUnsupported, strings.Join(missing, "; "))
	}
	return types, nil
}

// place appends node n of src to dst, computed in that type.
func (c *converter) place(n *graph.Node, to tensor.Type) {
	placed := graph.Node{Op: n.Op, Inputs: slices.Clone(n.Inputs), Outputs: slices.Clone(n.Outputs)}
	for i, id := range n.Inputs {
		switch {
		case id == graph.None:
		case !c.src.Tensor(id).IsConstant():
			placed.Inputs[i] = c.as(id, to)
		case to == tensor.Float32:
			placed.Inputs[i] = c.own(id)
		case isData(n.Op, i):
			placed.Inputs[i] = c.own(id)
			kind := to
			if _, ok := n.Op.(graph.PReLU); ok {
				kind = tensor.Int8 // alpha, beside int16 activations too
			}
			c.dst.Tensor(placed.Inputs[i]).Type = kind
			c.data = append(c.data, dataConstant{placed.Inputs[i], kind})
		default:
			placed.Inputs[i] = c.own(id)
		}
	}
	for _, id := range n.Outputs {
		c.dst.Tensor(id).Type = to
	}
	c.dst.Nodes = append(c.dst.Nodes, placed)
	c.types = append(c.types, to)
}

// isData reports whether constant operand i of op is quantized as an activation
// would be, by its own range, and not as a filter or a bias.
func isData(op graph.Op, i int) bool {
	switch op.(type) {
	case graph.Conv2D, graph.DepthwiseConv2D, graph.TransposeConv, graph.FullyConnected:
		return i == 0
	}
	return true
}

// own gives a constant to a node: itself to the first that asks, a copy to
// further ones, because each use has parameters of its own.
func (c *converter) own(id graph.TensorID) graph.TensorID {
	if !c.taken[id] {
		c.taken[id] = true
		return id
	}
	return c.add(*c.src.Tensor(id), id)
}

// add appends a tensor of dst that holds what tensor from of src does.
func (c *converter) add(t graph.Tensor, from graph.TensorID) graph.TensorID {
	t.Shape = slices.Clone(t.Shape)
	c.origin = append(c.origin, from)
	return c.dst.AddTensor(t)
}

// as gives an activation in the type asked for, converted at most once.
func (c *converter) as(id graph.TensorID, to tensor.Type) graph.TensorID {
	t := c.dst.Tensor(id)
	if t.Type == to {
		return id
	}
	if have, ok := c.casts[cast{id, to}]; ok {
		return have
	}
	out := c.add(graph.Tensor{Name: fmt.Sprintf("%s_%v", t.Name, to), Shape: t.Shape, Type: to}, c.origin[id])
	c.casts[cast{id, to}] = out
	c.convert(len(c.dst.Nodes), id, out)
	return out
}

// convert inserts the operator that turns tensor from into tensor to before node
// at; its parameters come later.
func (c *converter) convert(at int, from, to graph.TensorID) {
	var op graph.Op = graph.Quantize{To: c.dst.Tensor(to).Type}
	if c.dst.Tensor(to).Type == tensor.Float32 {
		op = graph.Dequantize{}
	}
	n := graph.Node{Op: op, Inputs: []graph.TensorID{from}, Outputs: []graph.TensorID{to}}
	c.dst.Nodes = slices.Insert(c.dst.Nodes, at, n)
	c.types = slices.Insert(c.types, at, tensor.Float32) // nothing of formOf applies
}
