package op

import (
	"cmp"
	"math"

	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
)

// abs is ABS: the magnitude of the input less its zero point, scaled by in/out
// where the two scales differ, plus the output's zero point, clamped.
type abs struct {
	m             fixed.Multiplier
	scaled        bool
	zero, outZero int32
	lo, hi        int32
}

// prepareAbs prepares ABS; its factor is a float32 quotient. On int16 without
// quantization it wraps around: the magnitude of the lowest value is itself. On
// float32 it clears the sign.
func prepareAbs(p *Prep) (Evaluator, error) {
	if p.isReal() {
		return p.real(func(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) })
	}
	if err := p.arity(1, 1, 1); err != nil {
		return nil, err
	}
	if in, out := p.in(0), p.out(0); in.Type == tensor.Int16 && len(in.Quant.Scales) == 0 {
		if err := cmp.Or(p.types(out, tensor.Int16), p.shape(out, in.Shape)); err != nil {
			return nil, err
		}
		p.overwrites(0)
		return &elementwise[int16, int16]{in.id, out.id, plainAbs{}}, nil
	}
	in, out, err := p.unary(tensor.Int8, tensor.Int16)
	if err != nil {
		return nil, err
	}
	if err := p.centered(in, out); err != nil {
		return nil, err
	}
	a := abs{zero: in.Quant.ZeroPoint(), outZero: out.Quant.ZeroPoint()}
	a.lo, a.hi, _ = out.Type.Range()
	if a.scaled = in.Quant.Scale() != out.Quant.Scale(); a.scaled {
		if a.m, err = p.multiplier(in, float64(float32(in.Quant.Scale()/out.Quant.Scale()))); err != nil {
			return nil, err
		}
	}
	return p.mapped(in, out, a)
}

func (a abs) at(v int32) int32 {
	v = max(v-a.zero, a.zero-v)
	if a.scaled {
		v = a.m.Apply(v)
	}
	return min(max(v+a.outZero, a.lo), a.hi)
}

type plainAbs struct{}

func (plainAbs) at(v int32) int32 { return max(v, -v) }
