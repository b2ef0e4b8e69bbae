// Package tensor names what a tensor is: element type, shape and quantization
// parameters. It holds no data and does no arithmetic on it; begin with [Type]
// and [Shape]. Everything here is a plain value, safe to copy and to share
// between goroutines that do not write.
package tensor

import "strconv"

// Type is an element type. The values are those of TensorType in the TFLite
// schema, so that a decoded byte is the type.
type Type uint8

// The element types of the TFLite schema.
const (
	Float32 Type = iota
	Float16
	Int32
	Uint8
	Int64
	String
	Bool
	Int16
	Complex64
	Int8
	Float64
	Complex128
	Uint64
	Resource
	Variant
	Uint32
	Uint16
	Int4
	BFloat16
	Int2
	Uint4
	Float8E4M3FN
	Float8E5M2
)

// typeInfo is what is known of each type; bits is 0 where elements have no
// fixed size. A resource is a handle, the 32-bit number of what it stands for.
var typeInfo = [...]struct {
	name string
	bits int
}{
	Float32:      {"float32", 32},
	Float16:      {"float16", 16},
	Int32:        {"int32", 32},
	Uint8:        {"uint8", 8},
	Int64:        {"int64", 64},
	String:       {"string", 0},
	Bool:         {"bool", 8},
	Int16:        {"int16", 16},
	Complex64:    {"complex64", 64},
	Int8:         {"int8", 8},
	Float64:      {"float64", 64},
	Complex128:   {"complex128", 128},
	Uint64:       {"uint64", 64},
	Resource:     {"resource", 32},
	Variant:      {"variant", 0},
	Uint32:       {"uint32", 32},
	Uint16:       {"uint16", 16},
	Int4:         {"int4", 4},
	BFloat16:     {"bfloat16", 16},
	Int2:         {"int2", 2},
	Uint4:        {"uint4", 4},
	Float8E4M3FN: {"float8_e4m3fn", 8},
	Float8E5M2:   {"float8_e5m2", 8},
}

// String is the type's name as numpy spells it: "int8", "float32".
func (t Type) String() string {
	if int(t) < len(typeInfo) {
		return typeInfo[t].name
	}
	return "type " + strconv.Itoa(int(t))
}

// Bits is the size of one element, 0 if the type is unknown or has no fixed
// size. Types below 8 bits are packed, low half first.
func (t Type) Bits() int {
	if int(t) < len(typeInfo) {
		return typeInfo[t].bits
	}
	return 0
}

// Range is the smallest and largest value of an integer type that tensors are
// quantized to; ok is false for every other type.
func (t Type) Range() (lo, hi int32, ok bool) {
	switch t {
	case Int8:
		return -128, 127, true
	case Uint8:
		return 0, 255, true
	case Int16:
		return -32768, 32767, true
	case Int32:
		return -1 << 31, 1<<31 - 1, true
	}
	return 0, 0, false
}
