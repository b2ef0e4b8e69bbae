package tflite

import (
	"encoding/binary"
	"fmt"
	"math"

	"kedge/runtime/tensor"
)

// tensor decodes element i of v.
func (d *decoder) tensor(x *Tensor, v tableVector, i int) error {
	t, err := v.element(i)
	if err != nil {
		return err
	}
	if x.Name, err = d.text(t, 3); err != nil {
		return fmt.Errorf("name: %w", err)
	}
	x.Type = tensor.Type(t.Byte(1, 0))
	x.Variable = t.Bool(5, false)
	if x.Shape, err = d.ints(t, 0); err != nil {
		return fmt.Errorf("shape: %w", err)
	}
	if len(x.Shape) > maxRank {
		return fmt.Errorf("shape: %w: %d dimensions, at most %d", ErrMalformed, len(x.Shape), maxRank)
	}
	if x.Quant, err = d.quant(t); err != nil {
		return fmt.Errorf("quantization: %w", err)
	}
	if x.Variable {
		return nil // whatever data it names, its content starts anew
	}
	if x.Data, err = d.constant(t); err != nil {
		return fmt.Errorf("buffer: %w", err)
	}
	if err := d.sparsity(x, t); err != nil {
		return fmt.Errorf("%q: sparsity: %w", x.Name, err)
	}
	return nil
}

// constant is the tensor's data in the file, nil when it has none. Data kept
// elsewhere is refused, because the tensor would silently count as computed.
func (d *decoder) constant(t Table) ([]byte, error) {
	if t.Uint32(10, 0) != 0 {
		return nil, fmt.Errorf("%w: data in an external file", ErrMalformed)
	}
	i := int64(t.Uint32(2, 0))
	if i == 0 {
		return nil, nil
	}
	if i >= int64(d.buffers.n) {
		return nil, fmt.Errorf("%w: buffer %d of %d", ErrMalformed, i, d.buffers.n)
	}
	b, err := d.buffers.element(int(i))
	if err != nil {
		return nil, err
	}
	if b.Uint64(1, 0) > 1 {
		return nil, fmt.Errorf("%w: data behind the flatbuffer", ErrMalformed)
	}
	data, err := b.vector(0, 1)
	if len(data) == 0 {
		return nil, err
	}
	return data, err
}

func (d *decoder) quant(t Table) (tensor.Quant, error) {
	q, err := t.Table(4)
	if err != nil {
		return tensor.Quant{}, err
	}
	scales, err := q.vector(2, 4)
	if err != nil {
		return tensor.Quant{}, fmt.Errorf("scales: %w", err)
	}
	zeros, err := q.vector(3, 8)
	if err != nil {
		return tensor.Quant{}, fmt.Errorf("zero points: %w", err)
	}
	out := tensor.Quant{Dim: int(q.Int32(6, 0))}
	if out.Scales, err = alloc[float32](d.budget, len(scales)/4); err != nil {
		return out, err
	}
	for i := range out.Scales {
		s := math.Float32frombits(binary.LittleEndian.Uint32(scales[4*i:]))
		if !(s >= 0) || math.IsInf(float64(s), 0) {
			return out, fmt.Errorf("%w: scale %v", ErrMalformed, s)
		}
		out.Scales[i] = s
	}
	if out.ZeroPoints, err = alloc[int32](d.budget, len(zeros)/8); err != nil {
		return out, err
	}
	for i := range out.ZeroPoints {
		z := int64(binary.LittleEndian.Uint64(zeros[8*i:]))
		if int64(int32(z)) != z {
			return out, fmt.Errorf("%w: zero point %d", ErrMalformed, z)
		}
		out.ZeroPoints[i] = int32(z)
	}
	if n := len(out.ZeroPoints); n > 0 && n != len(out.Scales) {
		return out, fmt.Errorf("%w: %d scales, %d zero points", ErrMalformed, len(out.Scales), n)
	}
	return out, nil
}
