package op

import (
	"cmp"

	"kedge/runtime/tensor"
)

// dequantize16 is DEQUANTIZE of int16.
type dequantize16 struct {
	in, out int
	scale   float64
	zero    int32
}

// prepareDequantize prepares DEQUANTIZE to float32: scale times (v − zero point) in
// float64, then rounded to float32.
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
	if in.Type == tensor.Int16 {
		return &dequantize16{in.id, out.id, scale, zero}, nil
	}
	if err := p.Budget.Spend(256, 4); err != nil {
		return nil, err
	}
	d := &dequantize8{in: in.id, out: out.id}
	for i := range d.table {
		v := int32(i)
		if in.Type == tensor.Int8 {
			v = int32(int8(i))
		}
		d.table[i] = float32(scale * float64(v-zero))
	}
	return d, nil
}

// dequantize8 has all 256 results tabulated.
type dequantize8 struct {
	in, out int
	table   [256]float32 // by the input's bits
}

func (d *dequantize8) Eval(m *Memory) {
	out := get[float32](m, d.out)
	in := m.Tensors[d.in][:len(out)]
	for i := len(in) - 1; i >= 0; i-- {
		out[i] = d.table[in[i]]
	}
}

func (d *dequantize16) Eval(m *Memory) {
	out := get[float32](m, d.out)
	in := get[int16](m, d.in)[:len(out)]
	for i := len(in) - 1; i >= 0; i-- {
		out[i] = float32(d.scale * float64(int32(in[i])-d.zero))
	}
}
