package op

import (
	"cmp"
	"fmt"
	"math"

	"kedge/runtime/tensor"
)

// signalWindow is SignalWindow: each row of samples times the window, shifted
// right (rounding down) and clamped to int16.
type signalWindow struct {
	in, window, out int
	shift           uint
}

func prepareSignalWindow(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	in, window, out := p.in(0), p.in(1), p.out(0)
	o := p.options()
	w := &signalWindow{in.id, window.id, out.id, uint(o.required("shift", 0, 31))}
	if err := cmp.Or(
		o.err, p.types(in, tensor.Int16), p.vector(window, tensor.Int16), p.types(out, tensor.Int16), p.count(out, in.elements()),
	); err != nil {
		return nil, err
	}
	if n := window.elements(); n == 0 || in.elements()%n != 0 {
		return nil, p.invalid(window, fmt.Sprintf("%d values", n), fmt.Sprintf("a divisor of the input's %d", in.elements()))
	}
	return w, nil
}

func (w *signalWindow) Eval(m *Memory) {
	in, window, out := get[int16](m, w.in), get[int16](m, w.window), get[int16](m, w.out)
	for len(in) > 0 {
		for i, factor := range window {
			v := int32(in[i]) * int32(factor) >> w.shift
			out[i] = int16(min(max(v, math.MinInt16), math.MaxInt16))
		}
		in, out = in[len(window):], out[len(window):]
	}
}
