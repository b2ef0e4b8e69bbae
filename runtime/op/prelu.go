package op

import (
	"cmp"

	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
)

// prelu is PRELU on int8 or int16: the input less its zero point, where it is
// negative times alpha less its own, scaled by in/out or in·alpha/out (in
// float64), plus the output's zero point, clamped.
type prelu struct {
	identity, alpha            fixed.Multiplier
	inZero, alphaZero, outZero int32
	lo, hi                     int32
}

// preparePrelu prepares PRELU. Alpha is int8 for int16 inputs too.
func preparePrelu(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	in, alpha, out := p.in(0), p.in(1), p.out(0)
	if err := cmp.Or(
		p.types(in, tensor.Int8, tensor.Int16), p.types(alpha, tensor.Int8), p.types(out, in.Type),
		p.quantized(in), p.quantized(alpha), p.quantized(out),
	); err != nil {
		return nil, err
	}
	f := prelu{inZero: in.Quant.ZeroPoint(), alphaZero: alpha.Quant.ZeroPoint(), outZero: out.Quant.ZeroPoint()}
	f.lo, f.hi, _ = out.Type.Range()
	inScale, outScale := float64(in.Quant.Scale()), float64(out.Quant.Scale())
	var err error
	if f.identity, err = p.multiplier(in, inScale/outScale); err != nil {
		return nil, err
	}
	product := float64(inScale * float64(alpha.Quant.Scale()))
	if f.alpha, err = p.multiplier(alpha, product/outScale); err != nil {
		return nil, err
	}
	if in.Type == tensor.Int16 {
		return pair(p, func(x int16, a int8) int16 { return int16(f.at(int32(x), int32(a))) })
	}
	return pair(p, func(x, a int8) int8 { return int8(f.at(int32(x), int32(a))) })
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
