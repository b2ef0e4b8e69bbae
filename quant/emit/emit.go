// Package emit writes a graph as a .tflite file: the flatbuffer of the TFLite
// schema, version 3, that TFLite, LiteRT, TensorFlow Lite Micro, Netron and
// package runtime read.
//
// Call Model. Float and int8 graphs are written alike. The same graph gives
// the same bytes. Constant data lies at multiples of 16 bytes from the start of
// the file, so that a mapped file can be computed on in place. Calls may run
// concurrently.
package emit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// ErrUnsupported: the graph holds something that the writer has no form for.
var ErrUnsupported = errors.New("emit: unsupported")

// schemaVersion and identifier are what every reader checks first.
const (
	schemaVersion = 3
	identifier    = "TFL3"
	dataAlign     = 16 // force_align of Buffer.data in the schema
	maxFile       = math.MaxInt32
)

// Model writes g, which must have passed Infer.
// Errors match ErrUnsupported or graph.ErrInvalid.
func Model(g *graph.Graph) ([]byte, error) {
	total := 0
	for i := range g.Tensors {
		n, ok := g.Tensors[i].Shape.Bytes(g.Tensors[i].Type)
		if !ok {
			return nil, fmt.Errorf("%w: tensor %d %q is %v %v", ErrUnsupported, i, g.Tensors[i].Name, g.Tensors[i].Type, g.Tensors[i].Shape)
		}
		// Offsets have 32 bits; half is left for everything that is not data.
		if !g.Tensors[i].IsConstant() {
			continue
		}
		if n > maxFile/2-total {
			return nil, fmt.Errorf("%w: constants of more than %d bytes", ErrUnsupported, maxFile/2)
		}
		total += n
	}
	w := &writer{b: newBuilder(), g: g}
	return w.model()
}

// writer holds one file under construction.
type writer struct {
	b       *builder
	g       *graph.Graph
	codes   []operatorCode
	buffers []ref
}

// Field numbers below are positions in the schema's tables, counted from 0.

func (w *writer) model() ([]byte, error) {
	operators, err := w.operators()
	if err != nil {
		return nil, err
	}
	w.buffers = []ref{w.buffer(nil)} // number 0 is the empty one by convention
	tensors := make([]ref, len(w.g.Tensors))
	for i := range w.g.Tensors {
		tensors[i] = w.tensor(&w.g.Tensors[i])
	}
	subgraph := w.subgraph(w.b.tables(tensors), w.b.tables(operators))
	codes := make([]ref, len(w.codes))
	for i, c := range w.codes {
		codes[i] = w.operatorCode(c)
	}
	b := w.b
	codeVector, buffers := b.tables(codes), b.tables(w.buffers)
	subgraphs := b.tables([]ref{subgraph})
	description := b.text(w.g.Description)
	b.table()
	b.setU32(0, schemaVersion)
	b.setRef(1, codeVector)
	b.setRef(2, subgraphs)
	b.setRef(3, description)
	b.setRef(4, buffers)
	return b.finish(b.end(), identifier), nil
}

func (w *writer) subgraph(tensors, operators ref) ref {
	b := w.b
	inputs, outputs, name := b.int32s(indices(w.g.Inputs)), b.int32s(indices(w.g.Outputs)), b.text(w.g.Name)
	b.table()
	b.setRef(0, tensors)
	b.setRef(1, inputs)
	b.setRef(2, outputs)
	b.setRef(3, operators)
	b.setRef(4, name)
	return b.end()
}

func (w *writer) tensor(t *graph.Tensor) ref {
	b := w.b
	buffer := 0
	if t.IsConstant() {
		buffer = len(w.buffers)
		w.buffers = append(w.buffers, w.buffer(constant(t)))
	}
	shape := make([]int32, len(t.Shape))
	for i, d := range t.Shape {
		shape[i] = int32(d)
	}
	dims, name, quant := b.int32s(shape), b.text(t.Name), w.quantization(t.Quant)
	b.table()
	b.setRef(0, dims)
	b.setU32(2, uint32(buffer))
	b.setRef(3, name)
	b.setRef(4, quant)
	b.setByte(1, byte(t.Type))
	return b.end()
}

// quantization returns no reference for a tensor that is not quantized.
func (w *writer) quantization(q tensor.Quant) ref {
	if len(q.Scales) == 0 {
		return 0
	}
	b := w.b
	zeros := make([]int64, len(q.ZeroPoints))
	for i, z := range q.ZeroPoints {
		zeros[i] = int64(z)
	}
	scales, zeroPoints := b.floats(q.Scales), b.int64s(zeros)
	b.table()
	b.setRef(2, scales)
	b.setRef(3, zeroPoints)
	b.setU32(6, uint32(q.Dim))
	return b.end()
}

// buffer writes a table of data; nil gives the empty one.
func (w *writer) buffer(data []byte) ref {
	var v ref
	if data != nil {
		v = w.b.bytes(data, dataAlign)
	}
	w.b.table()
	w.b.setRef(0, v)
	return w.b.end()
}

// constant gives a tensor's data as the file stores it, little-endian.
func constant(t *graph.Tensor) []byte {
	p := make([]byte, 0, len(t.Int8)+4*(len(t.Int32)+len(t.Float)))
	for _, v := range t.Int8 {
		p = append(p, byte(v))
	}
	for _, v := range t.Int32 {
		p = binary.LittleEndian.AppendUint32(p, uint32(v))
	}
	for _, v := range t.Float {
		p = binary.LittleEndian.AppendUint32(p, math.Float32bits(v))
	}
	return p
}

func indices(ids []graph.TensorID) []int32 {
	out := make([]int32, len(ids))
	for i, id := range ids {
		out[i] = int32(id)
	}
	return out
}

// operatorCode is a row of the file's table of operators in use.
type operatorCode struct {
	code    tflite.Code
	version int
}
