package op

import (
	"cmp"

	"kedge/runtime/tensor"
)

// prepareSub prepares SUB, x − y. On quantized tensors it is ADD with the second
// input negated once it is on the common scale; the factors are computed in
// float64, as for ADD. On plain int32 it wraps around and clamps to the fused
// activation.
func prepareSub(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	x, y, out := p.in(0), p.in(1), p.out(0)
	if err := p.types(out, tensor.Int8, tensor.Uint8, tensor.Int16, tensor.Int32); err != nil {
		return nil, err
	}
	if out.Type != tensor.Int32 {
		return p.add(true)
	}
	if err := cmp.Or(p.types(x, tensor.Int32), p.types(y, tensor.Int32), p.plain(x, y, out)); err != nil {
		return nil, err
	}
	lo, hi, err := p.clampPlain(activation(p.Operator.Options.Byte(0, 0)))
	if err != nil {
		return nil, err
	}
	return pair(p, func(a, b int32) int32 { return min(max(a-b, lo), hi) })
}
