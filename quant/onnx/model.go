package onnx

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// The messages of onnx.proto as far as an importer reads them; the numbers in
// the decoders are the field numbers there. Subgraphs, functions and training
// information are passed over, so decoding never nests deeper than the literal
// chain model, graph, node, attribute, tensor.
type (
	modelProto struct {
		producer string
		opset    int64 // of the standard operators; 0 when not declared
		graph    *graphProto
	}

	graphProto struct {
		name         string
		nodes        []nodeProto
		initializers []tensorProto
		inputs       []valueInfo
		outputs      []valueInfo
		sparse       bool // has sparse initializers
	}

	nodeProto struct {
		name, operator, domain string
		inputs, outputs        []string
		attributes             []attributeProto
	}

	valueInfo struct {
		name     string
		elemType int64 // code of TensorProto.DataType; 0 when it is no tensor
		hasShape bool
		dims     []dimension
	}

	// dimension is a number, a name, or neither when it is unknown.
	dimension struct {
		known bool
		size  int64
		name  string
	}
)

func decodeModel(b []byte) (*modelProto, error) {
	m := &modelProto{}
	err := fields(b, func(f field) error {
		switch f.number {
		case 2:
			return f.text(&m.producer)
		case 7:
			m.graph = &graphProto{}
			return f.message(m.graph.decode)
		case 8:
			return f.message(m.decodeOpset)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if m.graph == nil {
		return nil, fmt.Errorf("%w: no graph in it", ErrFormat)
	}
	return m, nil
}

func (m *modelProto) decodeOpset(b []byte) error {
	var domain string
	var version int64
	err := fields(b, func(f field) error {
		switch f.number {
		case 1:
			return f.text(&domain)
		case 2:
			return f.integer(&version)
		}
		return nil
	})
	if standardDomain(domain) {
		m.opset = version
	}
	return err
}

// standardDomain reports whether name is one of the two names of the domain of
// ONNX's own operators.
func standardDomain(name string) bool { return name == "" || name == "ai.onnx" }

func (g *graphProto) decode(b []byte) error {
	return fields(b, func(f field) error {
		switch f.number {
		case 1:
			g.nodes = append(g.nodes, nodeProto{})
			return f.message(g.nodes[len(g.nodes)-1].decode)
		case 2:
			return f.text(&g.name)
		case 5:
			g.initializers = append(g.initializers, tensorProto{})
			return f.message(g.initializers[len(g.initializers)-1].decode)
		case 11:
			g.inputs = append(g.inputs, valueInfo{})
			return f.message(g.inputs[len(g.inputs)-1].decode)
		case 12:
			g.outputs = append(g.outputs, valueInfo{})
			return f.message(g.outputs[len(g.outputs)-1].decode)
		case 15:
			g.sparse = true
		}
		return nil
	})
}

func (n *nodeProto) decode(b []byte) error {
	return fields(b, func(f field) error {
		switch f.number {
		case 1:
			return f.texts(&n.inputs)
		case 2:
			return f.texts(&n.outputs)
		case 3:
			return f.text(&n.name)
		case 4:
			return f.text(&n.operator)
		case 5:
			n.attributes = append(n.attributes, attributeProto{})
			return f.message(n.attributes[len(n.attributes)-1].decode)
		case 7:
			return f.text(&n.domain)
		}
		return nil
	})
}

// label names a node in an error: by its name or, as names are optional, by
// its first output.
func (n *nodeProto) label() string {
	if n.name == "" && len(n.outputs) > 0 {
		return fmt.Sprintf("of %q", n.outputs[0])
	}
	return fmt.Sprintf("%q", n.name)
}

func (v *valueInfo) decode(b []byte) error {
	tensorType := func(b []byte) error {
		return fields(b, func(f field) error {
			switch f.number {
			case 1:
				return f.integer(&v.elemType)
			case 2:
				v.hasShape = true
				return f.message(v.decodeShape)
			}
			return nil
		})
	}
	return fields(b, func(f field) error {
		switch f.number {
		case 1:
			return f.text(&v.name)
		case 2: // TypeProto, whose field 1 is the tensor type
			return f.message(func(b []byte) error {
				return fields(b, func(f field) error {
					if f.number == 1 {
						return f.message(tensorType)
					}
					return nil
				})
			})
		}
		return nil
	})
}

func (v *valueInfo) decodeShape(b []byte) error {
	return fields(b, func(f field) error {
		if f.number != 1 {
			return nil
		}
		d := dimension{}
		if err := f.is(protowire.BytesType); err != nil {
			return err
		}
		err := fields(f.bytes, func(f field) error {
			switch f.number {
			case 1:
				d.known = true
				return f.integer(&d.size)
			case 2:
				return f.text(&d.name)
			}
			return nil
		})
		v.dims = append(v.dims, d)
		return err
	})
}
