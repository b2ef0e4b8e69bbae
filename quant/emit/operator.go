package emit

import (
	"fmt"
	"math"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// Members of the schema's union BuiltinOptions.
const (
	fullyConnectedOptions = 8
	softmaxOptions        = 9
)

// deprecatedMax is the last operator number that the old one-byte field can
// say; it also announces "look in the new field" (schema version 3a).
const deprecatedMax = 127

func (w *writer) operators() ([]ref, error) {
	refs := make([]ref, len(w.g.Nodes))
	for i := range w.g.Nodes {
		n := &w.g.Nodes[i]
		var (
			code    operatorCode
			kind    byte
			options ref
		)
		switch op := n.Op.(type) {
		case graph.FullyConnected:
			code = operatorCode{tflite.FullyConnected, fullyConnectedVersion(w.g, n)}
			kind, options = fullyConnectedOptions, w.fullyConnected(op)
		case graph.Softmax:
			code = operatorCode{tflite.Softmax, softmaxVersion(w.g, n)}
			kind, options = softmaxOptions, w.softmax(op)
		default:
			return nil, fmt.Errorf("%w: node %d %s", ErrUnsupported, i, op.Name())
		}
		refs[i] = w.operator(n, w.codeIndex(code), kind, options)
	}
	return refs, nil
}

func (w *writer) operator(n *graph.Node, code int, kind byte, options ref) ref {
	b := w.b
	inputs, outputs := b.int32s(indices(n.Inputs)), b.int32s(indices(n.Outputs))
	b.table()
	b.setU32(0, uint32(code))
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

func (w *writer) fullyConnected(op graph.FullyConnected) ref {
	w.b.table()
	w.b.setByte(0, byte(op.Activation))
	if op.KeepDims {
		w.b.setByte(2, 1) // keep_num_dims
	}
	return w.b.end()
}

func (w *writer) softmax(op graph.Softmax) ref {
	w.b.table()
	w.b.setU32(0, math.Float32bits(op.Beta))
	return w.b.end()
}

// fullyConnectedVersion is the first version of FULLY_CONNECTED whose readers
// do this node right: 1 float, 4 int8, 5 keeping dimensions, 6 without bias, 12 with a scale for each
// output channel. The version must not be lower than needed: an older
// interpreter would then use the first channel's scale for all and answer
// wrongly, where the higher number makes it refuse the file.
func fullyConnectedVersion(g *graph.Graph, n *graph.Node) int {
	w := g.Tensor(n.Inputs[1])
	switch {
	case w.Type == tensor.Int8 && w.Quant.PerChannel():
		return 12
	case len(n.Inputs) < 3 || n.Inputs[2] == graph.None:
		return 6
	case n.Op.(graph.FullyConnected).KeepDims:
		return 5
	case w.Type == tensor.Int8:
		return 4
	}
	return 1
}

// softmaxVersion is 1 for float, 2 for int8.
func softmaxVersion(g *graph.Graph, n *graph.Node) int {
	if g.Tensor(n.Inputs[0]).Type == tensor.Int8 {
		return 2
	}
	return 1
}
