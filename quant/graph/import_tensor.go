package graph

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// tensors reads them all, with the data of constants.
func (r *reader) tensors(tensors []tflite.Tensor) error {
	given := make([]bool, len(tensors))
	for _, id := range r.g.Inputs {
		given[id] = true
	}
	for i := range tensors {
		from := &tensors[i]
		t := Tensor{Name: from.Name, Shape: slices.Clone(from.Shape), Type: from.Type, Quant: from.Quant}
		if len(t.Shape) == 1 && t.Quant.PerChannel() {
			t.Quant.Dim = 0 // old files have the weights' dimension there, for biases too
		}
		id := r.append(t)
		var err error
		switch {
		case from.Variable:
			r.refused[id], r.ready[id] = "keeps its content from run to run", true
			fallthrough
		case from.Data == nil:
			err = r.activation(id, given[i])
		default:
			err = r.constant(id, from)
		}
		if err == nil {
			err = r.g.checkTensor(id)
		}
		if err != nil {
			return fmt.Errorf("tensor %d %s: %w", i, from.Label(i), err)
		}
	}
	return nil
}

// activation settles the shape of a tensor without data. Extents of −1 are
// decided by what a run is given: those of a graph input have to be known, but for
// the batch.
func (r *reader) activation(id TensorID, given bool) error {
	t := r.g.Tensor(id)
	if !given {
		if slices.ContainsFunc(t.Shape, func(d int) bool { return d < 0 }) {
			t.Shape = nil
		}
		return nil
	}
	r.ready[id] = true
	if len(t.Shape) > 0 && t.Shape[0] == -1 {
		t.Shape[0] = 1
	}
	if i := slices.Index(t.Shape, -1); i >= 0 {
		return fmt.Errorf("%w: dimension %d of the model's input is open; convert the model with a fixed input shape", ErrUnsupported, i)
	}
	if !slices.Contains(activationTypes, t.Type) {
		r.refused[id] = fmt.Sprintf("is an input of type %v", t.Type)
	}
	return nil
}

// constant reads the data of tensor id.
func (r *reader) constant(id TensorID, from *tflite.Tensor) error {
	t, data := r.g.Tensor(id), from.Data
	r.ready[id] = true
	if from.Compressed {
		var err error
		if data, err = from.Expand(r.budget); err != nil {
			return err
		}
	}
	bytes, ok := t.Shape.Bytes(t.Type)
	if t.Type.Bits() == 0 || !decodes(t.Type) {
		r.refused[id] = fmt.Sprintf("is a constant of type %v", t.Type)
		if !ok {
			t.Shape = nil
		}
		return nil
	}
	if !ok || bytes != len(data) {
		return fmt.Errorf("%w: %d bytes of data for %v %v", ErrInvalid, len(data), t.Type, t.Shape)
	}
	n, _ := t.Shape.Elements()
	if err := r.budget.Spend(n, max(t.Type.Bits()/8, 1)); err != nil {
		return err
	}
	return r.decode(t, data, n)
}

func decodes(t tensor.Type) bool {
	switch t {
	case tensor.Float32, tensor.Float16, tensor.Int4, tensor.Int8, tensor.Uint8, tensor.Int16, tensor.Int32, tensor.Int64:
		return true
	}
	return false
}

// decode gives t its n values. Weights of four bits become int8 of the same
// values, and float16 becomes float32, which holds all of its values.
func (r *reader) decode(t *Tensor, data []byte, n int) error {
	le := binary.LittleEndian
	switch t.Type {
	case tensor.Float32:
		t.Float = values(n, func(i int) float32 { return math.Float32frombits(le.Uint32(data[4*i:])) })
	case tensor.Float16:
		if err := r.budget.Spend(n, 2); err != nil {
			return err
		}
		t.Type, t.Float = tensor.Float32, values(n, func(i int) float32 { return float16(le.Uint16(data[2*i:])) })
	case tensor.Int4:
		t.Type, t.Int8 = tensor.Int8, values(n, func(i int) int8 { return int8(data[i/2]>>(i%2*4)<<4) >> 4 })
	case tensor.Int8:
		t.Int8 = values(n, func(i int) int8 { return int8(data[i]) })
	case tensor.Uint8:
		t.Uint8 = slices.Clone(data)
	case tensor.Int16:
		t.Int16 = values(n, func(i int) int16 { return int16(le.Uint16(data[2*i:])) })
	case tensor.Int32:
		t.Int32 = values(n, func(i int) int32 { return int32(le.Uint32(data[4*i:])) })
	case tensor.Int64:
		t.Int64 = values(n, func(i int) int64 { return int64(le.Uint64(data[8*i:])) })
	}
	return nil
}

func values[T any](n int, at func(int) T) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = at(i)
	}
	return out
}

// float16 widens an IEEE 754 binary16.
func float16(bits uint16) float32 {
	sign, exponent, fraction := uint32(bits>>15)<<31, uint32(bits>>10&31), uint32(bits&1023)
	switch exponent {
	case 0: // zero and subnormal numbers: the fraction in units of 2⁻²⁴
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)/(1<<24)))
	case 31: // infinite, or no number
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}
