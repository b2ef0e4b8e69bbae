package tflite

import (
	"encoding/binary"
	"fmt"

	"kedge/runtime/tensor"
)

// The schema's codes for how a level is stored, and for the kinds of vector that
// hold its indices.
const (
	levelDense = 0
	levelCSR   = 1

	indicesInt32  = 1
	indicesUint16 = 2
	indicesUint8  = 3
)

// sparsity decodes how constant x is compressed, if it is.
func (d *decoder) sparsity(x *Tensor, t Table) error {
	table, err := t.Table(6)
	if err != nil || table.buf == nil {
		return err
	}
	elements, ok := x.Shape.Elements()
	if _, sized := x.Shape.Bytes(x.Type); !ok || !sized {
		return fmt.Errorf("%w: found %v %v, want a fixed size below 2 GiB", ErrMalformed, x.Type, x.Shape)
	}
	s := &Sparsity{Elements: elements}
	metadata, err := d.levels(s, x.Shape, table)
	if err != nil {
		return err
	}
	branches := 1
	for i := range s.Levels {
		if branches, err = d.level(&s.Levels[i], metadata[i], branches); err != nil {
			return fmt.Errorf("level %d: %w", i, err)
		}
	}
	if want := storedBytes(branches, x.Type); len(x.Data) != want {
		return fmt.Errorf("%w: found %d bytes of data, want %d for %d elements of %v", ErrMalformed, len(x.Data), want, branches, x.Type)
	}
	if x.Data == nil {
		x.Data = []byte{} // a constant all the same, of zeros
	}
	s.Stored = branches
	x.Sparsity, x.Compressed = s, true
	return nil
}

// levels decodes the traversal order and the map of blocks, and sets of every
// level what follows from them and the shape. It returns the levels' metadata.
func (d *decoder) levels(s *Sparsity, shape tensor.Shape, t Table) ([]Table, error) {
	order, err := d.ints(t, 0)
	if err != nil {
		return nil, fmt.Errorf("traversal order: %w", err)
	}
	blockMap, err := d.ints(t, 1)
	if err != nil {
		return nil, fmt.Errorf("block map: %w", err)
	}
	v, err := t.tables(2)
	if err != nil {
		return nil, fmt.Errorf("dimensions: %w", err)
	}
	rank := len(shape)
	if len(blockMap) > rank || len(order) != rank+len(blockMap) || v.n != len(order) {
		return nil, fmt.Errorf("%w: found %d dimensions in order, %d with metadata, want %d and %d of blocks", ErrMalformed, len(order), v.n, rank, len(blockMap))
	}
	metadata, err := alloc[Table](d.budget, v.n)
	if err != nil {
		return nil, err
	}
	for i := range metadata {
		if metadata[i], err = v.element(i); err != nil {
			return nil, fmt.Errorf("level %d: %w", i, err)
		}
	}
	if s.Levels, err = alloc[Level](d.budget, len(order)); err != nil {
		return nil, err
	}
	if err := s.arrange(order, blockMap, rank); err != nil {
		return nil, err
	}
	return metadata, s.measure(shape, metadata)
}

// arrange sets the dimension of every level. The levels of the tensor come
// first, each dimension once, then those of the blocks.
func (s *Sparsity) arrange(order, blockMap []int, rank int) error {
	var seen, blocked [maxRank * 2]bool
	for _, dim := range blockMap {
		if dim < 0 || dim >= rank || blocked[dim] {
			return fmt.Errorf("%w: found block map %v, want different ones of %d dimensions", ErrMalformed, blockMap, rank)
		}
		blocked[dim] = true
	}
	for i, dim := range order {
		l := &s.Levels[i]
		l.Block = i >= rank
		if dim < 0 || dim >= len(order) || seen[dim] || l.Block != (dim >= rank) {
			return fmt.Errorf("%w: found traversal order %v, want %d dimensions, then %d of blocks", ErrMalformed, order, rank, len(blockMap))
		}
		seen[dim] = true
		if l.Dim = dim; l.Block {
			l.Dim = blockMap[dim-rank]
		}
	}
	return nil
}

// measure sets sizes and strides: a block's size is stated, the number of blocks
// along a dimension follows.
func (s *Sparsity) measure(shape tensor.Shape, metadata []Table) error {
	var block, stride [maxRank]int
	for i, n := len(shape)-1, 1; i >= 0; i-- {
		block[i], stride[i] = 1, n
		n *= max(shape[i], 1)
	}
	for i := range s.Levels {
		l := &s.Levels[i]
		if !l.Block {
			continue
		}
		l.Size, l.Stride = int(metadata[i].Int32(1, 0)), stride[l.Dim]
		if l.Size <= 0 || shape[l.Dim]%l.Size != 0 {
			return fmt.Errorf("level %d: %w: found blocks of %d, want a divisor of the %d elements along dimension %d", i, ErrMalformed, l.Size, shape[l.Dim], l.Dim)
		}
		block[l.Dim] = l.Size
	}
	for i := range s.Levels {
		if l := &s.Levels[i]; !l.Block {
			l.Size, l.Stride = shape[l.Dim]/block[l.Dim], stride[l.Dim]*block[l.Dim]
		}
	}
	return nil
}

// level decodes how l is stored, below a number of branches of the level above,
// and returns its own number of branches. As each is at another position, there
// are never more than elements, or than nonzero dimensions would make.
func (d *decoder) level(l *Level, t Table, above int) (int, error) {
	switch format := t.Byte(0, levelDense); format {
	case levelDense:
		if n := int(t.Int32(1, 0)); n != l.Size {
			return 0, fmt.Errorf("%w: found size %d, want %d", ErrMalformed, n, l.Size)
		}
		return above * l.Size, nil
	case levelCSR:
		return d.rows(l, t, above)
	default:
		return 0, fmt.Errorf("%w: found format %d, want 0 (dense) or 1 (sparse CSR)", ErrMalformed, format)
	}
}

// rows decodes a level of compressed sparse rows.
func (d *decoder) rows(l *Level, t Table, above int) (int, error) {
	var err error
	if l.Segments, err = d.sparseIndices(t, 2, above+1); err != nil {
		return 0, fmt.Errorf("segments: %w", err)
	}
	if l.Indices, err = d.sparseIndices(t, 4, -1); err != nil {
		return 0, fmt.Errorf("indices: %w", err)
	}
	if first, last := l.Segments[0], l.Segments[above]; first != 0 || int(last) != len(l.Indices) {
		return 0, fmt.Errorf("%w: found segments from %d to %d, want 0 to %d", ErrMalformed, first, last, len(l.Indices))
	}
	for i, from := range l.Segments[:above] {
		to := l.Segments[i+1]
		if to < from || int(to) > len(l.Indices) {
			return 0, fmt.Errorf("%w: found segment %d from %d to %d of %d", ErrMalformed, i, from, to, len(l.Indices))
		}
		last := int32(-1)
		for _, at := range l.Indices[from:to] {
			if at <= last || int(at) >= l.Size {
				return 0, fmt.Errorf("%w: found index %d after %d in segment %d, want ascending ones below %d", ErrMalformed, at, last, i, l.Size)
			}
			last = at
		}
	}
	return len(l.Indices), nil
}

// sparseIndices reads the vector of indices whose kind is field id and which is
// itself the next field. It must have n elements, any number if n is negative.
func (d *decoder) sparseIndices(t Table, id, n int) ([]int32, error) {
	width := 0
	switch kind := t.Byte(id, 0); kind {
	case indicesInt32:
		width = 4
	case indicesUint16:
		width = 2
	case indicesUint8:
		width = 1
	default:
		return nil, fmt.Errorf("%w: found vector type %d, want 1 (int32), 2 (uint16) or 3 (uint8)", ErrMalformed, kind)
	}
	v, err := t.Table(id + 1)
	if err != nil {
		return nil, err
	}
	raw, err := v.vector(0, width)
	if err != nil {
		return nil, err
	}
	if got := len(raw) / width; n >= 0 && got != n {
		return nil, fmt.Errorf("%w: found %d, want %d", ErrMalformed, got, n)
	}
	out, err := alloc[int32](d.budget, len(raw)/width)
	for i := range out {
		switch width {
		case 4:
			out[i] = int32(binary.LittleEndian.Uint32(raw[4*i:]))
		case 2:
			out[i] = int32(binary.LittleEndian.Uint16(raw[2*i:]))
		default:
			out[i] = int32(raw[i])
		}
	}
	return out, err
}
