package op

import (
	"cmp"
	"fmt"

	"kedge/runtime/kernel"
	"kedge/runtime/tensor"
)

// fullyConnectedUint8 is FULLY_CONNECTED on uint8, to uint8 or int16. Unlike
// every other operator the reference scales its accumulators by a real factor:
// in·w/out in float64, its product with the accumulator rounded half away from
// zero.
type fullyConnectedUint8[O uint8 | int16] struct {
	in, out int
	kernel.DenseReal
}

func (p *Prep) fullyConnectedUint8(in, w, out operand) (Evaluator, error) {
	bias := p.in(2)
	if err := cmp.Or(
		p.types(w, tensor.Uint8), p.types(out, tensor.Uint8, tensor.Int16), p.rank(w, 2),
		p.quantized(in), p.quantized(w), p.quantized(out), p.centered(out), p.biasScale(in, w, bias, out),
		p.constant(w),
	); err != nil {
		return nil, err
	}
	if f := p.Operator.Options.Byte(1, 0); f != 0 {
		return nil, p.unsupported(w, fmt.Sprintf("weights format %d", f), "0 (default)")
	}
	g, err := p.denseGeometry(in, w, out)
	if err != nil {
		return nil, err
	}
	d := kernel.DenseReal{
		Batch: g.Batch, K: g.K, N: g.N, InZero: g.InZero, WeightZero: g.WeightZero,
		Weights: w.Data, Zero: out.Quant.ZeroPoint(),
	}
	factor := float64(in.Quant.Scale()) * float64(w.Quant.Scale()) // exact
	d.Scale = factor / float64(out.Quant.Scale())
	if _, err := p.multiplier(w, d.Scale); err != nil { // only for its range
		return nil, err
	}
	if d.Min, d.Max, err = p.clamp(activation(p.Operator.Options.Byte(0, 0)), out); err != nil {
		return nil, err
	}
	if d.Bias, err = p.bias(bias, d.N); err != nil {
		return nil, err
	}
	if err := p.Budget.Spend(d.N, 4); err != nil {
		return nil, err
	}
	d.Prepare()
	p.MACs = int64(d.Batch) * int64(len(d.Weights))
	if out.Type == tensor.Int16 {
		return &fullyConnectedUint8[int16]{in.id, out.id, d}, nil
	}
	return &fullyConnectedUint8[uint8]{in.id, out.id, d}, nil
}

func (d *fullyConnectedUint8[O]) Eval(m *Memory) {
	kernel.RunDenseReal(&d.DenseReal, m.Tensors[d.in], get[O](m, d.out))
}
