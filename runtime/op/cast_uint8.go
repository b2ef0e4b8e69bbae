package op

import (
	"cmp"

	"kedge/runtime/tensor"
)

// castUint8 is CAST to or from uint8. Integers wrap around, reals are truncated
// and saturate, NaN becomes 255 and bools are 0 or 1; as a bool whatever is not 0
// is true.
func (p *Prep) castUint8(in, out operand) (Evaluator, error) {
	all := []tensor.Type{tensor.Int8, tensor.Uint8, tensor.Int16, tensor.Int32, tensor.Uint32, tensor.Int64, tensor.Float32, tensor.Bool}
	if err := cmp.Or(p.types(in, all...), p.types(out, all...)); err != nil {
		return nil, err
	}
	switch in.Type {
	case tensor.Uint8:
		return castFromUint8(in, out), nil
	case tensor.Int8, tensor.Bool:
		return &cast[uint8, uint8]{in.id, out.id, func(v uint8) uint8 { return v }}, nil
	case tensor.Int16:
		return &cast[int16, uint8]{in.id, out.id, func(v int16) uint8 { return uint8(v) }}, nil
	case tensor.Int64:
		return &cast[int64, uint8]{in.id, out.id, func(v int64) uint8 { return uint8(v) }}, nil
	case tensor.Float32:
		return &cast[float32, uint8]{in.id, out.id, func(v float32) uint8 {
			if v != v {
				return 255
			}
			return uint8(min(max(v, 0), 255))
		}}, nil
	}
	return &cast[int32, uint8]{in.id, out.id, func(v int32) uint8 { return uint8(v) }}, nil
}

func castFromUint8(in, out operand) Evaluator {
	switch out.Type {
	case tensor.Int8, tensor.Uint8:
		return &cast[uint8, uint8]{in.id, out.id, func(v uint8) uint8 { return v }}
	case tensor.Int16:
		return &cast[uint8, int16]{in.id, out.id, func(v uint8) int16 { return int16(v) }}
	case tensor.Int64:
		return &cast[uint8, int64]{in.id, out.id, func(v uint8) int64 { return int64(v) }}
	case tensor.Float32:
		return &cast[uint8, float32]{in.id, out.id, func(v uint8) float32 { return float32(v) }}
	case tensor.Bool:
		return &cast[uint8, uint8]{in.id, out.id, func(v uint8) uint8 { return truth(v != 0) }}
	}
	return &cast[uint8, int32]{in.id, out.id, func(v uint8) int32 { return int32(v) }}
}
