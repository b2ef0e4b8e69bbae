package op

import (
	"fmt"

	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
)

// addN is ADD_N on int8 tensors of one quantization: as in ADD each value less
// its zero point is shifted left by 20 and halved, and the sum is scaled to the
// output. The reference starts its sums not from 0 but from a value of 0, which
// stands for minus the zero point; so does this.
type addN struct {
	in            []int
	out           int
	half, m       fixed.Multiplier
	zero, outZero int32
}

// prepareAddN prepares ADD_N. float32 is added in the order of the inputs.
func prepareAddN(p *Prep) (Evaluator, error) {
	n := max(len(p.Operator.Inputs), 2)
	if err := p.arity(n, n, 1); err != nil {
		return nil, err
	}
	first, out := p.in(0), p.out(0)
	if err := p.types(first, tensor.Int8, tensor.Float32); err != nil {
		return nil, err
	}
	if err := p.Budget.Spend(n, 8); err != nil {
		return nil, err
	}
	ids := make([]int, n)
	for i := range ids {
		t := p.in(i)
		if err := p.alike(t, first); err != nil {
			return nil, err
		}
		ids[i] = t.id
	}
	if err := p.types(out, first.Type); err != nil {
		return nil, err
	}
	if err := p.shape(out, first.Shape); err != nil {
		return nil, err
	}
	if first.Type == tensor.Float32 {
		return &realAddN{ids, out.id}, nil
	}
	a := &addN{in: ids, out: out.id, zero: first.Quant.ZeroPoint(), outZero: out.Quant.ZeroPoint()}
	var err error
	a.half, a.m, err = p.sumMultipliers(first, out)
	return a, err
}

// alike checks that t has the type, shape and, if 8-bit, quantization of first.
func (p *Prep) alike(t, first operand) error {
	if err := p.types(t, first.Type); err != nil {
		return err
	}
	if err := p.shape(t, first.Shape); err != nil {
		return err
	}
	if a, b := t.Quant, first.Quant; t.Type == tensor.Int8 && (a.Scale() != b.Scale() || a.ZeroPoint() != b.ZeroPoint()) {
		return p.unsupported(t, fmt.Sprintf("scale %g, zero point %d", a.Scale(), a.ZeroPoint()),
			fmt.Sprintf("the first input's %g, %d", b.Scale(), b.ZeroPoint()))
	}
	return nil
}

// sumMultipliers are the factors of ADD for inputs of one scale: to the common
// scale, twice theirs, and from there to the output's.
func (p *Prep) sumMultipliers(in, out operand) (half, m fixed.Multiplier, err error) {
	if err := p.quantized(in); err != nil {
		return half, m, err
	}
	if err := p.quantized(out); err != nil {
		return half, m, err
	}
	twice := 2 * float64(in.Quant.Scale())
	m, err = p.multiplier(out, twice/(float64(1<<20)*float64(out.Quant.Scale())))
	return fixed.Quantize(0.5), m, err
}

func (a *addN) Eval(m *Memory) {
	out := get[int8](m, a.out)
	for i := range out {
		sum := a.half.Apply(-a.zero << 20)
		for _, id := range a.in {
			sum += a.half.Apply((int32(get[int8](m, id)[i]) - a.zero) << 20)
		}
		out[i] = int8(min(max(a.m.Apply(sum)+a.outZero, -128), 127))
	}
}

// realAddN is ADD_N on float32.
type realAddN struct {
	in  []int
	out int
}

func (a *realAddN) Eval(m *Memory) {
	out := get[float32](m, a.out)
	clear(out)
	for _, id := range a.in {
		for i, v := range get[float32](m, id)[:len(out)] {
			out[i] += v
		}
	}
}
