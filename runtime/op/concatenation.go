package op

import (
	"cmp"
	"fmt"

	"kedge/runtime/tensor"
)

// prepareConcatenation prepares CONCATENATION: the inputs one behind the other
// along an axis. Nothing is rounded, because int8 inputs must have the output's
// quantization; int16 needs zero point 0 and its scales are not looked at. uint8
// inputs of another quantization are rescaled.
func prepareConcatenation(p *Prep) (Evaluator, error) {
	n := max(len(p.Operator.Inputs), 1)
	if err := p.arity(n, n, 1); err != nil {
		return nil, err
	}
	if a := p.Operator.Options.Byte(1, 0); a != byte(actNone) {
		return nil, p.unsupported(operand{}, fmt.Sprintf("fused activation %d", a), "none")
	}
	out := p.out(0)
	axis, err := p.axis(operand{}, int64(p.Operator.Options.Int32(0, 0)), len(out.Shape))
	if err != nil {
		return nil, err
	}
	j, err := p.concatenated(out, axis, n, p.in)
	if err != nil {
		return nil, err
	}
	if out.Type == tensor.Uint8 {
		return &joinParts{j}, p.rescaleParts(j.parts, out)
	}
	for i := range n {
		if err := p.keepsQuant(p.in(i), out); err != nil {
			return nil, err
		}
	}
	return &joinParts{j}, nil
}

// rescaleParts gives parts of another quantization than out's a table: the value
// times in/out (as in times the reciprocal of out) less the zero point times
// that, rounded half away from zero, plus out's zero point, clamped. Every step
// is rounded to float32.
func (p *Prep) rescaleParts(parts []piece, out operand) error {
	for i := range parts {
		in := operand{parts[i].tensor, &p.Tensors[parts[i].tensor]}
		if in.Quant.Scale() == out.Quant.Scale() && in.Quant.ZeroPoint() == out.Quant.ZeroPoint() {
			continue
		}
		scale := float32(in.Quant.Scale() * float32(1/out.Quant.Scale()))
		_, err := p.multiplier(in, float64(scale)) // only for its range
		if err := cmp.Or(p.quantized(in), p.quantized(out), err, p.Budget.Spend(1, 256)); err != nil {
			return err
		}
		bias := float32(float32(-in.Quant.ZeroPoint()) * scale)
		table := new([256]byte)
		for v := range table {
			y := float64(roundf(float32(float32(float32(v)*scale)+bias))) + float64(out.Quant.ZeroPoint())
			table[v] = byte(min(max(y, 0), 255))
		}
		parts[i].table = table
	}
	return nil
}

// keepsQuant checks that in need not be requantized to become part of out.
func (p *Prep) keepsQuant(in, out operand) error {
	return cmp.Or(p.keepsQuant8(in, out), p.centered(in, out))
}

// keepsQuant8 is the part of keepsQuant for 8-bit types.
func (p *Prep) keepsQuant8(in, out operand) error {
	a, b := in.Quant, out.Quant
	bytes := in.Type == tensor.Int8 || in.Type == tensor.Uint8
	if bytes && (a.Scale() != b.Scale() || a.ZeroPoint() != b.ZeroPoint()) {
		return p.unsupported(in, fmt.Sprintf("scale %g, zero point %d", a.Scale(), a.ZeroPoint()),
			fmt.Sprintf("the output's %g, %d", b.Scale(), b.ZeroPoint()))
	}
	return nil
}
