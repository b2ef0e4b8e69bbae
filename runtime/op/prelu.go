package op

import (
	"cmp"

	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
)

// prelu is PRELU on int8, uint8 or int16: the input less its zero point, where it
// is negative times alpha less its own, scaled by in/out or in·alpha/out (in
// float64, for uint8 in float32), plus the output's zero point, clamped.
type prelu struct {
	identity, alpha            fixed.Multiplier
	inZero, alphaZero, outZero int32
	lo, hi                     int32
}

// preparePrelu prepares PRELU. Alpha is int8 for int16 inputs too. float32 inputs
// below 0 are multiplied by alpha.
func preparePrelu(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	in, alpha, out := p.in(0), p.in(1), p.out(0)
	if in.Type == tensor.Float32 {
		if err := cmp.Or(p.types(alpha, tensor.Float32), p.types(out, tensor.Float32)); err != nil {
			return nil, err
		}
		return pair(p, func(x, a float32) float32 {
			if x >= 0 {
				return x
			}
			return x * a
		})
	}
	if err := cmp.Or(
		p.types(in, tensor.Int8, tensor.Uint8, tensor.Int16), p.alphaType(in, alpha), p.types(out, in.Type),
		p.quantized(in), p.quantized(alpha), p.quantized(out),
	); err != nil {
		return nil, err
	}
	f := prelu{inZero: in.Quant.ZeroPoint(), alphaZero: alpha.Quant.ZeroPoint(), outZero: out.Quant.ZeroPoint()}
	f.lo, f.hi, _ = out.Type.Range()
	identity, negative := preluFactors(in, alpha, out)
	var err error
	if f.identity, err = p.multiplier(in, identity); err != nil {
		return nil, err
	}
	if f.alpha, err = p.multiplier(alpha, negative); err != nil {
		return nil, err
	}
	switch in.Type {
	case tensor.Uint8:
		return pair(p, func(x, a uint8) uint8 { return uint8(f.at(int32(x), int32(a))) })
	case tensor.Int16:
		return pair(p, func(x int16, a int8) int16 { return int16(f.at(int32(x), int32(a))) })
	}
	return pair(p, func(x, a int8) int8 { return int8(f.at(int32(x), int32(a))) })
}

// alphaType checks that alpha is int8, for uint8 inputs uint8.
func (p *Prep) alphaType(in, alpha operand) error {
	if in.Type == tensor.Uint8 {
		return p.types(alpha, tensor.Uint8)
	}
	return p.types(alpha, tensor.Int8)
}

// preluFactors are the factors for inputs that are not negative and that are.
func preluFactors(in, alpha, out operand) (identity, negative float64) {
	x, a, y := in.Quant.Scale(), alpha.Quant.Scale(), out.Quant.Scale()
	if in.Type == tensor.Uint8 {
		product := float32(x * a)
		return float64(float32(x / y)), float64(float32(product / y))
	}
	product := float64(float64(x) * float64(a))
	return float64(x) / float64(y), product / float64(y)
}

func (f *prelu) at(x, a int32) int32 {
	x -= f.inZero
	var y int32
	if x >= 0 {
		y = f.identity.Apply(x)
	} else {
		y = f.alpha.Apply(x * (a - f.alphaZero))
	}
	return min(max(y+f.outZero, f.lo), f.hi)
}
