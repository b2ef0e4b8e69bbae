package op

import (
	"cmp"
	"fmt"
	"math"

	"kedge/runtime/fixed"
	"kedge/runtime/kernel"
	"kedge/runtime/tensor"
)

// weights is the content of a constant of 8-bit weights, in place, or of 4-bit
// weights, unpacked.
func (p *Prep) weights(t operand) ([]int8, error) {
	if err := p.constant(t); err != nil {
		return nil, err
	}
	if t.Type == tensor.Int8 {
		return view[int8](t.Data), nil
	}
	n := t.elements()
	if err := p.Budget.Spend(n, 1); err != nil {
		return nil, err
	}
	out := make([]int8, n)
	for i := range out {
		// The even element is the low half; shifting up and back extends its sign.
		out[i] = int8(t.Data[i/2]<<(4*(1-uint(i)%2))) >> 4
	}
	return out, nil
}

// filter checks the weights that go with in: int8 or int4 with zero point 0. With
// a uint8 input they are uint8, with one scale and any zero point, and the bias is
// checked too.
func (p *Prep) filter(in, w, bias, out operand) error {
	if in.Type == tensor.Uint8 {
		return cmp.Or(p.types(w, tensor.Uint8), p.quantized(w), p.biasScale(in, w, bias, out))
	}
	return cmp.Or(p.types(w, tensor.Int8, tensor.Int4), p.symmetric(w))
}

// biasScale refuses a bias whose scale is not that of the accumulator: it would
// be added as if it were. The tolerance is the reference's.
func (p *Prep) biasScale(in, w, bias, out operand) error {
	if !bias.given() || len(bias.Quant.Scales) == 0 {
		return nil
	}
	product := float64(in.Quant.Scale()) * float64(w.Quant.Scale())
	diff := math.Abs(product - float64(bias.Quant.Scale()))
	if !(diff/float64(out.Quant.Scale()) <= 0.02) {
		return p.invalid(bias, fmt.Sprintf("scale %g", bias.Quant.Scale()), fmt.Sprintf("%g, input times weights", product))
	}
	return nil
}

// symmetric checks that every zero point of the weights is 0, as the
// quantization specification requires.
func (p *Prep) symmetric(t operand) error {
	for _, z := range t.Quant.ZeroPoints {
		if z != 0 {
			return p.unsupported(t, fmt.Sprintf("zero point %d", z), "0 for weights")
		}
	}
	return nil
}

// bias is the content of an optional int32 bias of n channels, nil when none is
// given.
func (p *Prep) bias(t operand, n int) ([]int32, error) {
	if !t.given() {
		return nil, nil
	}
	if err := p.types(t, tensor.Int32); err != nil {
		return nil, err
	}
	if err := p.constant(t); err != nil {
		return nil, err
	}
	if t.elements() != n {
		return nil, p.invalid(t, fmt.Sprintf("%d values", t.elements()), fmt.Sprint(n))
	}
	return p.int32s(t)
}

// channelMultipliers are the factors from accumulator to output for n channels
// along dimension dim of the weights: in·w/out, each product in float64. uint8
// weights have one scale and the product in float32.
func (p *Prep) channelMultipliers(in, w, out operand, n, dim int) ([]fixed.Multiplier, error) {
	if p.Tensors[w.id].Type == tensor.Uint8 {
		return p.tensorMultipliers(in, w, out, n)
	}
	scales := w.Quant.Scales
	if len(scales) != 1 && len(scales) != n {
		return nil, p.invalid(w, fmt.Sprintf("%d scales", len(scales)), fmt.Sprintf("1 or %d", n))
	}
	if len(scales) > 1 && w.Quant.Dim != dim {
		return nil, p.unsupported(w, fmt.Sprintf("scales along dimension %d", w.Quant.Dim), fmt.Sprint(dim))
	}
	if err := p.Budget.Spend(n, 8); err != nil {
		return nil, err
	}
	ms := make([]fixed.Multiplier, n)
	for i := range ms {
		s := scales[min(i, len(scales)-1)]
		factor := float64(in.Quant.Scale()) * float64(s)
		factor /= float64(out.Quant.Scale())
		m, err := p.multiplier(w, factor)
		if err != nil {
			return nil, err
		}
		ms[i] = m
	}
	return ms, nil
}

// tensorMultipliers are the factors, all the same, where the definition rounds
// in·w to float32.
func (p *Prep) tensorMultipliers(in, w, out operand, n int) ([]fixed.Multiplier, error) {
	product := float32(in.Quant.Scale() * w.Quant.Scale())
	m, err := p.multiplier(w, float64(product)/float64(out.Quant.Scale()))
	if err != nil {
		return nil, err
	}
	if err := p.Budget.Spend(n, 8); err != nil {
		return nil, err
	}
	ms := make([]fixed.Multiplier, n)
	for i := range ms {
		ms[i] = m
	}
	return ms, nil
}

// multiplier quantizes a factor, which the model's scales decide.
func (p *Prep) multiplier(t operand, factor float64) (fixed.Multiplier, error) {
	if !(factor >= 0 && factor < 1<<30) {
		return fixed.Multiplier{}, p.invalid(t, fmt.Sprintf("scales that ask for a factor of %.3g", factor), "one below 2^30")
	}
	return fixed.Quantize(factor), nil
}

// output is the requantization of n channels with fused activation a.
func (p *Prep) output(in, w, out operand, n, dim int, a activation) (kernel.Output, error) {
	ms, err := p.channelMultipliers(in, w, out, n, dim)
	if err != nil {
		return kernel.Output{}, err
	}
	lo, hi, err := p.clamp(a, out)
	return kernel.Output{Multipliers: ms, Zero: out.Quant.ZeroPoint(), Min: lo, Max: hi}, err
}
