package onnx

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// field is one field of a protobuf message: bytes for the length-delimited
// kinds, bits for the others.
type field struct {
	number protowire.Number
	kind   protowire.Type
	bits   uint64
	bytes  []byte
}

// fields calls visit for every field of message, in order. The bytes of a field
// are part of message, not a copy.
func fields(message []byte, visit func(field) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return fmt.Errorf("%w: %w", ErrFormat, protowire.ParseError(n))
		}
		message = message[n:]
		f := field{number: number, kind: kind}
		switch kind {
		case protowire.VarintType:
			f.bits, n = protowire.ConsumeVarint(message)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(message)
			f.bits = uint64(v)
		case protowire.Fixed64Type:
			f.bits, n = protowire.ConsumeFixed64(message)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(message)
		default:
			return fmt.Errorf("%w: field %d has wire type %d, which ONNX does not use", ErrFormat, number, kind)
		}
		if n < 0 {
			return fmt.Errorf("%w: field %d: %w", ErrFormat, number, protowire.ParseError(n))
		}
		message = message[n:]
		if err := visit(f); err != nil {
			return err
		}
	}
	return nil
}

func (f field) is(kind protowire.Type) error {
	if f.kind != kind {
		return fmt.Errorf("%w: field %d has wire type %d, want %d", ErrFormat, f.number, f.kind, kind)
	}
	return nil
}

func (f field) text(to *string) error {
	*to = string(f.bytes)
	return f.is(protowire.BytesType)
}

func (f field) texts(to *[]string) error {
	*to = append(*to, string(f.bytes))
	return f.is(protowire.BytesType)
}

func (f field) integer(to *int64) error {
	*to = int64(f.bits)
	return f.is(protowire.VarintType)
}

func (f field) float(to *float32) error {
	*to = math.Float32frombits(uint32(f.bits))
	return f.is(protowire.Fixed32Type)
}

// message decodes an embedded message.
func (f field) message(decode func([]byte) error) error {
	if err := f.is(protowire.BytesType); err != nil {
		return err
	}
	return decode(f.bytes)
}

// integers appends a repeated integer, packed or one by one.
func (f field) integers(to *[]int64) error {
	if f.kind == protowire.VarintType {
		*to = append(*to, int64(f.bits))
		return nil
	}
	for b := f.bytes; len(b) > 0; {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return fmt.Errorf("%w: field %d: %w", ErrFormat, f.number, protowire.ParseError(n))
		}
		*to, b = append(*to, int64(v)), b[n:]
	}
	return f.is(protowire.BytesType)
}

// floats appends a repeated float, packed or one by one.
func (f field) floats(to *[]float32) error {
	if f.kind == protowire.Fixed32Type {
		*to = append(*to, math.Float32frombits(uint32(f.bits)))
		return nil
	}
	for b := f.bytes; len(b) > 0; {
		v, n := protowire.ConsumeFixed32(b)
		if n < 0 {
			return fmt.Errorf("%w: field %d: %w", ErrFormat, f.number, protowire.ParseError(n))
		}
		*to, b = append(*to, math.Float32frombits(v)), b[n:]
	}
	return f.is(protowire.BytesType)
}

// doubles appends a repeated double, packed or one by one, as float32.
func (f field) doubles(to *[]float32) error {
	if f.kind == protowire.Fixed64Type {
		*to = append(*to, float32(math.Float64frombits(f.bits)))
		return nil
	}
	for b := f.bytes; len(b) > 0; {
		v, n := protowire.ConsumeFixed64(b)
		if n < 0 {
			return fmt.Errorf("%w: field %d: %w", ErrFormat, f.number, protowire.ParseError(n))
		}
		*to, b = append(*to, float32(math.Float64frombits(v))), b[n:]
	}
	return f.is(protowire.BytesType)
}
