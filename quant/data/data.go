// Package data reads and writes the sample sets that compression and training
// work on: NumPy's .npy arrays and .npz archives of them, CSV, raw elements, and
// folders of images and sounds.
//
// Start with Load for samples of any kind, with ReadNPZ or WriteNPZ for arrays by
// name. Files are taken as untrusted: whatever the bytes, reading ends with samples
// or an error, and allocates no more than a small multiple of the limit that the
// caller gives. The same files give the same samples, bit by bit, on every machine,
// and written files depend on their content alone. Functions may run concurrently;
// an Array and Samples are plain data.
package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"kedge/runtime/tensor"
)

var (
	// ErrFormat: the bytes are no array or archive, or contradict themselves.
	ErrFormat = errors.New("data: malformed file")
	// ErrUnsupported: a well-formed array of a kind that is not read here.
	ErrUnsupported = errors.New("data: unsupported array")
	// ErrTooLarge: the content exceeds the caller's limit.
	ErrTooLarge = errors.New("data: file is larger than allowed")
	// ErrMissing: the archive lacks an array, or the table a column, that was asked for.
	ErrMissing = errors.New("data: array or column is missing")
)

// Array is a dense array in C order (last index fastest).
type Array struct {
	Shape tensor.Shape
	Type  tensor.Type
	Data  []byte // little-endian elements
}

// FromFloat32s makes a float32 array; shape must have as many elements as v.
func FromFloat32s(v []float32, shape ...int) Array {
	a := Array{Shape: shape, Type: tensor.Float32, Data: make([]byte, 0, 4*len(v))}
	for _, x := range v {
		a.Data = binary.LittleEndian.AppendUint32(a.Data, math.Float32bits(x))
	}
	return a
}

// FromInts makes a one-dimensional int32 array; values beyond int32 are an
// error, as class numbers are far below.
func FromInts(v []int) (Array, error) {
	a := Array{Shape: tensor.Shape{len(v)}, Type: tensor.Int32, Data: make([]byte, 0, 4*len(v))}
	for i, x := range v {
		if int64(x) != int64(int32(x)) {
			return Array{}, fmt.Errorf("%w: value %d at index %d does not fit int32", ErrUnsupported, x, i)
		}
		a.Data = binary.LittleEndian.AppendUint32(a.Data, uint32(int32(x)))
	}
	return a, nil
}

// Float32s converts every element of a numeric array to float32.
func (a Array) Float32s() ([]float32, error) {
	read, size := reader(a.Type)
	if read == nil {
		return nil, fmt.Errorf("%w: %v where numbers are wanted", ErrUnsupported, a.Type)
	}
	out := make([]float32, len(a.Data)/size)
	for i := range out {
		out[i] = float32(read(a.Data[i*size:]))
	}
	return out, nil
}

// Ints converts every element to int; an element that is not whole or does not
// fit is an error that matches ErrFormat.
func (a Array) Ints() ([]int, error) {
	read, size := reader(a.Type)
	if read == nil {
		return nil, fmt.Errorf("%w: %v where whole numbers are wanted", ErrUnsupported, a.Type)
	}
	out := make([]int, len(a.Data)/size)
	for i := range out {
		v := read(a.Data[i*size:])
		if v != math.Trunc(v) || math.Abs(v) > math.MaxInt32 {
			return nil, fmt.Errorf("%w: value %v at index %d is no whole number of 32 bits", ErrFormat, v, i)
		}
		out[i] = int(v)
	}
	return out, nil
}

// reader gives the function that reads one element, and the element's size in
// bytes; nil for a type that holds no plain number. Int64 beyond 2⁵³ loses
// digits, which no caller's range admits.
func reader(t tensor.Type) (read func([]byte) float64, size int) {
	le := binary.LittleEndian
	switch t {
	case tensor.Float32:
		return func(p []byte) float64 { return float64(math.Float32frombits(le.Uint32(p))) }, 4
	case tensor.Float64:
		return func(p []byte) float64 { return math.Float64frombits(le.Uint64(p)) }, 8
	case tensor.Bool, tensor.Uint8:
		return func(p []byte) float64 { return float64(p[0]) }, 1
	case tensor.Int8:
		return func(p []byte) float64 { return float64(int8(p[0])) }, 1
	case tensor.Uint16:
		return func(p []byte) float64 { return float64(le.Uint16(p)) }, 2
	case tensor.Int16:
		return func(p []byte) float64 { return float64(int16(le.Uint16(p))) }, 2
	case tensor.Int32:
		return func(p []byte) float64 { return float64(int32(le.Uint32(p))) }, 4
	case tensor.Uint32:
		return func(p []byte) float64 { return float64(le.Uint32(p)) }, 4
	case tensor.Int64:
		return func(p []byte) float64 { return float64(int64(le.Uint64(p))) }, 8
	}
	return nil, 0
}
