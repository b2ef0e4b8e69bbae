package tflite_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"kedge/runtime/runtimetest"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// sparseModel is a model that holds nothing but a constant.
func sparseModel(t runtimetest.Tensor) *runtimetest.Builder {
	return &runtimetest.Builder{Tensors: []runtimetest.Tensor{t}, Outputs: []int{0}}
}

// randomConstant is a tensor of which many elements, often whole regions, are 0.
func randomConstant(r *rand.Rand, shape []int, typ tensor.Type) runtimetest.Tensor {
	t := runtimetest.Tensor{Name: "w", Type: typ, Shape: shape}
	n, _ := tensor.Shape(shape).Bytes(typ)
	t.Data = make([]byte, n)
	zeros := r.Float64()
	for i := 0; i < n; {
		run := min(1+r.IntN(40), n-i)
		if r.Float64() > zeros {
			for k := range run {
				t.Data[i+k] = byte(r.Uint32())
			}
		}
		i += run
	}
	if e, _ := tensor.Shape(shape).Elements(); typ == tensor.Int4 && e%2 == 1 {
		t.Data[n-1] &= 15
	}
	return t
}

// randomBlocks is a compression of a shape: any order, blocks along any
// dimensions, any levels compressed.
func randomBlocks(r *rand.Rand, shape []int) runtimetest.Blocks {
	b := runtimetest.Blocks{Order: r.Perm(len(shape)), Width: []int{0, 1, 2}[r.IntN(3)]}
	for _, dim := range r.Perm(len(shape))[:r.IntN(len(shape)+1)] {
		size := 1 + r.IntN(shape[dim])
		for shape[dim]%size != 0 {
			size--
		}
		b.Map, b.Size = append(b.Map, dim), append(b.Size, size)
	}
	for _, i := range r.Perm(len(b.Map)) {
		b.Order = append(b.Order, len(shape)+i)
	}
	for range b.Order {
		b.CSR = append(b.CSR, r.IntN(2) == 0)
	}
	return b
}

func TestExpand(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	types := []tensor.Type{tensor.Int8, tensor.Uint8, tensor.Int4, tensor.Int16, tensor.Int32, tensor.Float32, tensor.Int64, tensor.Bool}
	for range 2000 {
		shape := make([]int, r.IntN(5))
		for i := range shape {
			shape[i] = []int{1, 2, 3, 4, 6, 8, 12}[r.IntN(7)]
		}
		dense := randomConstant(r, shape, types[r.IntN(len(types))])
		blocks := randomBlocks(r, shape)
		sparse := runtimetest.Compress(dense, blocks)
		got := &decode(t, sparseModel(sparse).Bytes()).Subgraphs[0].Tensors[0]
		name := fmt.Sprintf("%v %v, %+v", dense.Type, shape, blocks)
		if !got.Compressed || got.Sparsity == nil || got.Sparsity.Stored*dense.Type.Bits() > 8*len(sparse.Data) {
			t.Fatalf("%s: got %+v", name, got)
		}
		data, err := got.Expand(tflite.NewBudget(0))
		if err != nil || !bytes.Equal(data, dense.Data) {
			t.Fatalf("%s: got %v, %v, want %v", name, data, err, dense.Data)
		}
	}
}

// TestExpandByHand has matrices whose encodings can be followed by hand, and
// checks that the encoder arrives at them.
func TestExpandByHand(t *testing.T) {
	for _, c := range []struct {
		name   string
		dense  runtimetest.Tensor
		blocks runtimetest.Blocks
		data   []byte
		want   runtimetest.Sparsity
		zeros  float64
	}{
		{"blocks of 2×2", runtimetest.Weights("w", 1, []int{4, 4}, 0, 0, 1, 2, 0, 0, 5, 6, 3, 4, 0, 0, 7, 8, 0, 0),
			runtimetest.Blocks{Map: []int{0, 1}, Size: []int{2, 2}, CSR: []bool{false, true}, Width: 1},
			runtimetest.Int8s(1, 2, 5, 6, 3, 4, 7, 8),
			runtimetest.Sparsity{Order: []int{0, 1, 2, 3}, BlockMap: []int{0, 1}, Levels: []runtimetest.SparseLevel{
				{Size: 2}, {CSR: true, Size: 2, Segments: []int{0, 1, 2}, Indices: []int{1, 0}, SegmentWidth: 1, IndexWidth: 1}, {Size: 2}, {Size: 2}}}, 0.5},
		{"columns, their blocks too", runtimetest.Weights("w", 1, []int{4, 2}, 1, 0, 2, 0, 3, 4, 5, 6),
			runtimetest.Blocks{Order: []int{1, 0, 3, 2}, Map: []int{0, 1}, Size: []int{2, 2}, CSR: []bool{false, true}, Width: 1},
			runtimetest.Int8s(1, 2, 0, 0, 3, 5, 4, 6),
			runtimetest.Sparsity{Order: []int{1, 0, 3, 2}, BlockMap: []int{0, 1}, Levels: []runtimetest.SparseLevel{
				{Size: 1}, {CSR: true, Size: 2, Segments: []int{0, 2}, Indices: []int{0, 1}, SegmentWidth: 1, IndexWidth: 1}, {Size: 2}, {Size: 2}}}, 0},
		{"compressed columns of compressed rows", runtimetest.Weights("w", 1, []int{2, 4}, 0, 1, 0, 2, 3, 0, 0, 4),
			runtimetest.Blocks{Order: []int{1, 0}, CSR: []bool{true, true}, Width: 2},
			runtimetest.Int8s(3, 1, 2, 4),
			runtimetest.Sparsity{Order: []int{1, 0}, Levels: []runtimetest.SparseLevel{
				{CSR: true, Size: 4, Segments: []int{0, 3}, Indices: []int{0, 1, 3}, SegmentWidth: 2, IndexWidth: 2},
				{CSR: true, Size: 2, Segments: []int{0, 1, 2, 4}, Indices: []int{1, 0, 0, 1}, SegmentWidth: 2, IndexWidth: 2}}}, 0.5},
	} {
		encoded := runtimetest.Compress(c.dense, c.blocks)
		if !bytes.Equal(encoded.Data, c.data) || !reflect.DeepEqual(*encoded.Sparsity, c.want) {
			t.Errorf("%s: encoded as %v, %+v, want %v, %+v", c.name, encoded.Data, *encoded.Sparsity, c.data, c.want)
		}
		w := c.dense
		w.Data, w.Sparsity = c.data, &c.want
		got := &decode(t, sparseModel(w).Bytes()).Subgraphs[0].Tensors[0]
		if data, err := got.Expand(tflite.NewBudget(0)); err != nil || !bytes.Equal(data, c.dense.Data) {
			t.Errorf("%s: got %v, %v, want %v", c.name, data, err, c.dense.Data)
		}
		if f := got.Sparsity.Fraction(); f != c.zeros {
			t.Errorf("%s: fraction left out: got %g, want %g", c.name, f, c.zeros)
		}
	}
}

// TestExpandBudget: what a file's length does not justify is refused.
func TestExpandBudget(t *testing.T) {
	zeros := runtimetest.Weights("huge", 1, []int{1 << 15, 1 << 15})
	zeros.Sparsity = &runtimetest.Sparsity{Order: []int{0, 1}, Levels: []runtimetest.SparseLevel{
		{CSR: true, Segments: []int{0, 0}, SegmentWidth: 4, IndexWidth: 4}, {Size: 1 << 15},
	}}
	file := sparseModel(zeros).Bytes()
	budget := tflite.NewBudget(len(file))
	m, err := tflite.Decode(file, budget)
	if err != nil {
		t.Fatal(err)
	}
	if data, err := m.Subgraphs[0].Tensors[0].Expand(budget); data != nil || !errors.Is(err, tflite.ErrBudget) {
		t.Errorf("got %d bytes, %v, want %v", len(data), err, tflite.ErrBudget)
	}
}

func TestSparsityErrors(t *testing.T) {
	// Rows of two blocks of 4; the first row has the second, the last both.
	good := func() runtimetest.Tensor {
		w := runtimetest.Weights("w", 1, []int{3, 8}, make([]int, 24)...)
		for _, i := range []int{4, 16, 23} {
			w.Data[i] = 1
		}
		return runtimetest.Compress(w, runtimetest.Blocks{Map: []int{1}, Size: []int{4}, CSR: []bool{false, true}})
	}
	for _, c := range []struct {
		name string
		edit func(t *runtimetest.Tensor, s *runtimetest.Sparsity)
		want string
	}{
		{"intact", func(*runtimetest.Tensor, *runtimetest.Sparsity) {}, ""},
		{"unknown dimension", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { s.Order[0] = 7 }, "traversal order [7 1 2]"},
		{"negative dimension", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { s.Order[1] = -1 }, "traversal order"},
		{"dimension twice", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { s.Order[1] = 0 }, "traversal order"},
		{"block before dimension", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { s.Order = []int{0, 2, 1} }, "traversal order"},
		{"order too short", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { s.Order = s.Order[:2] }, "found 2 dimensions in order, 3 with metadata"},
		{"metadata too short", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { s.Levels = s.Levels[:2] }, "found 3 dimensions in order, 2 with metadata"},
		{"no parameters", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { *s = runtimetest.Sparsity{} }, "found 0 dimensions"},
		{"unknown block dimension", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { s.BlockMap[0] = 2 }, "block map [2]"},
		{"negative block dimension", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { s.BlockMap[0] = -1 }, "block map [-1]"},
		{"many blocks", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { s.BlockMap = make([]int, 1000) }, "3 with metadata"},
		{"block size 0", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { s.Levels[2].Size = 0 }, "blocks of 0"},
		{"block size negative", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { s.Levels[2].Size = -4 }, "blocks of -4"},
		{"block size odd", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { s.Levels[2].Size = 3 }, "blocks of 3, want a divisor of the 8"},
		{"block size huge", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { s.Levels[2].Size = 1<<31 - 1 }, "blocks of 2147483647"},
		{"dense size", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { s.Levels[0].Size = 1<<31 - 1 }, "found size 2147483647, want 3"},
		{"dense size negative", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { s.Levels[0].Size = -3 }, "found size -3"},
		{"no segments", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { s.Levels[1].Segments = nil }, "segments: file is malformed: found 0, want 4"},
		{"vector type", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { s.Levels[1].SegmentWidth = 0 }, "vector type 0"},
		{"a segment too many", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) {
			s.Levels[1].Segments = append(s.Levels[1].Segments, 3)
		}, "found 5, want 4"},
		{"first segment", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { s.Levels[1].Segments[0] = 1 }, "from 1 to 3, want 0 to 3"},
		{"last segment", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { s.Levels[1].Segments[3] = 4 }, "from 0 to 4"},
		{"negative segment", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { s.Levels[1].Segments[1] = -1 }, "segment 0 from 0 to -1"},
		{"segments descend", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) {
			s.Levels[1].Segments[1], s.Levels[1].Indices = 2, []int{0, 1, 0}
		}, "segment 1 from 2 to 1"},
		{"segment beyond the end", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { s.Levels[1].Segments[1] = 1<<31 - 1 }, "segment 0 from 0 to 2147483647"},
		{"index out of range", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { s.Levels[1].Indices[2] = 2 }, "index 2 after 0 in segment 2"},
		{"negative index", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { s.Levels[1].Indices[0] = -1 }, "index -1"},
		{"index twice", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { s.Levels[1].Indices[1] = 1 }, "index 1 after 1"},
		{"an index too few", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { s.Levels[1].Indices = s.Levels[1].Indices[:2] }, "want 0 to 2"},
		{"data cut", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { t.Data = t.Data[:11] }, "found 11 bytes of data, want 12"},
		{"data too long", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { t.Data = append(t.Data, 0) }, "found 13 bytes"},
		{"no data", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { t.Data = nil }, "found 0 bytes"},
		{"another type", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { t.Type = tensor.Int16 }, "want 24"},
		{"a type without size", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { t.Type = tensor.String }, "found string [3,8]"},
		{"shape unknown", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { t.Shape[0] = -1 }, "found int8 [-1,8]"},
		{"shape beyond 31 bits", func(t *runtimetest.Tensor, s *runtimetest.Sparsity) { t.Shape = []int{1 << 16, 1 << 15} }, "found int8 [65536,32768]"},
	} {
		w := good()
		c.edit(&w, w.Sparsity)
		file := sparseModel(w).Bytes()
		m, err := tflite.Decode(file, tflite.NewBudget(len(file)))
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: got %v", c.name, err)
			}
			continue
		}
		if m != nil || !errors.Is(err, tflite.ErrMalformed) || !strings.Contains(err.Error(), `tensor 0: "w": sparsity: `) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want tensor, sparsity and %q", c.name, err, c.want)
		}
	}
}

// FuzzSparsity decodes any parameters and expands the constant: no panic, no
// more elements stored than there are, and as many bytes as the shape says.
func FuzzSparsity(f *testing.F) {
	f.Add([]byte{2, 8}, []byte{0, 1, 2}, []byte{1}, []byte{0, 2, 0, 0, 1, 0, 3, 0, 1, 3, 3, 1, 0, 1, 0, 4, 0, 0}, byte(tensor.Int8), make([]byte, 12))
	f.Add([]byte{6, 5}, []byte{1, 0}, []byte{}, []byte{2, 0, 2, 0, 2, 2, 1, 4, 2, 0, 3, 0, 1, 3, 3, 0, 2, 5}, byte(tensor.Int4), make([]byte, 2))
	f.Add([]byte{4, 3, 2}, []byte{2, 0, 1, 4, 3}, []byte{2, 0}, []byte{0, 1, 0, 0, 1, 0, 2, 0, 1, 1, 1, 1, 0, 2, 0, 2, 2, 0, 2, 0, 2, 0, 0, 0, 2, 0, 0}, byte(tensor.Float32), make([]byte, 32))
	f.Fuzz(func(t *testing.T, shape, order, blockMap, levels []byte, typ byte, data []byte) {
		x := runtimetest.Tensor{Name: "w", Type: tensor.Type(typ), Shape: signed(shape), Data: data}
		x.Sparsity = &runtimetest.Sparsity{Order: signed(order), BlockMap: signed(blockMap), Levels: sparseLevels(levels)}
		file := sparseModel(x).Bytes()
		budget := tflite.NewBudget(len(file))
		m, err := tflite.Decode(file, budget)
		if err != nil {
			return
		}
		got := &m.Subgraphs[0].Tensors[0]
		if got.Sparsity.Stored > got.Sparsity.Elements {
			t.Errorf("%d elements stored, %v has %d", got.Sparsity.Stored, got.Shape, got.Sparsity.Elements)
		}
		dense, err := got.Expand(budget)
		if n, _ := got.Shape.Bytes(got.Type); err == nil && len(dense) != n {
			t.Errorf("got %d bytes, want %d", len(dense), n)
		}
	})
}

// signed is bytes as small integers.
func signed(b []byte) []int {
	v := make([]int, len(b))
	for i := range b {
		v[i] = int(int8(b[i]))
	}
	return v
}

// sparseLevels reads levels from bytes: the width of indices, 0 for a dense
// level; a size; then the lengths of both vectors, each with its content behind.
func sparseLevels(b []byte) []runtimetest.SparseLevel {
	next := func() int {
		if len(b) == 0 {
			return 0
		}
		v := int(int8(b[0]))
		b = b[1:]
		return v
	}
	vector := func() []int {
		n := min(max(next(), 0), len(b))
		v := signed(b[:n])
		b = b[n:]
		return v
	}
	var levels []runtimetest.SparseLevel
	for len(b) > 0 {
		width := next()
		l := runtimetest.SparseLevel{CSR: width != 0, Size: next(), Segments: vector(), Indices: vector()}
		if width == 1 || width == 2 || width == 4 {
			l.SegmentWidth, l.IndexWidth = width, width
		}
		levels = append(levels, l)
	}
	return levels
}
