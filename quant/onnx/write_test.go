package onnx

import (
	"encoding/binary"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"kedge/runtime/tensor"
)

// The functions here write the ONNX models of the tests: what decode reads.

type message []byte

func (m *message) text(field protowire.Number, s string) {
	*m = protowire.AppendTag(*m, field, protowire.BytesType)
	*m = protowire.AppendString(*m, s)
}

func (m *message) number(field protowire.Number, v int64) {
	*m = protowire.AppendTag(*m, field, protowire.VarintType)
	*m = protowire.AppendVarint(*m, uint64(v))
}

func (m *message) embed(field protowire.Number, inner message) {
	*m = protowire.AppendTag(*m, field, protowire.BytesType)
	*m = protowire.AppendBytes(*m, inner)
}

// testModel is a model of float inputs, initializers and nodes; outputs are
// named, their types left out.
type testModel struct {
	opset        int64
	inputs       []testInput
	initializers []testTensor
	nodes        []testNode
	outputs      []string
}

// testInput has −1 for a dimension with a name, −2 for one without anything.
type testInput struct {
	name string
	dims []int
}

type testTensor struct {
	name string
	Tensor
}

type testNode struct {
	operator        string
	inputs, outputs []string
	attributes      []message
}

func (m testModel) encode() []byte {
	var g message
	for _, n := range m.nodes {
		g.embed(1, n.encode())
	}
	g.text(2, "test")
	for _, t := range m.initializers {
		g.embed(5, t.encode())
	}
	for _, in := range m.inputs {
		g.embed(11, in.encode())
	}
	for _, name := range m.outputs {
		var o message
		o.text(1, name)
		g.embed(12, o)
	}
	var opset, out message
	opset.text(1, "")
	opset.number(2, m.opset)
	out.number(1, 8)
	out.text(2, "tests")
	out.embed(7, g)
	out.embed(8, opset)
	return out
}

func (n testNode) encode() message {
	var m message
	for _, s := range n.inputs {
		m.text(1, s)
	}
	for _, s := range n.outputs {
		m.text(2, s)
	}
	m.text(4, n.operator)
	for _, a := range n.attributes {
		m.embed(5, a)
	}
	return m
}

func (in testInput) encode() message {
	var shape, kind, typ, m message
	for _, d := range in.dims {
		var dim message
		if d >= 0 {
			dim.number(1, int64(d))
		} else if d == -1 {
			dim.text(2, "N")
		}
		shape.embed(1, dim)
	}
	kind.number(1, 1)
	kind.embed(2, shape)
	typ.embed(1, kind)
	m.text(1, in.name)
	m.embed(2, typ)
	return m
}

// encode writes reals as raw float32, integers as raw int64.
func (t testTensor) encode() message {
	var m message
	for _, d := range t.Shape {
		m.number(1, int64(d))
	}
	var raw []byte
	if t.isReal() {
		m.number(2, 1)
		for _, v := range t.Float {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
		}
	} else {
		m.number(2, 7)
		for _, v := range t.Int {
			raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
		}
	}
	m.text(8, t.name)
	m.embed(9, raw)
	return m
}

func intAttribute(name string, v int) message {
	var m message
	m.text(1, name)
	m.number(3, int64(v))
	m.number(20, attributeInt)
	return m
}

func intsAttribute(name string, list ...int) message {
	var m message
	m.text(1, name)
	for _, v := range list {
		m.number(8, int64(v))
	}
	m.number(20, attributeInts)
	return m
}

func textAttribute(name, s string) message {
	var m message
	m.text(1, name)
	m.text(4, s)
	m.number(20, attributeString)
	return m
}

// reals is a constant of values that differ and have no pattern to hide in.
func reals(name string, shape ...int) testTensor {
	n, _ := tensor.Shape(shape).Elements()
	t := testTensor{name, Tensor{Shape: shape, Type: tensor.Float32, Float: make([]float32, n)}}
	x := uint32(len(name) + 7)
	for i := range t.Float {
		x = x*1664525 + 1013904223
		t.Float[i] = float32(int32(x)>>16) / 32768
	}
	return t
}

func integers(name string, list ...int64) testTensor {
	return testTensor{name, Tensor{Shape: tensor.Shape{len(list)}, Type: tensor.Int64, Int: slices.Clone(list)}}
}
