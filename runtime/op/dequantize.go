package op

import (
	"cmp"

	"kedge/runtime/tensor"
)

// dequantize is DEQUANTIZE to float32: scale times (v − zero point) in float64,
// then rounded to float32.
type dequantize[I integer] struct {
	in, out int
	scale   float64
	zero    int32
}

func prepareDequantize(p *Prep) (Evaluator, error) {
	if err := p.arity(1, 1, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	if err := cmp.Or(
		p.types(in, tensor.Int8, tensor.Uint8, tensor.Int16), p.types(out, tensor.Float32),
		p.shape(out, in.Shape), p.quantized(in),
	); err != nil {
		return nil, err
	}
	p.InPlace = []int{0} // Eval goes backward, since the output is wider
	scale, zero := float64(in.Quant.Scale()), in.Quant.ZeroPoint()
	switch in.Type {
	case tensor.Uint8:
		return &dequantize[uint8]{in.id, out.id, scale, zero}, nil
	case tensor.Int16:
		return &dequantize[int16]{in.id, out.id, scale, zero}, nil
	}
	return &dequantize[int8]{in.id, out.id, scale, zero}, nil
}

func (d *dequantize[I]) Eval(m *Memory) {
	out := get[float32](m, d.out)
	in := get[I](m, d.in)[:len(out)]
	for i := len(in) - 1; i >= 0; i-- {
		out[i] = float32(d.scale * float64(int32(in[i])-d.zero))
	}
}
