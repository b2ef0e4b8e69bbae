package op

import (
	"cmp"
	"fmt"
	"math"

	"kedge/runtime/tensor"
)

// signalEnergy is SignalEnergy: re² + im² of the spectrum's values from start to
// before end. The reference leaves the others as they are; here they become 0.
type signalEnergy struct{ in, out, start, end int }

func prepareSignalEnergy(p *Prep) (Evaluator, error) {
	if err := p.arity(1, 1, 1); err != nil {
		return nil, err
	}
	in, out := p.in(0), p.out(0)
	o := p.options()
	e := &signalEnergy{in.id, out.id, o.required("start_index", 0, math.MaxInt32), o.required("end_index", 0, math.MaxInt32)}
	if err := cmp.Or(o.err, p.vector(in, tensor.Int16), p.vector(out, tensor.Uint32)); err != nil {
		return nil, err
	}
	if n := min(in.elements()/2, out.elements()); e.start > e.end || e.end > n {
		return nil, p.invalid(operand{}, fmt.Sprintf("range %d to %d", e.start, e.end), fmt.Sprintf("one within %d values", n))
	}
	return e, nil
}

func (e *signalEnergy) Eval(m *Memory) {
	in, out := complexes[int16](m.Tensors[e.in]), get[uint32](m, e.out)
	clear(out)
	for i := e.start; i < e.end; i++ {
		re, im := int32(in[i].Re), int32(in[i].Im)
		out[i] = uint32(re*re) + uint32(im*im)
	}
}
