package op

import (
	"encoding/binary"
	"fmt"

	"kedge/runtime/kernel"
	"kedge/runtime/tensor"
)

// wide is CONV_2D, DEPTHWISE_CONV_2D or FULLY_CONNECTED with int16 activations
// and int8 weights.
type wide struct {
	in, out int
	kernel.Wide
}

func (w *wide) Eval(m *Memory) { w.Run(get[int16](m, w.in), get[int16](m, w.out)) }

// noField is a field number that no options table has.
const noField = 1 << 15

// wide completes k, whose geometry is set, with weights, bias and
// requantization o. Field biasType of the options holds the accumulator's type
// where there is no bias.
func (p *Prep) wide(k kernel.Wide, in, out operand, o kernel.Output, biasType int) (Evaluator, error) {
	w, b := p.in(1), p.in(2)
	if err := p.types(w, tensor.Int8); err != nil {
		return nil, err
	}
	var err error
	if k.Weights, err = p.weights(w); err != nil {
		return nil, err
	}
	k.Narrow = b.given() && b.Type == tensor.Int32 ||
		!b.given() && tensor.Type(p.Operator.Options.Byte(biasType, 0)) == tensor.Int32
	if k.Bias, err = p.wideBias(b, k.OutC); err != nil {
		return nil, err
	}
	if !k.Narrow {
		if err := p.short(w, o); err != nil {
			return nil, err
		}
	}
	k.Output = o
	if err := p.Budget.Spend(k.OutC, 1); err != nil {
		return nil, err
	}
	k.Prepare()
	p.MACs = int64(out.elements()) * int64(k.KernelH*k.KernelW*k.Depth)
	return &wide{in.id, out.id, k}, nil
}

// short checks that 64-bit accumulators can be requantized by o.
func (p *Prep) short(w operand, o kernel.Output) error {
	for _, m := range o.Multipliers {
		if m.Shift > 7 {
			return p.invalid(w, "scales that ask for a factor of 128 or more", "less")
		}
	}
	return nil
}

// wideBias is an optional bias of int32 or int64.
func (p *Prep) wideBias(t operand, n int) ([]int64, error) {
	if !t.given() {
		return nil, nil
	}
	if err := p.types(t, tensor.Int32, tensor.Int64); err != nil {
		return nil, err
	}
	if err := p.constant(t); err != nil {
		return nil, err
	}
	if t.elements() != n {
		return nil, p.invalid(t, fmt.Sprintf("%d values", t.elements()), fmt.Sprint(n))
	}
	if err := p.Budget.Spend(n, 8); err != nil {
		return nil, err
	}
	bias := make([]int64, n)
	for i := range bias {
		if t.Type == tensor.Int32 {
			bias[i] = int64(int32(binary.LittleEndian.Uint32(t.Data[4*i:])))
		} else {
			bias[i] = int64(binary.LittleEndian.Uint64(t.Data[8*i:]))
		}
	}
	return bias, nil
}
