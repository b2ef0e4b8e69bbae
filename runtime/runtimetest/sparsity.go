package runtimetest

import (
	"math"
	"slices"

	"kedge/runtime/tensor"
)

// Sparsity is how a constant is compressed, field by field as the file has it:
// SparsityParameters of the schema.
type Sparsity struct {
	Order    []int // of traversal: dimensions of the tensor, then of its blocks
	BlockMap []int // the tensor's dimension that each dimension of the blocks cuts
	Levels   []SparseLevel
}

// SparseLevel is the metadata of one dimension in the order of traversal.
type SparseLevel struct {
	CSR               bool // or dense
	Size              int  // of a dense dimension, or of blocks
	Segments, Indices []int
	// Bytes of a segment and of an index: 4, or 1, 2. Each is one vector type.
	SegmentWidth, IndexWidth int
}

// Blocks describes compression to Compress.
type Blocks struct {
	Order     []int  // nil: the dimensions, then those of the blocks, in their order
	Map, Size []int  // by dimension of the blocks: the tensor's dimension it cuts, and into what
	CSR       []bool // by level; beyond its end levels are dense
	Width     int    // bytes of an index, 0 stands for 4
}

// Compress is the constant t in the compressed form that b describes. A block
// whose elements are all 0 is left out where a level allows it.
func Compress(t Tensor, b Blocks) Tensor {
	rank := len(t.Shape)
	order := b.Order
	if order == nil {
		for i := range rank + len(b.Map) {
			order = append(order, i)
		}
	}
	e := encoder{dense: t.Data, bits: t.Type.Bits(), sparsity: &Sparsity{Order: order, BlockMap: b.Map}}
	size, stride := make([]int, rank+len(b.Map)), make([]int, rank+len(b.Map))
	for i, n := rank-1, 1; i >= 0; i-- {
		size[i], stride[i] = t.Shape[i], n
		n *= t.Shape[i]
	}
	for i, dim := range b.Map {
		size[rank+i], stride[rank+i] = b.Size[i], stride[dim]
		size[dim] /= b.Size[i]
		stride[dim] *= b.Size[i]
	}
	for i, dim := range order {
		l := SparseLevel{Size: size[dim]}
		if i < len(b.CSR) && b.CSR[i] {
			l.CSR, l.Segments, l.Indices = true, []int{0}, []int{}
		}
		e.sparsity.Levels = append(e.sparsity.Levels, l)
		e.stride = append(e.stride, stride[dim])
	}
	e.level(0, 0)
	for i := range e.sparsity.Levels {
		if l := &e.sparsity.Levels[i]; l.CSR {
			l.SegmentWidth, l.IndexWidth = width(l.Segments, b.Width), width(l.Indices, b.Width)
		}
	}
	t.Data, t.Sparsity = pack(e.stored, e.bits), e.sparsity
	return t
}

// width is the bytes that all values fit into, at least those asked for.
func width(values []int, least int) int {
	highest := slices.Max(append([]int{0}, values...))
	switch {
	case least == 0 || least == 4 || highest > math.MaxUint16:
		return 4
	case least == 2 || highest > math.MaxUint8:
		return 2
	}
	return 1
}

// encoder walks over a dense tensor in the order of its compressed form.
type encoder struct {
	dense    []byte
	bits     int
	stored   [][]byte // elements
	sparsity *Sparsity
	stride   []int // by level
}

// level writes what lies below one branch of level l-1, whose first element is at.
func (e *encoder) level(l, at int) {
	if l == len(e.stride) {
		e.stored = append(e.stored, element(e.dense, e.bits, at))
		return
	}
	level := &e.sparsity.Levels[l]
	for i := range level.Size {
		below := at + i*e.stride[l]
		if level.CSR {
			if !e.any(l+1, below) {
				continue
			}
			level.Indices = append(level.Indices, i)
		}
		e.level(l+1, below)
	}
	if level.CSR {
		level.Segments = append(level.Segments, len(level.Indices))
	}
}

// any reports whether an element below a branch is not 0.
func (e *encoder) any(l, at int) bool {
	if l == len(e.stride) {
		for _, b := range element(e.dense, e.bits, at) {
			if b != 0 {
				return true
			}
		}
		return false
	}
	for i := range e.sparsity.Levels[l].Size {
		if e.any(l+1, at+i*e.stride[l]) {
			return true
		}
	}
	return false
}

// element is element i of packed data, in bytes of its own.
func element(data []byte, bits, i int) []byte {
	if bits >= 8 {
		return data[i*bits/8 : (i+1)*bits/8]
	}
	return []byte{data[i*bits/8] >> (i * bits % 8) & (1<<bits - 1)}
}

// pack is the inverse of element.
func pack(elements [][]byte, bits int) []byte {
	out := make([]byte, (len(elements)*bits+7)/8)
	for i, e := range elements {
		if bits >= 8 {
			copy(out[i*bits/8:], e)
		} else {
			out[i*bits/8] |= e[0] << (i * bits % 8)
		}
	}
	return out
}

// Int4s encodes values as int4, two in a byte, the first in the low half.
func Int4s(values ...int) []byte {
	var elements [][]byte
	for _, v := range values {
		elements = append(elements, []byte{byte(v) & 15})
	}
	return pack(elements, tensor.Int4.Bits())
}

// sparsity writes the parameters at an offset field.
func (w *writer) sparsity(field int, s *Sparsity) {
	pos, at := w.table(ref{}, ref{}, ref{})
	w.point(field, pos)
	w.ints(at[0], s.Order)
	w.ints(at[1], s.BlockMap)
	w.list(at[2], len(s.Levels), func(i int) int { return w.sparseLevel(&s.Levels[i]) })
}

func (w *writer) sparseLevel(l *SparseLevel) int {
	if !l.CSR {
		pos, _ := w.table(byte(0), l.Size)
		return pos
	}
	kind := map[int]byte{4: 1, 2: 2, 1: 3}
	pos, at := w.table(byte(1), l.Size, kind[l.SegmentWidth], ref{}, kind[l.IndexWidth], ref{})
	w.sparseIndices(at[3], l.Segments, l.SegmentWidth)
	w.sparseIndices(at[5], l.Indices, l.IndexWidth)
	return pos
}

func (w *writer) sparseIndices(field int, values []int, width int) {
	pos, at := w.table(ref{})
	w.point(field, pos)
	var raw []byte
	for i := range values {
		raw = append(raw, Int32s(values[i])[:width]...)
	}
	w.vector(at[0], len(values), width, raw)
}
