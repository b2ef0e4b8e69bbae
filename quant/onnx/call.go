package onnx

import (
	"fmt"
	"slices"
	"strings"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// call is the import of one node. It keeps the first error, after which its
// methods do nothing, and builders return what they have (fail does it for
// them): as with a bufio.Writer only the end has to ask.
type call struct {
	im   *importer
	row  operator
	node *nodeProto
	in   []*value // nil for an input that is left out
	err  error
}

// operator imports n with operands that are all known.
func (im *importer) operator(n *nodeProto, in []*value) ([]*value, error) {
	row, err := im.lookup(n)
	if err != nil {
		return nil, err
	}
	if len(in) < row.inputs || slices.Contains(in[:row.inputs], nil) {
		return nil, fmt.Errorf("%w: needs %d inputs", ErrFormat, row.inputs)
	}
	if row.folds && im.fold == nil && allConstant(in) {
		return im.compute(row, n, in)
	}
	return im.build(row, n, in)
}

func (im *importer) build(row operator, n *nodeProto, in []*value) ([]*value, error) {
	c := &call{im: im, row: row, node: n, in: in}
	out := row.build(c)
	if c.err != nil {
		return nil, c.err
	}
	for i, v := range out {
		if err := checkRank(v.Shape); err != nil {
			return nil, err
		}
		if v.id != graph.None && i < len(n.outputs) && !slices.ContainsFunc(in, func(w *value) bool { return w != nil && w.id == v.id }) {
			im.g.Tensor(v.id).Name = n.outputs[i]
		}
	}
	return out, nil
}

func allConstant(in []*value) bool {
	return len(in) > 0 && !slices.ContainsFunc(in, func(v *value) bool { return v != nil && !v.isConstant() })
}

// lookup finds the row of a node's operator and checks that its attributes are
// those that the row knows: another one may change the meaning.
func (im *importer) lookup(n *nodeProto) (operator, error) {
	row, ok := operators[n.operator]
	if !ok || !standardDomain(n.domain) {
		return row, fmt.Errorf("%w: no such operator here", graph.ErrUnsupported)
	}
	if im.opset < row.since {
		return row, fmt.Errorf("%w: as it was before opset %d: export the model again with opset 17", graph.ErrUnsupported, row.since)
	}
	known := strings.Fields(row.attributes)
	for i := range n.attributes {
		if name := n.attributes[i].name; !slices.Contains(known, name) {
			return row, fmt.Errorf("%w: attribute %q", graph.ErrUnsupported, name)
		}
	}
	return row, nil
}

// reason is an unsupported node's error without the sentinel's text.
func reason(err error) string {
	return strings.TrimPrefix(err.Error(), graph.ErrUnsupported.Error()+": ")
}

// fail keeps the first error.
func (c *call) fail(err error) []*value {
	if c.err == nil {
		c.err = err
	}
	return nil
}

func (c *call) unsupported(format string, args ...any) []*value {
	return c.fail(fmt.Errorf("%w: %s", graph.ErrUnsupported, fmt.Sprintf(format, args...)))
}

func (c *call) invalid(format string, args ...any) []*value {
	return c.fail(fmt.Errorf("%w: %s", ErrFormat, fmt.Sprintf(format, args...)))
}

// has reports whether input i is given.
func (c *call) has(i int) bool { return i < len(c.in) && c.in[i] != nil }

// shape is the shape of input i, which must be given.
func (c *call) shape(i int) tensor.Shape { return c.in[i].Shape }

// tensor is input i, which must be given and real, as a tensor of the graph.
func (c *call) tensor(i int) graph.TensorID {
	v := c.in[i]
	switch {
	case c.err != nil:
		return graph.None
	case v.id != graph.None && !v.isReal() && !c.row.moves:
		c.unsupported("input %d holds the integers of a QuantizeLinear; want DequantizeLinear before it", i)
		return graph.None
	case v.id != graph.None:
		return v.id
	}
	id, err := c.im.constantTensor(v)
	if err != nil {
		c.fail(err)
		return graph.None
	}
	return id
}

// constantTensor puts a constant into the graph, once.
func (im *importer) constantTensor(v *value) (graph.TensorID, error) {
	if id, ok := im.ids[v]; ok {
		return id, nil
	}
	if v.length() == 0 {
		return graph.None, fmt.Errorf("%w: an operand of shape %v without elements", graph.ErrUnsupported, v.Shape)
	}
	if im.fold != nil {
		id, err := im.feed(v)
		im.ids[v] = id
		return id, err
	}
	if !v.isReal() {
		return graph.None, fmt.Errorf("%w: an operand of %v; only real numbers can be computed with", graph.ErrUnsupported, v.Type)
	}
	id, err := im.addConstant(v.Shape, v.Float)
	im.ids[v] = id
	return id, err
}

// addConstant puts values into the graph, which keeps the slice.
func (im *importer) addConstant(shape tensor.Shape, values []float32) (graph.TensorID, error) {
	if err := im.spent.spend(len(values) + tensorCost); err != nil {
		return graph.None, err
	}
	return im.g.AddTensor(graph.Tensor{Shape: slices.Clone(shape), Type: tensor.Float32, Float: values}), nil
}

// constant is addConstant for a builder.
func (c *call) constant(shape tensor.Shape, values ...float32) graph.TensorID {
	if c.err != nil {
		return graph.None
	}
	id, err := c.im.addConstant(shape, values)
	if err != nil {
		c.fail(err)
	}
	return id
}

// scalar is a constant that combines with every shape.
func (c *call) scalar(v float32) graph.TensorID { return c.constant(tensor.Shape{}, v) }

// emit adds a node with one output.
func (c *call) emit(op graph.Op, inputs ...graph.TensorID) graph.TensorID {
	return c.emitMany(op, 1, inputs...)[0]
}

// emitMany adds a node with count outputs; they are graph.None after an error.
func (c *call) emitMany(op graph.Op, count int, inputs ...graph.TensorID) []graph.TensorID {
	if c.err == nil {
		name := strings.ToLower(op.Name())
		if len(c.node.outputs) > 0 {
			name = c.node.outputs[0] + "/" + name
		}
		out, err := c.im.add(name, op, count, inputs...)
		if err == nil {
			return out
		}
		c.fail(err)
	}
	return slices.Repeat([]graph.TensorID{graph.None}, count)
}

// shapeOf is the shape of a tensor of the graph, nil after an error.
func (c *call) shapeOf(id graph.TensorID) tensor.Shape {
	if id == graph.None {
		return nil
	}
	return c.im.g.Tensor(id).Shape
}

// result makes the node's values of tensors.
func (c *call) result(ids ...graph.TensorID) []*value {
	if c.err != nil {
		return nil
	}
	out := make([]*value, len(ids))
	for i, id := range ids {
		t := c.im.g.Tensor(id)
		out[i] = &value{Tensor: Tensor{Shape: t.Shape, Type: t.Type}, id: id}
	}
	return out
}

// add appends a node to the graph and infers its outputs' shapes.
func (im *importer) add(name string, op graph.Op, count int, inputs ...graph.TensorID) ([]graph.TensorID, error) {
	if err := im.spent.spend(tensorCost*(1+count) + len(name)/4); err != nil {
		return nil, err
	}
	kind := im.g.Tensor(inputs[0]).Type
	switch op := op.(type) {
	case graph.Quantize:
		kind = op.To
	case graph.Dequantize:
		kind = tensor.Float32
	}
	shapes, err := im.infer(op, kind, count, inputs)
	if err != nil {
		return nil, err
	}
	out := make([]graph.TensorID, count)
	for i := range out {
		out[i] = im.g.AddTensor(graph.Tensor{Name: name, Shape: shapes[i], Type: kind})
	}
	im.g.AddNode(op, slices.Clone(inputs), slices.Clone(out))
	return out, nil
}

// infer asks package graph for the shapes of op's outputs, by a graph of this
// one node: a builder needs them at once, the graph is inferred when complete.
func (im *importer) infer(op graph.Op, kind tensor.Type, count int, inputs []graph.TensorID) ([]tensor.Shape, error) {
	probe := graph.Graph{}
	probe.Inputs = []graph.TensorID{probe.AddTensor(graph.Tensor{Shape: tensor.Shape{1}, Type: tensor.Float32})}
	known := map[graph.TensorID]graph.TensorID{}
	operands := make([]graph.TensorID, len(inputs))
	for i, id := range inputs {
		if _, ok := known[id]; !ok {
			if err := im.spent.labor(int64(len(im.g.Tensor(id).Float))); err != nil {
				return nil, err
			}
			known[id] = probe.AddTensor(*im.g.Tensor(id))
			if !im.g.Tensor(id).IsConstant() {
				probe.Inputs = append(probe.Inputs, known[id])
			}
		}
		operands[i] = known[id]
	}
	for range count {
		probe.Outputs = append(probe.Outputs, probe.AddTensor(graph.Tensor{Type: kind}))
	}
	probe.AddNode(op, operands, probe.Outputs)
	if err := probe.Infer(); err != nil {
		return nil, err
	}
	shapes := make([]tensor.Shape, count)
	for i, id := range probe.Outputs {
		shapes[i] = probe.Tensor(id).Shape
	}
	return shapes, nil
}
