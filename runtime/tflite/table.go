package tflite

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Table is one flatbuffer table: a view into the file. The zero Table has no
// fields, so that every accessor gives its default; it stands for an absent
// options table.
//
// Accessors take the field's number in the schema (its position, counted from
// 0) and the default that the schema states. A field that would lie outside of
// the table counts as absent, as it does for a writer older than the field.
type Table struct {
	buf    []byte
	pos    int // of the table
	size   int // bytes of the table, fields included
	vtable int
	slots  int // fields that the vtable knows
}

// openTable checks the table at pos and its vtable.
func openTable(buf []byte, pos int) (Table, error) {
	if pos < 0 || pos > len(buf)-4 {
		return Table{}, fmt.Errorf("%w: table at %d", ErrTruncated, pos)
	}
	vt := int64(pos) - int64(int32(binary.LittleEndian.Uint32(buf[pos:])))
	if vt < 0 || vt > int64(len(buf)-4) {
		return Table{}, fmt.Errorf("%w: field list of the table at %d", ErrTruncated, pos)
	}
	vtSize := int(binary.LittleEndian.Uint16(buf[vt:]))
	size := int(binary.LittleEndian.Uint16(buf[vt+2:]))
	if vtSize < 4 || vtSize%2 != 0 || size < 4 {
		return Table{}, fmt.Errorf("%w: field list of the table at %d", ErrMalformed, pos)
	}
	if vtSize > len(buf)-int(vt) || size > len(buf)-pos {
		return Table{}, fmt.Errorf("%w: table at %d", ErrTruncated, pos)
	}
	return Table{buf: buf, pos: pos, size: size, vtable: int(vt), slots: (vtSize - 4) / 2}, nil
}

// field is the position of a field of width bytes, or -1 when it is absent.
func (t Table) field(id, width int) int {
	if id >= t.slots {
		return -1
	}
	off := int(binary.LittleEndian.Uint16(t.buf[t.vtable+4+2*id:]))
	if off < 4 || off > t.size-width {
		return -1
	}
	return t.pos + off
}

// Bool reads a boolean field.
func (t Table) Bool(id int, def bool) bool {
	if p := t.field(id, 1); p >= 0 {
		return t.buf[p] != 0
	}
	return def
}

// Byte reads an 8-bit field.
func (t Table) Byte(id int, def byte) byte {
	if p := t.field(id, 1); p >= 0 {
		return t.buf[p]
	}
	return def
}

// Int32 reads a signed 32-bit field.
func (t Table) Int32(id int, def int32) int32 {
	if p := t.field(id, 4); p >= 0 {
		return int32(binary.LittleEndian.Uint32(t.buf[p:]))
	}
	return def
}

// Uint32 reads an unsigned 32-bit field.
func (t Table) Uint32(id int, def uint32) uint32 { return uint32(t.Int32(id, int32(def))) }

// Uint64 reads an unsigned 64-bit field.
func (t Table) Uint64(id int, def uint64) uint64 {
	if p := t.field(id, 8); p >= 0 {
		return binary.LittleEndian.Uint64(t.buf[p:])
	}
	return def
}

// Float32 reads a float field.
func (t Table) Float32(id int, def float32) float32 {
	return math.Float32frombits(t.Uint32(id, math.Float32bits(def)))
}

// child is where an offset field points, or -1 when it is absent.
func (t Table) child(id int) (int, error) {
	p := t.field(id, 4)
	if p < 0 {
		return -1, nil
	}
	return follow(t.buf, p)
}

// follow reads the offset at p, which counts from p.
func follow(buf []byte, p int) (int, error) {
	target := int64(p) + int64(binary.LittleEndian.Uint32(buf[p:]))
	if target > int64(len(buf)-4) {
		return 0, fmt.Errorf("%w: offset at %d points behind the end", ErrTruncated, p)
	}
	return int(target), nil
}

// Table opens a table field; absent gives the zero Table.
func (t Table) Table(id int) (Table, error) {
	p, err := t.child(id)
	if p < 0 || err != nil {
		return Table{}, err
	}
	return openTable(t.buf, p)
}

// Text copies a string field, paid from the budget; ok is false when it is
// absent.
func (t Table) Text(id int, b *Budget) (s string, ok bool, err error) {
	raw, err := t.vector(id, 1)
	if err != nil {
		return "", false, err
	}
	if err := b.Spend(len(raw), 1); err != nil {
		return "", false, err
	}
	return string(raw), raw != nil, nil
}

// vector is the bytes of a vector field whose elements take width bytes. Its
// result aliases the file; absent gives nil.
func (t Table) vector(id, width int) ([]byte, error) {
	p, err := t.child(id)
	if p < 0 || err != nil {
		return nil, err
	}
	n := int64(binary.LittleEndian.Uint32(t.buf[p:])) * int64(width)
	if n > int64(len(t.buf)-p-4) {
		return nil, fmt.Errorf("%w: vector at %d", ErrTruncated, p)
	}
	return t.buf[p+4 : p+4+int(n) : p+4+int(n)], nil
}

// Int32s is a vector field of 32-bit integers as the file's bytes, 4 for each
// in little-endian order; absent gives nil.
func (t Table) Int32s(id int) ([]byte, error) { return t.vector(id, 4) }

// tables are the positions' bytes of a vector of tables; element opens them.
func (t Table) tables(id int) (tableVector, error) {
	raw, err := t.vector(id, 4)
	if err != nil || raw == nil {
		return tableVector{}, err
	}
	p, err := t.child(id)
	return tableVector{buf: t.buf, first: p + 4, n: len(raw) / 4}, err
}

// tableVector is a vector of offsets to tables.
type tableVector struct {
	buf      []byte
	first, n int
}

func (v tableVector) element(i int) (Table, error) {
	p, err := follow(v.buf, v.first+4*i)
	if err != nil {
		return Table{}, err
	}
	return openTable(v.buf, p)
}
