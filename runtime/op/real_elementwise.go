package op

import (
	"cmp"
	"fmt"
	"math"

	"kedge/runtime/tensor"
)

// isReal reports whether the operator's first input is float32.
func (p *Prep) isReal() bool { return p.in(0).given() && p.in(0).Type == tensor.Float32 }

// realElementwise applies a function of float32 to every element. Like all that
// is done to float32 here, each step is rounded to float32 in the definition's
// order. What bits a NaN has is left to the processor.
type realElementwise struct {
	in, out int
	f       func(float32) float32
}

// real binds f to the operator's float32 input and output.
func (p *Prep) real(f func(float32) float32) (Evaluator, error) {
	if err := p.arity(1, 1, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	if err := cmp.Or(
		p.types(in, tensor.Float32), p.types(out, tensor.Float32), p.shape(out, in.Shape),
	); err != nil {
		return nil, err
	}
	p.overwrites(0)
	return &realElementwise{in.id, out.id, f}, nil
}

func (e *realElementwise) Eval(m *Memory) {
	out := get[float32](m, e.out)
	for i, v := range get[float32](m, e.in)[:len(out)] {
		out[i] = e.f(v)
	}
}

// realPair binds f, followed by fused activation a, to the operator's two float32
// inputs and its output.
func (p *Prep) realPair(a activation, f func(x, y float32) float32) (Evaluator, error) {
	if err := cmp.Or(p.types(p.in(1), tensor.Float32), p.types(p.out(0), tensor.Float32)); err != nil {
		return nil, err
	}
	b, err := p.bounds(a)
	if err != nil {
		return nil, err
	}
	return pair(p, func(x, y float32) float32 { return b.clamp(f(x, y)) })
}

// bounds is the range that a fused activation leaves of float32. Without one it
// still makes infinities the largest finite numbers; NaN stays.
type bounds struct{ lo, hi float32 }

func (b bounds) clamp(v float32) float32 {
	if v < b.lo {
		v = b.lo
	}
	if v > b.hi {
		v = b.hi
	}
	return v
}

// finite are the bounds that no fused activation leaves.
var finite = bounds{-math.MaxFloat32, math.MaxFloat32}

// bounds checks a fused activation.
func (p *Prep) bounds(a activation) (bounds, error) {
	switch a {
	case actNone:
		return finite, nil
	case actRelu:
		return bounds{0, math.MaxFloat32}, nil
	case actReluN1To1:
		return bounds{-1, 1}, nil
	case actRelu6:
		return bounds{0, 6}, nil
	}
	return bounds{}, p.unsupported(operand{}, fmt.Sprintf("fused activation %d", a), "none, RELU, RELU_N1_TO_1 or RELU6")
}

// sqrtf is the root rounded to float32; going through float64 does not change it.
func sqrtf(x float32) float32 { return float32(math.Sqrt(float64(x))) }
