package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// Tensor is a constant. Real numbers of every width are in Float, integers and
// truth values (0 and 1) in Int; exactly one of the two is used, as Type says,
// in C order.
type Tensor struct {
	Shape tensor.Shape
	Type  tensor.Type
	Float []float32
	Int   []int64
}

func (t *Tensor) isReal() bool { return isReal(t.Type) }

func isReal(t tensor.Type) bool {
	switch t {
	case tensor.Float32, tensor.Float16, tensor.BFloat16, tensor.Float64:
		return true
	}
	return false
}

// length is the number of values that t carries.
func (t *Tensor) length() int {
	if t.isReal() {
		return len(t.Float)
	}
	return len(t.Int)
}

// tensorProto is a TensorProto with the repeated fields merged by what they
// hold: they exclude each other.
type tensorProto struct {
	name     string
	dims     []int64
	dataType int64
	external bool
	raw      []byte // part of the file
	reals    []float32
	ints     []int64
}

func (t *tensorProto) decode(b []byte) error {
	return fields(b, func(f field) error {
		switch f.number {
		case 1:
			return f.integers(&t.dims)
		case 2:
			return f.integer(&t.dataType)
		case 4:
			return f.floats(&t.reals)
		case 5, 7, 11: // int32_data, int64_data, uint64_data
			return f.integers(&t.ints)
		case 8:
			return f.text(&t.name)
		case 9:
			t.raw = f.bytes
			return f.is(protowire.BytesType)
		case 10:
			return f.doubles(&t.reals)
		case 14: // data_location: 0 here, 1 in another file
			t.external = f.bits != 0
			return f.is(protowire.VarintType)
		}
		return nil
	})
}

// types are the codes of TensorProto.DataType that constants and graph inputs
// may have.
var types = map[int64]tensor.Type{
	1: tensor.Float32, 2: tensor.Uint8, 3: tensor.Int8, 4: tensor.Uint16, 5: tensor.Int16, 6: tensor.Int32, 7: tensor.Int64,
	9: tensor.Bool, 10: tensor.Float16, 11: tensor.Float64, 12: tensor.Uint32, 13: tensor.Uint64, 16: tensor.BFloat16,
}

// values converts the tensor. It allocates in proportion to the data that the
// file holds for it.
func (t *tensorProto) values() (*Tensor, error) {
	kind, ok := types[t.dataType]
	if !ok {
		return nil, fmt.Errorf("%w: tensor %q has element type %d of TensorProto.DataType", graph.ErrUnsupported, t.name, t.dataType)
	}
	if t.external {
		return nil, fmt.Errorf("%w: tensor %q keeps its values in another file (external data): save the model as one file", graph.ErrUnsupported, t.name)
	}
	out := &Tensor{Type: kind, Shape: make(tensor.Shape, len(t.dims))}
	if err := checkRank(out.Shape); err != nil {
		return nil, fmt.Errorf("tensor %q: %w", t.name, err)
	}
	for i, d := range t.dims {
		if d < 0 || d > math.MaxInt32 {
			return nil, fmt.Errorf("%w: tensor %q has dimensions %v", ErrFormat, t.name, t.dims)
		}
		out.Shape[i] = int(d)
	}
	n, ok := out.Shape.Elements()
	if !ok {
		return nil, fmt.Errorf("%w: tensor %q has shape %v", ErrFormat, t.name, out.Shape)
	}
	t.fill(out)
	if have := out.length(); have != n {
		return nil, fmt.Errorf("%w: tensor %q has data for %d elements, want %d of shape %v", ErrFormat, t.name, have, n, out.Shape)
	}
	return out, nil
}

// fill converts as many elements as there are.
func (t *tensorProto) fill(out *Tensor) {
	width := out.Type.Bits() / 8
	if !out.isReal() {
		out.Int = t.ints
		if len(t.ints) == 0 {
			out.Int = make([]int64, len(t.raw)/width)
			for i := range out.Int {
				out.Int[i] = integerAt(t.raw[i*width:], out.Type)
			}
		}
		return
	}
	out.Float = t.reals
	switch {
	case len(t.reals) > 0:
	case len(t.ints) > 0: // the 16-bit types keep their bits in int32_data
		out.Float = make([]float32, len(t.ints))
		for i, v := range t.ints {
			out.Float[i] = half(uint16(v), out.Type)
		}
	default:
		out.Float = make([]float32, len(t.raw)/width)
		for i := range out.Float {
			out.Float[i] = realAt(t.raw[i*width:], out.Type)
		}
	}
}

// realAt reads one real number of type t, little endian.
func realAt(b []byte, t tensor.Type) float32 {
	switch t {
	case tensor.Float64:
		return float32(math.Float64frombits(binary.LittleEndian.Uint64(b)))
	case tensor.Float32:
		return math.Float32frombits(binary.LittleEndian.Uint32(b))
	}
	return half(binary.LittleEndian.Uint16(b), t)
}

// half is the value of the 16 bits of a binary16 or a bfloat16.
func half(bits uint16, t tensor.Type) float32 {
	if t == tensor.BFloat16 {
		return math.Float32frombits(uint32(bits) << 16)
	}
	sign, exponent, mantissa := uint32(bits>>15)<<31, int(bits>>10&31), float64(bits&1023)
	var v float64
	switch exponent {
	case 0:
		v = math.Ldexp(mantissa, -24)
	case 31:
		v = math.Inf(1)
		if mantissa != 0 {
			v = math.NaN()
		}
	default:
		v = math.Ldexp(1024+mantissa, exponent-25)
	}
	return math.Float32frombits(math.Float32bits(float32(v)) | sign)
}

// integerAt reads one integer of type t, little endian.
func integerAt(b []byte, t tensor.Type) int64 {
	switch t {
	case tensor.Bool, tensor.Uint8:
		return int64(b[0])
	case tensor.Int8:
		return int64(int8(b[0]))
	case tensor.Uint16:
		return int64(binary.LittleEndian.Uint16(b))
	case tensor.Int16:
		return int64(int16(binary.LittleEndian.Uint16(b)))
	case tensor.Uint32:
		return int64(binary.LittleEndian.Uint32(b))
	case tensor.Int32:
		return int64(int32(binary.LittleEndian.Uint32(b)))
	}
	return int64(binary.LittleEndian.Uint64(b))
}
