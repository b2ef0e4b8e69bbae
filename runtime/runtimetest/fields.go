package runtimetest

import (
	"encoding/binary"
	"strconv"
	"strings"

	"kedge/runtime/tflite"
)

// Field is one number in a .tflite file whose meaning the format decides: an
// offset, a size, a count, or a value.
type Field struct {
	Path  string // subgraphs[0].tensors[3].shape[1]
	Pos   int    // in the file
	Width int    // bytes: 1, 2, 4 or 8
	Float bool
}

// Kind is the path without indices, by which fields of the same meaning are
// known.
func (f *Field) Kind() string {
	var b strings.Builder
	inside := false
	for _, r := range f.Path {
		if r == '[' {
			inside = true
		}
		if !inside {
			b.WriteRune(r)
		}
		if r == ']' {
			inside = false
		}
	}
	return b.String()
}

// Get reads the field, Set writes it.
func (f *Field) Get(file []byte) uint64 {
	var wide [8]byte
	copy(wide[:], file[f.Pos:f.Pos+f.Width])
	return binary.LittleEndian.Uint64(wide[:])
}

// Set writes the low bytes of v.
func (f *Field) Set(file []byte, v uint64) {
	var wide [8]byte
	binary.LittleEndian.PutUint64(wide[:], v)
	copy(file[f.Pos:f.Pos+f.Width], wide[:])
}

// Fields lists every field of a sound .tflite file: the offsets, vtables, tables,
// vectors and strings that it consists of, from front to back as they are reached.
// It panics on a file that is not sound. It shares no code with the decoder, so
// that tests of that one have a second opinion of what a file holds.
func Fields(file []byte) []Field {
	w := &walker{file: file, seen: map[int]bool{}}
	w.table("", "Model", w.offset("root", 0))
	w.add("identifier", 4, 4)
	return w.fields
}

type walker struct {
	file   []byte
	fields []Field
	seen   map[int]bool  // tables and vectors, by position
	codes  []tflite.Code // of the model's operator codes
	code   tflite.Code   // of the operator being walked
	index  byte          // of the union of index vectors being walked
}

func (w *walker) u16(at int) int { return int(binary.LittleEndian.Uint16(w.file[at:])) }
func (w *walker) u32(at int) int { return int(int32(binary.LittleEndian.Uint32(w.file[at:]))) }

func (w *walker) add(path string, pos, width int) {
	w.fields = append(w.fields, Field{Path: path, Pos: pos, Width: width})
}

// offset adds an offset field and gives its target.
func (w *walker) offset(path string, pos int) int {
	w.add(path, pos, 4)
	return pos + w.u32(pos)
}

// table walks the table at pos.
func (w *walker) table(path, kind string, pos int) {
	if w.seen[pos] {
		return
	}
	w.seen[pos] = true
	w.add(join(path, "vtable"), pos, 4)
	vtable := pos - w.u32(pos)
	size := w.u16(vtable)
	if !w.seen[vtable] {
		w.seen[vtable] = true
		w.add(join(path, "vtable.size"), vtable, 2)
		w.add(join(path, "table.size"), vtable+2, 2)
		for at := 4; at < size; at += 2 {
			w.add(join(path, "slot"), vtable+at, 2)
		}
	}
	slots := make([]int, (size-4)/2)
	for i := range slots {
		slots[i] = w.u16(vtable + 4 + 2*i)
	}
	known := strings.Fields(schema[kind])
	switch kind {
	case "OperatorCode":
		w.codes = append(w.codes, 0)
	case "Operator":
		w.code = w.codes[0] // unless the field says otherwise
	case "Options":
		known = strings.Fields(optionVectors[w.code])
	case "Indices":
		known = strings.Fields(indexVectors[w.index])
	}
	for i, at := range slots {
		if at == 0 {
			continue
		}
		if i < len(known) {
			name, typ, _ := strings.Cut(known[i], ":")
			w.field(join(path, name), typ, pos+at)
		} else {
			w.add(join(path, "field"+strconv.Itoa(i)), pos+at, gap(slots, at, w.u16(vtable+2)))
		}
	}
}

// gap is the width of a scalar of unknown type: as far as the next one.
func gap(slots []int, at, end int) int {
	for _, s := range slots {
		if s > at {
			end = min(end, s)
		}
	}
	switch n := end - at; {
	case n >= 4 && at%4 == 0:
		return 4
	case n >= 2 && at%2 == 0:
		return 2
	default:
		return 1
	}
}

// widths are the scalar types.
var widths = map[string]int{"u8": 1, "u16": 2, "u32": 4, "f32": 4, "u64": 8}

func (w *walker) field(path, typ string, pos int) {
	if n := widths[typ]; n > 0 {
		w.add(path, pos, n)
		w.note(path, pos)
		return
	}
	target := w.offset(path, pos)
	switch {
	case typ == "string":
		w.vector(path, "", target)
	case strings.HasPrefix(typ, "["):
		w.vector(path, strings.Trim(typ, "[]"), target)
	default:
		w.table(path, typ, target)
	}
}

// note keeps what decides how later fields are read.
func (w *walker) note(path string, pos int) {
	switch {
	case strings.HasSuffix(path, ".opcode_index"):
		w.code = w.codes[w.u32(pos)]
	case strings.HasSuffix(path, ".deprecated_builtin_code"):
		w.codes[len(w.codes)-1] = tflite.Code(int8(w.file[pos]))
	case strings.HasSuffix(path, ".builtin_code"):
		last := &w.codes[len(w.codes)-1]
		*last = max(*last, tflite.Code(w.u32(pos)))
	case strings.HasSuffix(path, "array_segments_type"), strings.HasSuffix(path, "array_indices_type"):
		w.index = w.file[pos]
	}
}

// vector walks the vector at pos, whose elements are of the given type; those of
// a string and of large buffers are not listed.
func (w *walker) vector(path, element string, pos int) {
	if w.seen[pos] {
		return
	}
	w.seen[pos] = true
	w.add(path+".length", pos, 4)
	n := w.u32(pos)
	width, scalar := widths[element]
	if strings.HasSuffix(path, ".data") && strings.HasPrefix(path, "buffers") {
		if n > maxConstant {
			return
		}
		if n%4 == 0 { // integers, as far as operators read them
			n, width = n/4, 4
		}
	}
	for i := range n {
		switch at := path + "[" + strconv.Itoa(i) + "]"; {
		case scalar && i >= ends && i < n-ends:
		case scalar:
			w.fields = append(w.fields, Field{at, pos + 4 + i*width, width, element == "f32"})
		case element != "":
			w.table(at, element, w.offset(at, pos+4+4*i))
		}
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
