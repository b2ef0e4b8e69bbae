package op

import "kedge/runtime/tensor"

// prepareRelu6 prepares RELU6, which only clamps: values keep the input's
// quantization, whatever the output tensor states. On uint8 it requantizes, as
// RELU does.
func prepareRelu6(p *Prep) (Evaluator, error) {
	if p.isReal() {
		return p.real(bounds{0, 6}.clamp)
	}
	in, out, err := p.unary(tensor.Int8, tensor.Uint8, tensor.Int16)
	if err != nil {
		return nil, err
	}
	if in.Type == tensor.Uint8 {
		return p.requantizingRelu(in, out, out.Quant.ZeroPoint(), quantizeBound(6, out.Quant, 0, 255))
	}
	lo, hi, _ := in.Type.Range()
	zero := in.Quant.ZeroPoint()
	six := quantizeBound(6, in.Quant, lo, hi)
	return p.mapped(in, out, clampTo{zero, six})
}

// clampTo limits values to [lo, hi].
type clampTo struct{ lo, hi int32 }

func (c clampTo) at(v int32) int32 { return max(min(v, c.hi), c.lo) }
