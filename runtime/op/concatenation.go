package op

import (
	"cmp"
	"fmt"

	"kedge/runtime/tensor"
)

// prepareConcatenation prepares CONCATENATION: the inputs one behind the other
// along an axis. Nothing is rounded, because 8-bit inputs must have the output's
// quantization; int16 needs zero point 0 and its scales are not looked at.
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
	for i := range n {
		if err := p.keepsQuant(p.in(i), out); err != nil {
			return nil, err
		}
	}
	return &joinParts{j}, nil
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
