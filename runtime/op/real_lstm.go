package op

import (
	"cmp"
	"math"

	"kedge/runtime/tensor"
)

// realLSTM is UNIDIRECTIONAL_SEQUENCE_LSTM on float32, the standard layer: each
// gate's product with the input, bias included, and that with the hidden state
// are summed up on their own and then added.
type realLSTM struct {
	in, hidden, cell, out           int
	batch, steps                    int
	features, units                 int
	timeMajor                       bool
	inputWeights, recurrent, biases [4]int  // tensors
	clip                            float32 // of the cell
}

func (p *Prep) realLSTM(in, hidden, cell, out operand) (Evaluator, error) {
	if err := cmp.Or(
		p.types(hidden, tensor.Float32), p.types(cell, tensor.Float32), p.types(out, tensor.Float32),
		p.variable(hidden), p.variable(cell), p.rank(in, 3), p.rank(hidden, 2),
	); err != nil {
		return nil, err
	}
	l := &realLSTM{
		in: in.id, hidden: hidden.id, cell: cell.id, out: out.id,
		steps: in.Shape[1], batch: in.Shape[0], features: in.Shape[2], units: hidden.Shape[1],
		timeMajor: p.Operator.Options.Bool(3, false), clip: float32(math.Inf(1)),
	}
	if l.timeMajor {
		l.steps, l.batch = l.batch, l.steps
	}
	if clip := p.Operator.Options.Float32(1, 0); clip > 0 {
		l.clip = clip
	}
	if err := cmp.Or(
		p.shape(out, tensor.Shape{in.Shape[0], in.Shape[1], l.units}),
		p.lstmState(hidden, l.batch, l.units), p.lstmState(cell, l.batch, l.units),
	); err != nil {
		return nil, err
	}
	for g := range 4 {
		w, r, b := p.in(lstmWeights+g), p.in(lstmRecurrent+g), p.in(lstmBias+g)
		for _, t := range []operand{w, r, b} {
			if err := p.types(t, tensor.Float32); err != nil {
				return nil, err
			}
		}
		if err := cmp.Or(
			p.shape(w, tensor.Shape{l.units, l.features}), p.shape(r, tensor.Shape{l.units, l.units}), p.shape(b, tensor.Shape{l.units}),
		); err != nil {
			return nil, err
		}
		l.inputWeights[g], l.recurrent[g], l.biases[g] = w.id, r.id, b.id
	}
	p.MACs = int64(l.steps) * int64(l.batch) * int64(l.units) * 4 * (int64(l.features) + int64(l.units))
	return l, nil
}

func (l *realLSTM) Eval(m *Memory) {
	in, out := get[float32](m, l.in), get[float32](m, l.out)
	hidden, cell := get[float32](m, l.hidden), get[float32](m, l.cell)
	for b := range l.batch {
		h, c := hidden[b*l.units:(b+1)*l.units], cell[b*l.units:(b+1)*l.units]
		for t := range l.steps {
			row := b*l.steps + t
			if l.timeMajor {
				row = t*l.batch + b
			}
			y := out[row*l.units : (row+1)*l.units]
			l.step(m, in[row*l.features:(row+1)*l.features], h, c, y)
			copy(h, y)
		}
	}
}

// step computes the next hidden state as y and updates the cell.
func (l *realLSTM) step(m *Memory, x, h, cell, y []float32) {
	for u := range cell {
		kept := finite.clamp(float32(logisticf(l.gate(m, gateForget, u, x, h)) * cell[u]))
		added := finite.clamp(float32(logisticf(l.gate(m, gateInput, u, x, h)) * tanhf(l.gate(m, gateCell, u, x, h))))
		cell[u] = bounds{-l.clip, l.clip}.clamp(float32(kept + added))
		y[u] = finite.clamp(float32(tanhf(cell[u]) * logisticf(l.gate(m, gateOutput, u, x, h))))
	}
}

// gate is the argument of gate g's function for unit u.
func (l *realLSTM) gate(m *Memory, g, u int, x, h []float32) float32 {
	fromInput := realProduct(x, get[float32](m, l.inputWeights[g])[u*l.features:]) + get[float32](m, l.biases[g])[u]
	fromState := realProduct(h, get[float32](m, l.recurrent[g])[u*l.units:])
	return finite.clamp(fromInput) + finite.clamp(fromState)
}

// realProduct is Σ x·w, added one by one.
func realProduct(x, w []float32) float32 {
	sum := float32(0)
	for i, v := range x {
		sum += float32(v * w[i])
	}
	return sum
}
