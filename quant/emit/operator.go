package emit

import (
	"fmt"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// deprecatedMax is the last operator number that the old one-byte field can
// say; it also announces "look in the new field" (schema version 3a).
const deprecatedMax = 127

// node is an operator of the graph while it is written.
type node struct {
	*graph.Node
	w *writer
}

// in is operand i, nil when it is absent.
func (n *node) in(i int) *graph.Tensor {
	if i >= len(n.Inputs) || n.Inputs[i] == graph.None {
		return nil
	}
	return &n.w.tensors[n.Inputs[i]]
}

func (n *node) out(i int) *graph.Tensor { return &n.w.tensors[n.Outputs[i]] }

// of reports whether operand i is there and of type t.
func (n *node) of(i int, t tensor.Type) bool {
	x := n.in(i)
	return x != nil && x.Type == t
}

// rank is that of the operand with most dimensions.
func (n *node) rank() int {
	most := 0
	for i := range n.Inputs {
		if x := n.in(i); x != nil {
			most = max(most, len(x.Shape))
		}
	}
	return most
}

// operators writes all operators, those that expand weights first.
func (w *writer) operators() ([]ref, error) {
	var refs []ref
	for i := range w.densify {
		f := formOf(densifyName)
		refs = append(refs, w.operator(&w.densify[i], w.densify[i].Inputs, operatorCode{f.code, 1}, f.kind, w.b.empty()))
	}
	for i := range w.g.Nodes {
		r, err := w.node(&node{&w.g.Nodes[i], w})
		if err != nil {
			return nil, fmt.Errorf("node %d %s: %w", i, w.g.Nodes[i].Op.Name(), err)
		}
		refs = append(refs, r)
	}
	return refs, nil
}

func (w *writer) node(n *node) (ref, error) {
	f := formOf(n.Op.Name())
	if f == nil {
		return 0, fmt.Errorf("%w: operator", ErrUnsupported)
	}
	version := f.version(n)
	if version == 0 {
		return 0, n.noForm()
	}
	inputs := n.Inputs
	if f.operands != nil {
		inputs = f.operands(n)
	}
	var options ref
	if f.options != nil {
		var err error
		if options, err = f.options(w.b, n); err != nil {
			return 0, err
		}
	} else if f.kind != 0 {
		options = w.b.empty()
	}
	return w.operator(n.Node, inputs, operatorCode{f.code, version}, f.kind, options), nil
}

func (w *writer) operator(n *graph.Node, operands []graph.TensorID, code operatorCode, kind byte, options ref) ref {
	b := w.b
	inputs, outputs := b.int32s(indices(operands)), b.int32s(indices(n.Outputs))
	b.table()
	b.setU32(0, uint32(w.codeIndex(code)))
	b.setRef(1, inputs)
	b.setRef(2, outputs)
	b.setRef(4, options)
	b.setByte(3, kind)
	return b.end()
}

// codeIndex finds or adds a row; order of first use keeps the file
// deterministic.
func (w *writer) codeIndex(c operatorCode) int {
	for i, have := range w.codes {
		if have == c {
			return i
		}
	}
	w.codes = append(w.codes, c)
	return len(w.codes) - 1
}

func (w *writer) operatorCode(c operatorCode) ref {
	b := w.b
	b.table()
	b.setU32(2, uint32(c.version))
	b.setU32(3, uint32(c.code)) // builtin_code
	b.setByte(0, byte(min(c.code, deprecatedMax)))
	return b.end()
}

// noForm says why a node's types cannot be written.
func (n *node) noForm() error {
	switch t := n.in(0).Type; t {
	case tensor.Float32, tensor.Int8, tensor.Int16:
		if w := n.in(1); w != nil && w.Type != t {
			return fmt.Errorf("%w: TFLite's operator has no form for %v with %v", ErrUnsupported, t, w.Type)
		}
		return fmt.Errorf("%w: TFLite's operator has no form for %v, keep it in float32 between DEQUANTIZE and QUANTIZE", ErrUnsupported, t)
	default:
		return fmt.Errorf("%w: operand is %v, want float32, int8 or int16", ErrUnsupported, t)
	}
}
