package op

import (
	"cmp"
	"fmt"
	"math"

	"kedge/runtime/kernel"
	"kedge/runtime/tensor"
)

// prepareQuantize prepares QUANTIZE: from float32, or from one quantization to
// another.
func prepareQuantize(p *Prep) (Evaluator, error) {
	if err := p.arity(1, 1, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	if err := cmp.Or(
		p.types(in, tensor.Float32, tensor.Int8, tensor.Uint8, tensor.Int16, tensor.Int32),
		p.types(out, tensor.Int8, tensor.Uint8, tensor.Int16, tensor.Int32),
		p.shape(out, in.Shape), p.quantized(out),
	); err != nil {
		return nil, err
	}
	p.overwrites(0)
	if in.Type == tensor.Float32 {
		return p.quantizeFloat(in, out)
	}
	if err := p.quantized(in); err != nil {
		return nil, err
	}
	m, err := p.multiplier(in, float64(in.Quant.Scale())/float64(out.Quant.Scale()))
	if err != nil {
		return nil, err
	}
	lo, hi, _ := out.Type.Range()
	return p.requantize(in, out, rescale{m, in.Quant.ZeroPoint(), out.Quant.ZeroPoint(), lo, hi})
}

// requantize picks the pair of types; those here are the reference's.
func (p *Prep) requantize(in, out operand, r rescale) (Evaluator, error) {
	switch [2]tensor.Type{in.Type, out.Type} {
	case [2]tensor.Type{tensor.Int8, tensor.Int8}, [2]tensor.Type{tensor.Int8, tensor.Uint8},
		[2]tensor.Type{tensor.Uint8, tensor.Int8}, [2]tensor.Type{tensor.Uint8, tensor.Uint8}:
		return p.lookup(in, out, r)
	case [2]tensor.Type{tensor.Uint8, tensor.Int16}:
		return &elementwise[uint8, int16]{in.id, out.id, r}, nil
	case [2]tensor.Type{tensor.Int8, tensor.Int16}:
		return &elementwise[int8, int16]{in.id, out.id, r}, nil
	case [2]tensor.Type{tensor.Int8, tensor.Int32}:
		return &elementwise[int8, int32]{in.id, out.id, r}, nil
	case [2]tensor.Type{tensor.Int16, tensor.Int8}:
		return &elementwise[int16, int8]{in.id, out.id, r}, nil
	case [2]tensor.Type{tensor.Int16, tensor.Int16}:
		return &elementwise[int16, int16]{in.id, out.id, r}, nil
	case [2]tensor.Type{tensor.Int16, tensor.Int32}:
		return &elementwise[int16, int32]{in.id, out.id, r}, nil
	case [2]tensor.Type{tensor.Int32, tensor.Int8}:
		return &elementwise[int32, int8]{in.id, out.id, r}, nil
	case [2]tensor.Type{tensor.Int32, tensor.Int16}:
		return &elementwise[int32, int16]{in.id, out.id, r}, nil
	}
	return nil, p.unsupported(out, fmt.Sprintf("%v from %v", out.Type, in.Type), "int8, or a wider signed type; uint8 from bytes")
}

// quantizeBytes is QUANTIZE from float32 to bytes: round half away of x/scale, a float32
// quotient, plus the zero point, clamped. The reference leaves undefined what does
// not fit in 32 bits before the clamp: here it is clamped all the same, and NaN
// gives the zero point.
type quantizeBytes struct {
	in, out int
	kernels *kernel.Set
	kernel.Quantizer
}

func (p *Prep) quantizeFloat(in, out operand) (Evaluator, error) {
	scale, zero := out.Quant.Scale(), out.Quant.ZeroPoint()
	switch out.Type {
	case tensor.Int8:
		return &quantizeBytes{in.id, out.id, p.Kernels, kernel.Quantizer{Scale: scale, Zero: zero}}, nil
	case tensor.Uint8:
		return &quantizeBytes{in.id, out.id, p.Kernels, kernel.Quantizer{Scale: scale, Zero: zero - 128, Flip: 0x80}}, nil
	case tensor.Int16:
		return &quantize16{in.id, out.id, scale, zero}, nil
	}
	return nil, p.unsupported(out, fmt.Sprintf("%v from float32", out.Type), "int8, uint8 or int16")
}

func (q *quantizeBytes) Kernel() string { return q.kernels.QuantizeKernel() }

func (q *quantizeBytes) Eval(m *Memory) {
	q.kernels.Quantize(&q.Quantizer, m.Tensors[q.out], get[float32](m, q.in))
}

// quantize16 is the same to int16.
type quantize16 struct {
	in, out int
	scale   float32
	zero    int32
}

func (q *quantize16) Eval(m *Memory) {
	out := get[int16](m, q.out)
	for i, x := range get[float32](m, q.in)[:len(out)] {
		out[i] = int16(min(max(kernel.RoundAway(x/q.scale)+q.zero, math.MinInt16), math.MaxInt16))
	}
}
