package runtimetest

import (
	"encoding/binary"

	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// Builder describes a model; Bytes writes it as .tflite.
type Builder struct {
	// The main subgraph.

	Tensors         []Tensor
	Inputs, Outputs []int
	Ops             []Op
	// Repeat lists the last tensor that many times more, all pointing at the
	// same bytes, as a hostile file would.
	Repeat int
	// More are further subgraphs; what they hold in More is left out.
	More []*Builder
}

// Tensor is one tensor; with Data it is a constant.
type Tensor struct {
	Name     string
	Type     tensor.Type
	Shape    []int
	Scales   []float32
	Zeros    []int
	Dim      int
	Variable bool
	Data     []byte
	Sparsity *Sparsity // how Data is compressed, see Compress; nil for not at all
}

// Op is one operator. Options holds the fields of its options table in the
// schema's order: bool, byte, int (32 bits), float32, string or []int (32 bits
// each), nil for the default. A nil Options leaves the table out. Kind is the
// table's number in the schema's union BuiltinOptions; nothing here reads it.
type Op struct {
	Code            tflite.Code
	Custom          string
	Inputs, Outputs []int
	Kind            byte
	Options         []any
	CustomOptions   []byte // of a custom operator, see Flex
}

// Int8 is a tensor with one scale and zero point.
func Int8(name string, scale float32, zero int, shape ...int) Tensor {
	return Tensor{Name: name, Type: tensor.Int8, Shape: shape, Scales: []float32{scale}, Zeros: []int{zero}}
}

// Weights is a constant int8 tensor with zero point 0.
func Weights(name string, scale float32, shape []int, values ...int) Tensor {
	t := Int8(name, scale, 0, shape...)
	t.Data = Int8s(values...)
	return t
}

// Const32 is a constant of int32 without quantization.
func Const32(name string, shape []int, values ...int) Tensor {
	return Tensor{Name: name, Type: tensor.Int32, Shape: shape, Data: Int32s(values...)}
}

// Bytes writes the file.
func (b *Builder) Bytes() []byte {
	w := &writer{buf: []byte("\x00\x00\x00\x00TFL3")}
	graphs := append([]*Builder{b}, b.More...)
	var ops []Op
	var tensors []Tensor
	firstOp, firstTensor := make([]int, len(graphs)), make([]int, len(graphs))
	for i, g := range graphs {
		firstOp[i], firstTensor[i] = len(ops), len(tensors)
		ops, tensors = append(ops, g.Ops...), append(tensors, g.Tensors...)
	}
	root, at := w.table(3, ref{}, ref{}, nil, ref{})
	w.point(0, root)
	w.list(at[1], len(ops), func(i int) int { return w.code(&ops[i]) })
	w.list(at[2], len(graphs), func(i int) int { return graphs[i].subgraph(w, firstOp[i], firstTensor[i]) })
	// Buffer 0 is empty by convention; tensor i's constant is buffer i+1.
	w.list(at[4], len(tensors)+1, func(i int) int {
		if i == 0 || tensors[i-1].Data == nil {
			pos, _ := w.table()
			return pos
		}
		pos, at := w.table(ref{})
		w.bytes(at[0], tensors[i-1].Data)
		return pos
	})
	return w.buf
}

// list writes a vector of n tables at the field at.
func (w *writer) list(at, n int, element func(i int) int) {
	w.vector(at, n, 4, make([]byte, 4*n))
	first := len(w.buf) - 4*n
	for i := range n {
		w.point(first+4*i, element(i))
	}
}

func (w *writer) code(o *Op) int {
	var custom any
	if o.Custom != "" {
		custom = ref{}
	}
	pos, at := w.table(byte(min(o.Code, 127)), custom, 1, int(o.Code))
	if o.Custom != "" {
		w.text(at[1], o.Custom)
	}
	return pos
}

func (b *Builder) subgraph(w *writer, firstOp, firstTensor int) int {
	pos, at := w.table(ref{}, ref{}, ref{}, ref{}, ref{})
	last := 0
	w.list(at[0], len(b.Tensors)+b.Repeat, func(i int) int {
		if i < len(b.Tensors) {
			last = w.tensor(&b.Tensors[i], firstTensor+i)
		}
		return last
	})
	w.ints(at[1], b.Inputs)
	w.ints(at[2], b.Outputs)
	w.list(at[3], len(b.Ops), func(i int) int { return w.op(&b.Ops[i], firstOp+i) })
	w.text(at[4], "main")
	return pos
}

func (w *writer) tensor(t *Tensor, i int) int {
	buffer := 0
	if t.Data != nil {
		buffer = i + 1
	}
	var quant any
	if t.Scales != nil {
		quant = ref{}
	}
	var sparsity any
	if t.Sparsity != nil {
		sparsity = ref{}
	}
	pos, at := w.table(ref{}, byte(t.Type), buffer, ref{}, quant, t.Variable, sparsity)
	w.ints(at[0], t.Shape)
	w.text(at[3], t.Name)
	if t.Scales != nil {
		w.quant(at[4], t)
	}
	if t.Sparsity != nil {
		w.sparsity(at[6], t.Sparsity)
	}
	return pos
}

func (w *writer) quant(field int, t *Tensor) {
	pos, at := w.table(nil, nil, ref{}, ref{}, nil, nil, t.Dim)
	w.point(field, pos)
	w.vector(at[2], len(t.Scales), 4, Float32s(t.Scales...))
	var zeros []byte
	for _, z := range t.Zeros {
		zeros = binary.LittleEndian.AppendUint64(zeros, uint64(int64(z)))
	}
	w.vector(at[3], len(t.Zeros), 8, zeros)
}

func (w *writer) op(o *Op, i int) int {
	var options any
	if o.Options != nil {
		options = ref{}
	}
	var custom any
	if o.CustomOptions != nil {
		custom = ref{}
	}
	pos, at := w.table(i, ref{}, ref{}, o.Kind, options, custom)
	if o.CustomOptions != nil {
		w.bytes(at[5], o.CustomOptions)
	}
	w.ints(at[1], o.Inputs)
	w.ints(at[2], o.Outputs)
	if o.Options != nil {
		w.options(at[4], o.Options)
	}
	return pos
}

// options writes an options table; texts follow it.
func (w *writer) options(field int, options []any) {
	table, at := w.table(options...)
	w.point(field, table)
	for i, f := range options {
		switch v := f.(type) {
		case string:
			w.text(at[i], v)
		case []int:
			w.ints(at[i], v)
		}
	}
}
