package op

import (
	"cmp"
	"math"

	"kedge/runtime/tensor"
)

// cast is CAST: raw values converted. Integers wrap around. Reals are truncated
// to int32 (for uint32: to int64) and then wrap around; what does not fit, NaN
// too, counts as the lowest. C leaves that undefined, x86 does it so.
type cast[I, O element] struct {
	in, out int
	f       func(I) O
}

func (c *cast[I, O]) Eval(m *Memory) {
	out := get[O](m, c.out)
	for i, v := range get[I](m, c.in)[:len(out)] {
		out[i] = c.f(v)
	}
}

// prepareCast prepares CAST. Between integers uint32 has the bits of int32. uint8,
// which TensorFlow Lite Micro does not have, goes as in TensorFlow Lite.
func prepareCast(p *Prep) (Evaluator, error) {
	if err := p.arity(1, 1, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	if err := p.shape(out, in.Shape); err != nil {
		return nil, err
	}
	p.overwrites(0)
	if in.Type == tensor.Uint8 || out.Type == tensor.Uint8 {
		return p.castUint8(in, out)
	}
	if err := cmp.Or(
		p.types(in, tensor.Int8, tensor.Int16, tensor.Int32, tensor.Uint32, tensor.Float32, tensor.Bool),
		p.types(out, tensor.Int8, tensor.Int16, tensor.Int32, tensor.Uint32, tensor.Float32),
	); err != nil {
		return nil, err
	}
	switch in.Type {
	case tensor.Int8:
		return castInteger[int8](in, out), nil
	case tensor.Int16:
		return castInteger[int16](in, out), nil
	case tensor.Bool:
		return castInteger[uint8](in, out), nil
	case tensor.Float32:
		return castReal(in, out), nil
	}
	if in.Type == tensor.Uint32 && out.Type == tensor.Float32 {
		return &cast[int32, float32]{in.id, out.id, func(v int32) float32 { return float32(uint32(v)) }}, nil
	}
	return castInteger[int32](in, out), nil
}

func castInteger[I integer](in, out operand) Evaluator {
	switch out.Type {
	case tensor.Int8:
		return &cast[I, int8]{in.id, out.id, func(v I) int8 { return int8(v) }}
	case tensor.Int16:
		return &cast[I, int16]{in.id, out.id, func(v I) int16 { return int16(v) }}
	case tensor.Float32:
		return &cast[I, float32]{in.id, out.id, func(v I) float32 { return float32(v) }}
	}
	return &cast[I, int32]{in.id, out.id, func(v I) int32 { return int32(v) }}
}

func castReal(in, out operand) Evaluator {
	switch out.Type {
	case tensor.Int8:
		return &cast[float32, int8]{in.id, out.id, func(v float32) int8 { return int8(truncate(v)) }}
	case tensor.Int16:
		return &cast[float32, int16]{in.id, out.id, func(v float32) int16 { return int16(truncate(v)) }}
	case tensor.Float32:
		return &cast[float32, float32]{in.id, out.id, func(v float32) float32 { return v }}
	case tensor.Uint32:
		return &cast[float32, int32]{in.id, out.id, func(v float32) int32 {
			if v > -1<<63 && v < 1<<63 {
				return int32(int64(v))
			}
			return 0 // the low half of the lowest int64
		}}
	}
	return &cast[float32, int32]{in.id, out.id, truncate}
}

// truncate is v without its fraction.
func truncate(v float32) int32 {
	if v >= math.MinInt32 && v < 1<<31 {
		return int32(v)
	}
	return math.MinInt32
}
