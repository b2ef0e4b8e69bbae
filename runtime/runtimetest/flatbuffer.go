package runtimetest

import (
	"encoding/binary"
	"fmt"
	"math"
)

// writer appends flatbuffer objects front to back: an object is written with
// empty offset fields, which point fills in when their targets follow.
type writer struct{ buf []byte }

// align pads to a multiple of n, counted so that at comes to lie there after
// skip more bytes.
func (w *writer) align(n, skip int) {
	for (len(w.buf)+skip)%n != 0 {
		w.buf = append(w.buf, 0)
	}
}

// ref stands for an offset field to be filled in.
type ref struct{}

// table writes a table whose field i has the value fields[i] (nil: absent) and
// returns the position of the table and of each field.
func (w *writer) table(fields ...any) (pos int, at []int) {
	w.align(8, 0)
	vtable := len(w.buf)
	w.buf = append(w.buf, make([]byte, 4+2*len(fields))...)
	w.align(8, 0)
	pos = len(w.buf)
	w.buf = binary.LittleEndian.AppendUint32(w.buf, uint32(pos-vtable))
	at = make([]int, len(fields))
	for i, f := range fields {
		if f == nil {
			continue
		}
		value := encode(f)
		w.align(len(value), 0)
		at[i] = len(w.buf)
		binary.LittleEndian.PutUint16(w.buf[vtable+4+2*i:], uint16(len(w.buf)-pos))
		w.buf = append(w.buf, value...)
	}
	binary.LittleEndian.PutUint16(w.buf[vtable:], uint16(4+2*len(fields)))
	binary.LittleEndian.PutUint16(w.buf[vtable+2:], uint16(len(w.buf)-pos))
	return pos, at
}

// encode is the bytes of a scalar field.
func encode(f any) []byte {
	switch v := f.(type) {
	case ref, []int, string:
		return make([]byte, 4)
	case bool:
		if v {
			return []byte{1}
		}
		return []byte{0}
	case byte:
		return []byte{v}
	case int:
		return binary.LittleEndian.AppendUint32(nil, uint32(int32(v)))
	case float32:
		return binary.LittleEndian.AppendUint32(nil, math.Float32bits(v))
	}
	panic(fmt.Sprintf("BUG: field of type %T", f))
}

// point makes the offset field at position at point to the end of the buffer.
func (w *writer) point(at, target int) {
	binary.LittleEndian.PutUint32(w.buf[at:], uint32(target-at))
}

// vector writes a vector of n elements of width bytes each at the field at.
func (w *writer) vector(at, n, width int, data []byte) {
	w.align(max(width, 4), 4)
	w.point(at, len(w.buf))
	w.buf = binary.LittleEndian.AppendUint32(w.buf, uint32(n))
	w.buf = append(w.buf, data...)
}

func (w *writer) bytes(at int, data []byte) {
	w.align(16, 4)
	w.vector(at, len(data), 1, data)
}

func (w *writer) text(at int, s string) { w.vector(at, len(s), 1, append([]byte(s), 0)) }

func (w *writer) ints(at int, values []int) {
	w.vector(at, len(values), 4, Int32s(values...))
}

// Int32s encodes values as little-endian int32.
func Int32s(values ...int) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, uint32(int32(v)))
	}
	return b
}

// Int16s encodes values as little-endian int16.
func Int16s(values ...int) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(v)))
	}
	return b
}

// Int8s encodes values as int8.
func Int8s(values ...int) []byte {
	b := make([]byte, len(values))
	for i, v := range values {
		b[i] = byte(int8(v))
	}
	return b
}

// Float32s encodes values as little-endian float32.
func Float32s(values ...float32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}
