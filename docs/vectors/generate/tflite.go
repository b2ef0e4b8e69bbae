package main

import (
	"encoding/binary"
	"math"
)

// The model of the vectors is written here field by field, so that it stays the
// same whatever becomes of the project's own writer. The numbers of fields and
// enumerations are those of TensorFlow Lite's schema (schema.fbs, version 3).

// A flat buffer's values: a table's slots, a vector, a string.
type (
	table   []any // by field number; nil is absent
	tables  []table
	ints    []int32
	longs   []int64
	floats  []float32
	bytes16 []byte // a vector of bytes that begins at a multiple of 16
)

// A flatbuffer grows at its end; every reference points forward.
type flatbuffer struct{ buf []byte }

func (f *flatbuffer) align(n, ahead int) {
	for (len(f.buf)+ahead)%n != 0 {
		f.buf = append(f.buf, 0)
	}
}

func (f *flatbuffer) u32(v uint32) { f.buf = binary.LittleEndian.AppendUint32(f.buf, v) }
func (f *flatbuffer) u16(v int)    { f.buf = binary.LittleEndian.AppendUint16(f.buf, uint16(v)) }

// length writes the length of a vector whose elements need that alignment.
func (f *flatbuffer) length(n, align int) int {
	f.align(align, 4)
	at := len(f.buf)
	f.u32(uint32(n))
	return at
}

// value appends v and returns where a reference to it points.
func (f *flatbuffer) value(v any) int {
	switch v := v.(type) {
	case table:
		return f.table(v)
	case tables:
		at := f.length(len(v), 4)
		f.buf = append(f.buf, make([]byte, 4*len(v))...)
		for i, t := range v {
			f.refer(at+4+4*i, t)
		}
		return at
	case ints:
		at := f.length(len(v), 4)
		for _, x := range v {
			f.u32(uint32(x))
		}
		return at
	case longs:
		at := f.length(len(v), 8)
		for _, x := range v {
			f.buf = binary.LittleEndian.AppendUint64(f.buf, uint64(x))
		}
		return at
	case floats:
		at := f.length(len(v), 4)
		for _, x := range v {
			f.u32(math.Float32bits(x))
		}
		return at
	case bytes16:
		at := f.length(len(v), 16)
		f.buf = append(f.buf, v...)
		return at
	case string:
		at := f.length(len(v), 4)
		f.buf = append(append(f.buf, v...), 0)
		return at
	}
	panic("BUG: no flat buffer value")
}

// refer appends v and lets the four bytes at place point to it.
func (f *flatbuffer) refer(place int, v any) {
	at := f.value(v)
	binary.LittleEndian.PutUint32(f.buf[place:], uint32(at-place))
}

// table gives every present field four bytes, small ones too.
func (f *flatbuffer) table(slots table) int {
	vtable := 4 + 2*len(slots)
	f.align(4, vtable)
	f.u16(vtable)
	size := 4
	for _, s := range slots {
		if s != nil {
			size += 4
		}
	}
	f.u16(size)
	offset := 4
	for _, s := range slots {
		if s == nil {
			f.u16(0)
			continue
		}
		f.u16(offset)
		offset += 4
	}
	at := len(f.buf)
	f.u32(uint32(vtable)) // the vtable lies right before the table
	var later []func()
	for _, s := range slots {
		place := len(f.buf)
		switch s := s.(type) {
		case nil:
			continue
		case byte:
			f.buf = append(f.buf, s, 0, 0, 0)
		case int:
			f.u32(uint32(int32(s)))
		case float32:
			f.u32(math.Float32bits(s))
		default:
			f.u32(0)
			later = append(later, func() { f.refer(place, s) })
		}
	}
	for _, write := range later {
		write()
	}
	return at
}

// modelFile encodes a model as a .tflite file.
func modelFile(model table) []byte {
	f := &flatbuffer{buf: make([]byte, 8)}
	copy(f.buf[4:], "TFL3")
	f.refer(0, model)
	return f.buf
}

// pumpModel is a dense layer of two inputs and two outputs and a softmax.
func pumpModel() []byte {
	const int8Type, int32Type = byte(9), byte(2)
	tensor := func(shape ints, kind byte, buffer int, name string, scale float32, zero int64) table {
		return table{shape, kind, buffer, name, table{nil, nil, floats{scale}, longs{zero}}}
	}
	weights := bytes16{0xb0, 0xd0, 0x50, 0x30} // −80 −48 for "good", 80 48 for "worn"
	bias := make(bytes16, 0, 8)
	for _, b := range []int32{900, -900} {
		bias = binary.LittleEndian.AppendUint32(bias, uint32(b))
	}
	return modelFile(table{
		3,
		tables{{byte(9), nil, 1, 9}, {byte(25), nil, 1, 25}}, // FULLY_CONNECTED, SOFTMAX
		tables{{
			tables{
				tensor(ints{1, 2}, int8Type, 0, "input", inputScale, inputZeroPoint),
				tensor(ints{2, 2}, int8Type, 1, "weights", 0.015625, 0),
				tensor(ints{2}, int32Type, 2, "bias", inputScale*0.015625, 0),
				tensor(ints{1, 2}, int8Type, 0, "logits", 0.0625, 0),
				tensor(ints{1, 2}, int8Type, 0, "output", 0.00390625, -128),
			},
			ints{0}, ints{4},
			tables{
				{0, ints{0, 1, 2}, ints{3}, byte(8), table{byte(0)}}, // FullyConnectedOptions
				{1, ints{3}, ints{4}, byte(9), table{float32(1)}},    // SoftmaxOptions
			},
			"main",
		}},
		"kedge test vector",
		tables{{}, {weights}, {bias}},
	})
}
