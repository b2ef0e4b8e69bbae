package emit

import (
	"math"
	"slices"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// encoding is the compressed form of a constant: rows of blocks of neighboring
// elements, of which only those with something other than 0 are stored (compressed
// sparse rows along the last dimension). Source: SparsityParameters of the TFLite
// schema.
type encoding struct {
	shape    tensor.Shape
	block    int     // elements of a block along the last dimension, 1 for single ones
	segments []int32 // row r has the blocks segments[r] to segments[r+1]
	columns  []int32 // of each stored block, in blocks
}

// denseBlock is the one form of int8 weights on which TFLite's FULLY_CONNECTED
// computes. All other constants are stored element by element, and an operator
// DENSIFY expands them when the file is loaded: the converter's two forms.
const denseBlock = 16

// Bytes that tables and their alignment take, rounded up, so that a constant that is
// compressed never makes the file larger.
const (
	encodingOverhead  = 208 // of two dimensions
	dimensionOverhead = 28  // of each further one
	densifyOverhead   = 112 // and the name of a tensor
)

// compress chooses the shorter form of each constant weight. The tensor that
// operators read keeps its number: it is the compressed one, or the result of a
// DENSIFY of one behind the graph's tensors.
func (w *writer) compress() {
	for i, all := range w.weights() {
		t := &w.tensors[i]
		size, _ := t.Shape.Bytes(t.Type)
		plain := encode(t, 1)
		expanded := plain.bytes(t) + encodingOverhead + (len(t.Shape)-2)*dimensionOverhead + densifyOverhead + len(t.Name)
		blocks := math.MaxInt
		var blocked *encoding
		if all && t.Type == tensor.Int8 && len(t.Shape) == 2 && t.Shape[1]%denseBlock == 0 {
			blocked = encode(t, denseBlock)
			blocks = blocked.bytes(t) + encodingOverhead
		}
		switch {
		case min(blocks, expanded) >= size:
		case blocks <= expanded:
			w.encodings[i] = blocked
		default:
			w.expandAtLoad(i, plain)
		}
	}
}

// weights lists, in order, the constants that can be compressed; all says that only
// FULLY_CONNECTED of int8 uses one as weights.
func (w *writer) weights() func(yield func(i int, all bool) bool) {
	users := make([][]*graph.Node, len(w.tensors))
	for i := range w.g.Nodes {
		for k, id := range w.g.Nodes[i].Inputs {
			if k == 1 && id != graph.None {
				users[id] = append(users[id], &w.g.Nodes[i])
			} else if id != graph.None {
				users[id] = append(users[id], nil)
			}
		}
	}
	return func(yield func(int, bool) bool) {
		for i := range w.g.Tensors {
			t := &w.g.Tensors[i]
			if t.Float == nil && t.Int8 == nil || len(t.Shape) < 2 || !slices.ContainsFunc(users[i], isWeighted) || hasZeroPoint(t) {
				continue
			}
			all := !slices.ContainsFunc(users[i], func(n *graph.Node) bool { return !w.denseInt8(n) })
			if !yield(i, all) {
				return
			}
		}
	}
}

// hasZeroPoint reports a zero point other than 0: what is not stored is
// the integer 0.
func hasZeroPoint(t *graph.Tensor) bool {
	return slices.ContainsFunc(t.Quant.ZeroPoints, func(z int32) bool { return z != 0 })
}

// isWeighted reports whether n's second operand are weights; nil is another use.
func isWeighted(n *graph.Node) bool {
	if n == nil {
		return false
	}
	switch n.Op.(type) {
	case graph.Conv2D, graph.DepthwiseConv2D, graph.TransposeConv, graph.FullyConnected:
		return true
	}
	return false
}

func (w *writer) denseInt8(n *graph.Node) bool {
	if n == nil {
		return false
	}
	_, ok := n.Op.(graph.FullyConnected)
	return ok && w.tensors[n.Inputs[0]].Type == tensor.Int8
}

// expandAtLoad moves constant i behind the others and makes i the result of a
// DENSIFY.
func (w *writer) expandAtLoad(i int, e *encoding) {
	stored := w.tensors[i]
	stored.Name += "/sparse"
	id := w.append(stored)
	w.encodings[int(id)] = e
	t := &w.tensors[i]
	t.Float, t.Int8 = nil, nil
	w.densify = append(w.densify, graph.Node{Inputs: []graph.TensorID{id}, Outputs: []graph.TensorID{graph.TensorID(i)}})
}

// encode finds the blocks with a value other than 0 (negative zero is one: it has
// bits of its own).
func encode(t *graph.Tensor, block int) *encoding {
	e := &encoding{shape: t.Shape, block: block, segments: []int32{0}}
	row := t.Shape[len(t.Shape)-1]
	zero := func(i int) bool {
		if t.Int8 != nil {
			return t.Int8[i] == 0
		}
		return math.Float32bits(t.Float[i]) == 0
	}
	n := len(t.Int8) + len(t.Float)
	for lo := 0; lo < n; lo += row {
		for c := 0; c < row; c += block {
			for i := lo + c; i < lo+c+block; i++ {
				if !zero(i) {
					e.columns = append(e.columns, int32(c/block))
					break
				}
			}
		}
		e.segments = append(e.segments, int32(len(e.columns)))
	}
	return e
}

// bytes is what data, segments and columns take.
func (e *encoding) bytes(t *graph.Tensor) int {
	return len(e.columns)*e.block*t.Type.Bits()/8 + indexBytes(e.segments) + indexBytes(e.columns)
}

// pick gives the stored blocks of a constant whose bytes are data.
func (e *encoding) pick(data []byte, t tensor.Type) []byte {
	size := t.Bits() / 8
	row, block := e.shape[len(e.shape)-1]*size, e.block*size
	out := make([]byte, 0, len(e.columns)*block)
	for r := range len(e.segments) - 1 {
		for _, c := range e.columns[e.segments[r]:e.segments[r+1]] {
			lo := r*row + int(c)*block
			out = append(out, data[lo:lo+block]...)
		}
	}
	return out
}

// write writes the table SparsityParameters: dense levels, the compressed one and,
// for blocks, a dense level within.
func (e *encoding) write(b *builder) ref {
	var order []int32
	var levels []ref
	last := len(e.shape) - 1
	for i, d := range e.shape {
		order = append(order, int32(i))
		if i < last {
			levels = append(levels, denseLevel(b, d))
		}
	}
	levels = append(levels, e.rows(b))
	var blockMap ref
	if e.block > 1 {
		order = append(order, int32(last+1))
		levels = append(levels, denseLevel(b, e.block))
		blockMap = b.int32s([]int32{int32(last)})
	}
	traversal, metadata := b.int32s(order), b.tables(levels)
	b.table()
	b.setRef(0, traversal)
	b.setRef(1, blockMap)
	b.setRef(2, metadata)
	return b.end()
}

func denseLevel(b *builder, size int) ref {
	b.table()
	b.setU32(1, uint32(size))
	b.setByte(0, 0) // DENSE
	return b.end()
}

func (e *encoding) rows(b *builder) ref {
	segments, segmentKind := indexVector(b, e.segments)
	columns, columnKind := indexVector(b, e.columns)
	b.table()
	b.setRef(3, segments)
	b.setRef(5, columns)
	b.setByte(0, 1) // SPARSE_CSR
	b.setByte(2, segmentKind)
	b.setByte(4, columnKind)
	return b.end()
}

// indexWidth is the number of bytes that the greatest of v needs.
func indexWidth(v []int32) int {
	switch top := slices.Max(append(v[:len(v):len(v)], 0)); {
	case top <= math.MaxUint8:
		return 1
	case top <= math.MaxUint16:
		return 2
	}
	return 4
}

func indexBytes(v []int32) int { return len(v) * indexWidth(v) }

// indexVector writes v as the narrowest member of the union SparseIndexVector.
func indexVector(b *builder, v []int32) (r ref, kind byte) {
	var values ref
	switch indexWidth(v) {
	case 1:
		p := make([]byte, len(v))
		for i, x := range v {
			p[i] = byte(x)
		}
		values, kind = b.bytes(p, 4), 3
	case 2:
		p := make([]uint16, len(v))
		for i, x := range v {
			p[i] = uint16(x)
		}
		values, kind = b.uint16s(p, 4), 2
	default:
		values, kind = b.int32s(v), 1
	}
	b.table()
	b.setRef(0, values)
	return b.end(), kind
}
