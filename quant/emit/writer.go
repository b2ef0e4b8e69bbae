package emit

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// schemaVersion and identifier are what every reader checks first.
const (
	schemaVersion = 3
	identifier    = "TFL3"
	dataAlign     = 16 // force_align of Buffer.data in the schema
)

// writer holds one file under construction.
type writer struct {
	b           *builder
	g           *graph.Graph
	description string
	tensors     []graph.Tensor    // the graph's, then those that only the file has
	encodings   map[int]*encoding // of compressed constants, by tensor
	densify     []graph.Node      // operators that expand some of them
	codes       []operatorCode    // in order of first use
	buffers     []ref             //
	quants      map[string]ref    // written quantization parameters by content
	metadata    []ref             // entries of the model's list
}

func newWriter(g *graph.Graph) *writer {
	return &writer{
		b: newBuilder(), g: g, description: g.Description,
		tensors:   slices.Clone(g.Tensors),
		encodings: make(map[int]*encoding),
		quants:    make(map[string]ref),
	}
}

// Field numbers below are positions in the schema's tables, counted from 0.

// model writes the root. There are no SignatureDefs: they give inputs and outputs
// names of their own, and ours have those of their tensors.
func (w *writer) model(metadata []byte) ([]byte, error) {
	operators, err := w.operators()
	if err != nil {
		return nil, err
	}
	w.buffers = []ref{w.buffer(nil)} // number 0 is the empty one by convention
	tensors := make([]ref, len(w.tensors))
	for i := range w.tensors {
		tensors[i] = w.tensor(i)
	}
	subgraph := w.subgraph(w.b.tables(tensors), w.b.tables(operators))
	codes := make([]ref, len(w.codes))
	for i, c := range w.codes {
		codes[i] = w.operatorCode(c)
	}
	w.entry("min_runtime_version", minRuntime(w.codes))
	if metadata != nil {
		w.entry("TFLITE_METADATA", metadata)
	}
	b := w.b
	codeVector, buffers, entries := b.tables(codes), b.tables(w.buffers), b.tables(w.metadata)
	subgraphs := b.tables([]ref{subgraph})
	description := b.text(w.description)
	b.table()
	b.setU32(0, schemaVersion)
	b.setRef(1, codeVector)
	b.setRef(2, subgraphs)
	b.setRef(3, description)
	b.setRef(4, buffers)
	b.setRef(6, entries)
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

// entry adds data under a name to the model's metadata.
func (w *writer) entry(name string, data []byte) {
	number := len(w.buffers)
	w.buffers = append(w.buffers, w.buffer(data))
	text := w.b.text(name)
	w.b.table()
	w.b.setRef(0, text)
	w.b.setU32(1, uint32(number))
	w.metadata = append(w.metadata, w.b.end())
}

func (w *writer) tensor(i int) ref {
	b, t := w.b, &w.tensors[i]
	buffer := 0
	var sparsity ref
	if t.IsConstant() {
		data := constant(t)
		if e := w.encodings[i]; e != nil {
			data, sparsity = e.pick(data, t.Type), e.write(b)
		}
		buffer = len(w.buffers)
		w.buffers = append(w.buffers, w.buffer(data))
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
	b.setRef(6, sparsity)
	b.setByte(1, byte(t.Type))
	return b.end()
}

// quantization returns no reference for a tensor that is not quantized. Tensors
// with equal parameters, as pooling and reshaping leave many, share a table.
func (w *writer) quantization(q tensor.Quant) ref {
	if len(q.Scales) == 0 {
		return 0
	}
	key := fmt.Sprint(q.Dim, q.ZeroPoints, len(q.Scales))
	for _, s := range q.Scales {
		key += fmt.Sprintf(" %08x", math.Float32bits(s))
	}
	if r, known := w.quants[key]; known {
		return r
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
	r := b.end()
	w.quants[key] = r
	return r
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

// constantBytes is the length of what constant gives.
func constantBytes(t *graph.Tensor) int {
	return len(t.Int8) + len(t.Uint8) + 2*len(t.Int16) + 4*(len(t.Int32)+len(t.Float)) + 8*len(t.Int64)
}

// constant gives a tensor's data as the file stores it, little-endian.
func constant(t *graph.Tensor) []byte {
	p := make([]byte, 0, constantBytes(t))
	for _, v := range t.Int8 {
		p = append(p, byte(v))
	}
	p = append(p, t.Uint8...)
	for _, v := range t.Int16 {
		p = binary.LittleEndian.AppendUint16(p, uint16(v))
	}
	for _, v := range t.Int32 {
		p = binary.LittleEndian.AppendUint32(p, uint32(v))
	}
	for _, v := range t.Int64 {
		p = binary.LittleEndian.AppendUint64(p, uint64(v))
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
