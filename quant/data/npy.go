package data

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"kedge/runtime/tensor"
)

// The .npy format: numpy's "numpy.lib.format" (NEP 1). A magic string, a
// version, the length of a header, a Python dictionary literal, the elements.

const npyMagic = "\x93NUMPY"

// maxHeader bounds the dictionary; numpy itself refuses more than 10,000.
const maxHeader = 10_000

// descriptors are the element types that are read and written, by numpy's name
// for their little-endian form.
var descriptors = []struct {
	name string
	kind tensor.Type
}{
	{"<f4", tensor.Float32}, {"<f8", tensor.Float64},
	{"|i1", tensor.Int8}, {"<i2", tensor.Int16}, {"<i4", tensor.Int32}, {"<i8", tensor.Int64},
	{"|u1", tensor.Uint8}, {"<u2", tensor.Uint16}, {"<u4", tensor.Uint32},
	{"|b1", tensor.Bool},
}

// ReadNPY reads one array of at most limit bytes of elements.
// Errors match ErrFormat, ErrUnsupported or ErrTooLarge, or are r's.
func ReadNPY(r io.Reader, limit int64) (Array, error) {
	text, err := readHeader(r)
	if err != nil {
		return Array{}, err
	}
	h, err := parseHeader(text)
	if err != nil {
		return Array{}, err
	}
	a := Array{Shape: h.shape}
	if a.Type, err = typeOf(h.descr); err != nil {
		return Array{}, err
	}
	size, ok := a.Shape.Bytes(a.Type)
	if !ok || int64(size) > limit {
		return Array{}, fmt.Errorf("%w: array of shape %v, limit %d bytes", ErrTooLarge, a.Shape, limit)
	}
	// Grown by what really arrives: the header's claim alone allocates nothing.
	var buf bytes.Buffer
	if n, err := io.Copy(&buf, io.LimitReader(r, int64(size))); err != nil {
		return Array{}, err
	} else if n != int64(size) {
		return Array{}, fmt.Errorf("%w: %d bytes of elements, shape %v wants %d", ErrFormat, n, a.Shape, size)
	}
	a.Data = buf.Bytes()
	if h.fortran {
		a.Data = toRowMajor(a.Data, a.Shape, a.Type.Bits()/8)
	}
	return a, nil
}

func readHeader(r io.Reader) (string, error) {
	var start [8]byte
	if _, err := io.ReadFull(r, start[:]); err != nil {
		return "", fmt.Errorf("%w: no .npy header: %w", ErrFormat, err)
	}
	if string(start[:6]) != npyMagic {
		return "", fmt.Errorf("%w: no .npy array", ErrFormat)
	}
	wide := 2 // bytes of the header's length
	switch start[6] {
	case 1:
	case 2, 3:
		wide = 4
	default:
		return "", fmt.Errorf("%w: .npy version %d.%d", ErrUnsupported, start[6], start[7])
	}
	var length [4]byte
	if _, err := io.ReadFull(r, length[:wide]); err != nil {
		return "", fmt.Errorf("%w: .npy header: %w", ErrFormat, err)
	}
	n := binary.LittleEndian.Uint32(length[:])
	if n > maxHeader {
		return "", fmt.Errorf("%w: .npy header of %d bytes", ErrFormat, n)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return "", fmt.Errorf("%w: .npy header: %w", ErrFormat, err)
	}
	return string(text), nil
}

func typeOf(descr string) (tensor.Type, error) {
	for _, d := range descriptors {
		// A single byte has no order: "<u1" and "=u1" are "|u1".
		if d.name == descr || d.name[0] == '|' && len(descr) == 3 && d.name[1:] == descr[1:] {
			return d.kind, nil
		}
	}
	return 0, fmt.Errorf("%w: element type %q, want little-endian numbers such as <f4 or <i8", ErrUnsupported, descr)
}

// toRowMajor reorders elements stored first index fastest.
func toRowMajor(p []byte, shape tensor.Shape, size int) []byte {
	out := make([]byte, len(p))
	index := make([]int, len(shape))
	for at := 0; at < len(p); at += size {
		to, stride := 0, 1
		for d := len(shape) - 1; d >= 0; d-- {
			to += index[d] * stride
			stride *= shape[d]
		}
		copy(out[to*size:(to+1)*size], p[at:at+size])
		for d := range index {
			if index[d]++; index[d] < shape[d] {
				break
			}
			index[d] = 0
		}
	}
	return out
}

// WriteNPY writes a in version 1.0 of the format.
func WriteNPY(w io.Writer, a Array) error {
	i := slices.IndexFunc(descriptors, func(d struct {
		name string
		kind tensor.Type
	}) bool {
		return d.kind == a.Type
	})
	if i < 0 {
		return fmt.Errorf("%w: %v", ErrUnsupported, a.Type)
	}
	if n, ok := a.Shape.Bytes(a.Type); !ok || n != len(a.Data) {
		return fmt.Errorf("%w: %d bytes for %v %v", ErrFormat, len(a.Data), a.Type, a.Shape)
	}
	var dims strings.Builder
	for _, d := range a.Shape {
		dims.WriteString(strconv.Itoa(d) + ",") // "(3,)" is a tuple of one
	}
	head := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descriptors[i].name, dims.String())
	// Elements begin at a multiple of 64 bytes, the header ends in a newline.
	const before = len(npyMagic) + 4
	head += strings.Repeat(" ", 63-(before+len(head))%64) + "\n"
	if len(head) > math.MaxUint16 {
		return fmt.Errorf("%w: %d dimensions", ErrUnsupported, len(a.Shape))
	}
	start := append([]byte(npyMagic), 1, 0)
	start = binary.LittleEndian.AppendUint16(start, uint16(len(head)))
	if _, err := w.Write(append(start, head...)); err != nil {
		return err
	}
	_, err := w.Write(a.Data)
	return err
}
