package emit

import (
	"encoding/binary"
	"math"
)

// builder writes a flatbuffer from its end to its start, children before
// parents, which lets every offset point forward as the format wants
// (FlatBuffers "Internals"). Positions are distances from the end of the
// finished file, so they stay valid while the front still grows.
type builder struct {
	tail   []byte // the file so far, reversed: tail[0] is the last byte
	align  int    // the largest alignment asked for
	fields []int  // of the open table: field number → position, 0 absent
	start  int    // length when the open table began
	vtable map[string]int
}

func newBuilder() *builder { return &builder{align: 4, vtable: make(map[string]int)} }

// ref is the position of a finished object; 0 is none.
type ref int

// pad makes the file's length, after n more bytes, a multiple of size.
func (b *builder) pad(size, n int) {
	b.align = max(b.align, size)
	for (len(b.tail)+n)%size != 0 {
		b.tail = append(b.tail, 0)
	}
}

func (b *builder) raw(p []byte) {
	for i := len(p) - 1; i >= 0; i-- {
		b.tail = append(b.tail, p[i])
	}
}

func (b *builder) u8(v byte) { b.tail = append(b.tail, v) }

func (b *builder) u32(v uint32) {
	b.pad(4, 0)
	b.raw(binary.LittleEndian.AppendUint32(nil, v))
}

// offset writes the distance from here to r.
func (b *builder) offset(r ref) {
	b.pad(4, 4)
	b.u32(uint32(len(b.tail) + 4 - int(r)))
}

// vector writes count elements whose bytes are p, aligned to size (at least 4
// for the length in front).
func (b *builder) vector(p []byte, count, size int) ref {
	b.pad(4, len(p))
	b.pad(size, len(p))
	b.raw(p)
	b.u32(uint32(count))
	return ref(len(b.tail))
}

func (b *builder) bytes(p []byte, align int) ref { return b.vector(p, len(p), align) }

func (b *builder) text(s string) ref {
	b.pad(4, len(s)+1)
	b.u8(0)
	b.raw([]byte(s))
	b.u32(uint32(len(s)))
	return ref(len(b.tail))
}

func (b *builder) int32s(v []int32) ref {
	var p []byte
	for _, x := range v {
		p = binary.LittleEndian.AppendUint32(p, uint32(x))
	}
	return b.vector(p, len(v), 4)
}

func (b *builder) uint16s(v []uint16, align int) ref {
	var p []byte
	for _, x := range v {
		p = binary.LittleEndian.AppendUint16(p, x)
	}
	return b.vector(p, len(v), align)
}

func (b *builder) int64s(v []int64) ref {
	var p []byte
	for _, x := range v {
		p = binary.LittleEndian.AppendUint64(p, uint64(x))
	}
	return b.vector(p, len(v), 8)
}

func (b *builder) floats(v []float32) ref {
	var p []byte
	for _, x := range v {
		p = binary.LittleEndian.AppendUint32(p, math.Float32bits(x))
	}
	return b.vector(p, len(v), 4)
}

func (b *builder) tables(refs []ref) ref {
	b.pad(4, 4*len(refs))
	for i := len(refs) - 1; i >= 0; i-- {
		b.offset(refs[i])
	}
	b.u32(uint32(len(refs)))
	return ref(len(b.tail))
}

// table opens a table; set* fill it; end closes it. Objects that its fields
// refer to must be finished before.
func (b *builder) table() {
	b.fields = b.fields[:0]
	b.start = len(b.tail)
}

func (b *builder) mark(field int) {
	for len(b.fields) <= field {
		b.fields = append(b.fields, 0)
	}
	b.fields[field] = len(b.tail)
}

func (b *builder) setRef(field int, r ref) {
	if r != 0 {
		b.offset(r)
		b.mark(field)
	}
}

func (b *builder) setU32(field int, v uint32) {
	b.u32(v)
	b.mark(field)
}

func (b *builder) setByte(field int, v byte) {
	b.u8(v)
	b.mark(field)
}

func (b *builder) setBool(field int, v bool) {
	if v {
		b.setByte(field, 1)
	} else {
		b.setByte(field, 0)
	}
}

// empty is a table without fields.
func (b *builder) empty() ref {
	b.table()
	return b.end()
}

// end writes the table's reference to its vtable and the vtable itself, unless
// an equal one exists already.
func (b *builder) end() ref {
	b.u32(0) // room for the distance to the vtable
	pos := len(b.tail)
	var v []byte
	v = binary.LittleEndian.AppendUint16(v, uint16(4+2*len(b.fields)))
	v = binary.LittleEndian.AppendUint16(v, uint16(pos-b.start))
	for _, f := range b.fields {
		at := 0
		if f != 0 {
			at = pos - f
		}
		v = binary.LittleEndian.AppendUint16(v, uint16(at))
	}
	at, known := b.vtable[string(v)]
	if !known {
		b.pad(2, len(v))
		b.raw(v)
		at = len(b.tail)
		b.vtable[string(v)] = at
	}
	// The distance is signed and counted from the table back to its vtable.
	var d [4]byte
	binary.LittleEndian.PutUint32(d[:], uint32(int32(at-pos)))
	for i, x := range d {
		b.tail[pos-1-i] = x
	}
	return ref(pos)
}

// finish writes the root offset and file identifier and returns the file.
func (b *builder) finish(root ref, identifier string) []byte {
	b.pad(b.align, 8)
	b.raw([]byte(identifier))
	b.offset(root)
	file := make([]byte, len(b.tail))
	for i, x := range b.tail {
		file[len(file)-1-i] = x
	}
	return file
}
