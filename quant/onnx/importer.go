package onnx

import (
	"errors"
	"fmt"

	"kedge/quant/graph"
)

// newestOpset is the newest opset that was read for changes. What changed for
// the operators of this package up to it is either handled or comes with an
// attribute that is refused.
const newestOpset = 24

// value is what a name in the ONNX graph stands for: a constant (with data), an
// activation (with a tensor of the graph), or neither when its node failed.
type value struct {
	Tensor                // of an activation shape and type alone
	id     graph.TensorID // graph.None for a constant
	failed bool
	reason string // why it failed, when its node did not
}

func (v *value) isConstant() bool { return v.id == graph.None && !v.failed }

func constantValue(t *Tensor) *value { return &value{Tensor: *t, id: graph.None} }

// importer builds one graph.
type importer struct {
	model  *modelProto
	opset  int64
	g      *graph.Graph
	values map[string]*value
	inputs []Input
	spent  *budget

	ids         map[*value]graph.TensorID         // constants that are in the graph
	last        map[graph.TensorID]graph.TensorID // channels-last tensors by their channels-first transposes and the other way round
	fold        *fold                             // set while constants are computed
	unsupported []UnsupportedNode
}

// load reads the file as far as nodes: values then holds what is known of all
// names.
func load(file []byte, options Options) (*importer, error) {
	m, err := decodeModel(file)
	if err != nil {
		return nil, err
	}
	if m.opset < 1 || m.opset > newestOpset {
		return nil, fmt.Errorf("%w: opset %d, want 1 to %d: export the model again with opset 17", graph.ErrUnsupported, m.opset, newestOpset)
	}
	if m.graph.sparse {
		return nil, fmt.Errorf("%w: sparse initializers: export the model with dense ones", graph.ErrUnsupported)
	}
	im := newImporter(m, newBudget(len(file)))
	im.g.Name = m.graph.name
	if err := im.constants(options.Constants); err != nil {
		return nil, err
	}
	if err := im.graphInputs(); err != nil {
		return nil, err
	}
	for i := range m.graph.nodes {
		if err := im.node(&m.graph.nodes[i]); err != nil {
			return nil, err
		}
	}
	return im, nil
}

func newImporter(m *modelProto, spent *budget) *importer {
	return &importer{
		model: m, opset: m.opset, g: &graph.Graph{}, spent: spent,
		values: map[string]*value{}, ids: map[*value]graph.TensorID{}, last: map[graph.TensorID]graph.TensorID{},
	}
}

// constants defines the initializers and the inputs that the caller fixes.
func (im *importer) constants(fixed map[string]Tensor) error {
	for i := range im.model.graph.initializers {
		p := &im.model.graph.initializers[i]
		t, err := p.values()
		if err != nil {
			return err
		}
		if err := im.define(p.name, constantValue(t)); err != nil {
			return err
		}
	}
	found := 0
	for i := range im.model.graph.inputs {
		name := im.model.graph.inputs[i].name
		t, ok := fixed[name]
		if !ok {
			continue
		}
		found++
		if n, ok := t.Shape.Elements(); !ok || n != t.length() {
			return fmt.Errorf("%w: constant %q has %d values for shape %v", graph.ErrInvalid, name, t.length(), t.Shape)
		}
		im.values[name] = constantValue(&t)
	}
	if found < len(fixed) {
		return fmt.Errorf("%w: %d constants given, of which %d are graph inputs", graph.ErrInvalid, len(fixed), found)
	}
	return nil
}

// define gives a name its value; ONNX names are assigned once.
func (im *importer) define(name string, v *value) error {
	if name == "" {
		return nil
	}
	if _, ok := im.values[name]; ok {
		return fmt.Errorf("%w: value %q has two sources", ErrFormat, name)
	}
	im.values[name] = v
	return nil
}

// node imports one node and defines its outputs. Only errors that are not
// "unsupported" are returned; the others are collected.
func (im *importer) node(n *nodeProto) error {
	in, ok, err := im.operands(n)
	if err != nil {
		return err
	}
	var out []*value
	if ok {
		out, err = im.operator(n, in)
		if errors.Is(err, graph.ErrUnsupported) {
			im.refuse(n, err)
		} else if err != nil {
			return fmt.Errorf("node %s %s: %w", n.operator, n.label(), err)
		}
	} else if _, err := im.lookup(n); err != nil {
		im.refuse(n, err)
	}
	for i, name := range n.outputs {
		v := &value{failed: true}
		if i < len(out) {
			v = out[i]
		} else if len(out) > 0 {
			v.reason = fmt.Sprintf("output %d of %s %s", i, n.operator, n.label())
		}
		if err := im.define(name, v); err != nil {
			return fmt.Errorf("node %s %s: %w", n.operator, n.label(), err)
		}
	}
	return nil
}

// operands looks up a node's inputs, nil for those left out. ok is false when
// one of them could not be imported.
func (im *importer) operands(n *nodeProto) (in []*value, ok bool, err error) {
	in, ok = make([]*value, len(n.inputs)), true
	for i, name := range n.inputs {
		if name == "" {
			continue
		}
		v := im.values[name]
		if v == nil {
			return nil, false, fmt.Errorf("%w: node %s %s reads %q, which nothing before it defines", ErrFormat, n.operator, n.label(), name)
		}
		if v.reason != "" {
			im.refuse(n, fmt.Errorf("%w: it reads %s", graph.ErrUnsupported, v.reason))
		}
		in[i], ok = v, ok && !v.failed
	}
	return in, ok, nil
}

// refuse collects a node that cannot be imported.
func (im *importer) refuse(n *nodeProto, err error) {
	name := n.name
	if name == "" && len(n.outputs) > 0 {
		name = n.outputs[0]
	}
	operator := n.operator
	if !standardDomain(n.domain) {
		operator = n.domain + "." + operator
	}
	im.unsupported = append(im.unsupported, UnsupportedNode{Operator: operator, Node: name, Reason: reason(err)})
}

// finish makes the model of what was imported.
func (im *importer) finish() (*Model, error) {
	if len(im.unsupported) > 0 {
		return nil, &UnsupportedError{Nodes: im.unsupported}
	}
	m := &Model{Graph: im.g, Inputs: im.inputs, Producer: im.model.producer}
	for _, o := range im.model.graph.outputs {
		v := im.values[o.name]
		switch {
		case v == nil:
			return nil, fmt.Errorf("%w: graph output %q is never computed", ErrFormat, o.name)
		case v.failed:
			return nil, fmt.Errorf("%w: graph output %q is %s", graph.ErrUnsupported, o.name, v.reason)
		case v.isConstant():
			return nil, fmt.Errorf("%w: graph output %q does not depend on any input", graph.ErrUnsupported, o.name)
		}
		im.g.Outputs = append(im.g.Outputs, v.id)
		m.Outputs = append(m.Outputs, Output{Name: o.name, Shape: v.Shape})
	}
	im.g.Compact()
	if err := im.g.Infer(); err != nil {
		return nil, err
	}
	return m, nil
}
