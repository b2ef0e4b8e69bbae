package op

import "kedge/runtime/tensor"

// prepareSub prepares SUB, x − y. On quantized tensors it is ADD with the second
// input negated once it is on the common scale; the factors are computed in
// float64, as for ADD. On plain int32 it wraps around and clamps to the fused
// activation.
func prepareSub(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	act := activation(p.Operator.Options.Byte(0, 0))
	switch p.out(0).Type {
	case tensor.Float32:
		return p.realPair(act, func(x, y float32) float32 { return x - y })
	case tensor.Int32:
		return p.plainPair(act, func(x, y int32) int32 { return x - y })
	}
	return p.add(true)
}
