package op

import (
	"cmp"
	"fmt"
	"math"

	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
)

// lstm is UNIDIRECTIONAL_SEQUENCE_LSTM on int8 or int16 activations with int8
// weights and an int16 cell: the standard layer, without peephole, projection or
// layer normalization. Hidden state and cell are variables, so a sequence goes on
// from one inference to the next.
//
// Each gate's two products, with the input and with the hidden state, are
// rescaled to Q3.12 and saturated to int16 on their own, then added, saturated
// again, and put through a tabulated sigmoid or tanh to Q0.15. The bias belongs
// to the input's product. Their factors are the float32 product of the scales,
// divided in float64; those of the elementwise products are all float64. The
// cell's scale is taken as the nearest power of two where tanh reads it.
type lstm[A int8 | int16] struct {
	in, hidden, cell, out int
	batch, steps          int
	features, units       int
	timeMajor             bool
	inZero, hiddenZero    int32
	lo, hi                int32 // of A
	gates                 [4]lstmGate
	forget, input, output fixed.Multiplier // of cell by gate, gate by gate, and gate by tanh
	tanh                  tanhScale
	clip                  int16 // of the cell, -1 for none
	wide                  bool  // sums of 64 bits
}

// The gates, in the order of the operator's inputs.
const (
	gateInput = iota
	gateForget
	gateCell
	gateOutput
)

// lstmGate is one gate's weights [units, features] and [units, units], and bias.
type lstmGate struct {
	input, recurrent     []int8
	toInput, toRecurrent fixed.Multiplier
	bias                 []int64
}

// The operator's inputs: weights from 1 and 5, biases from 12.
const (
	lstmWeights      = 1
	lstmRecurrent    = 5
	lstmBias         = 12
	lstmHidden       = 18
	lstmCell         = 19
	lstmInputs       = 24
	activationTanh   = 4 // in the schema
	lstmGateScale    = 1.0 / (1 << 12)
	lstmUnitaryScale = 1.0 / (1 << 15) // of Q0.15
)

func prepareUnidirectionalSequenceLSTM(p *Prep) (Evaluator, error) {
	if err := p.arity(9, lstmInputs, 1); err != nil {
		return nil, err
	}
	if err := p.lstmVariant(); err != nil {
		return nil, err
	}
	in, hidden, cell, out := p.in(0), p.in(lstmHidden), p.in(lstmCell), p.out(0)
	if p.isReal() {
		return p.realLSTM(in, hidden, cell, out)
	}
	if err := cmp.Or(
		p.types(in, tensor.Int8, tensor.Int16), p.types(hidden, in.Type), p.types(cell, tensor.Int16), p.types(out, in.Type),
		p.variable(hidden), p.variable(cell), p.rank(in, 3), p.rank(hidden, 2),
		p.quantized(in), p.quantized(hidden), p.quantized(cell),
	); err != nil {
		return nil, err
	}
	if in.Type == tensor.Int16 {
		return bindLSTM[int16](p)
	}
	return bindLSTM[int8](p)
}

// lstmVariant checks that the inputs are those of the standard layer.
func (p *Prep) lstmVariant() error {
	if n := len(p.Operator.Inputs); n != lstmInputs {
		return p.invalid(operand{}, fmt.Sprintf("%d inputs", n), fmt.Sprint(lstmInputs))
	}
	for i := range lstmInputs {
		given := p.in(i).given()
		switch {
		case i < 9 || i >= lstmBias && i < lstmBias+4 || i == lstmHidden || i == lstmCell:
			if !given {
				return p.unsupported(operand{}, fmt.Sprintf("no input %d", i), "the standard layer's")
			}
		case given:
			return p.unsupported(p.in(i), fmt.Sprintf("input %d", i), "a layer without peephole, projection or layer normalization")
		}
	}
	if a := p.Operator.Options.Byte(0, 0); a != activationTanh {
		return p.unsupported(operand{}, fmt.Sprintf("activation %d", a), "4 (TANH)")
	}
	return nil
}

// bindLSTM completes the preparation for a type of activations.
func bindLSTM[A int8 | int16](p *Prep) (Evaluator, error) {
	in, hidden, cell, out := p.in(0), p.in(lstmHidden), p.in(lstmCell), p.out(0)
	l := &lstm[A]{
		in: in.id, hidden: hidden.id, cell: cell.id, out: out.id,
		steps: in.Shape[1], batch: in.Shape[0], features: in.Shape[2], units: hidden.Shape[1],
		timeMajor: p.Operator.Options.Bool(3, false), wide: in.Type == tensor.Int16,
		inZero: in.Quant.ZeroPoint(), hiddenZero: hidden.Quant.ZeroPoint(),
	}
	if l.timeMajor {
		l.steps, l.batch = l.batch, l.steps
	}
	l.lo, l.hi, _ = in.Type.Range()
	if err := cmp.Or(
		p.shape(out, tensor.Shape{in.Shape[0], in.Shape[1], l.units}),
		p.lstmState(hidden, l.batch, l.units), p.lstmState(cell, l.batch, l.units),
	); err != nil {
		return nil, err
	}
	for g := range l.gates {
		if err := p.lstmGate(&l.gates[g], g, l.features, l.units); err != nil {
			return nil, err
		}
	}
	if err := l.scales(p, hidden, cell); err != nil {
		return nil, err
	}
	p.MACs = int64(l.steps) * int64(l.batch) * int64(l.units) * 4 * (int64(l.features) + int64(l.units))
	return l, nil
}

// lstmState checks a state's size; its shape is free.
func (p *Prep) lstmState(t operand, batch, units int) error {
	if int64(t.elements()) != int64(batch)*int64(units) {
		return p.invalid(t, fmt.Sprintf("shape %v", t.Shape), fmt.Sprintf("%d rows of %d", batch, units))
	}
	return nil
}

// lstmGate reads gate g.
func (p *Prep) lstmGate(gate *lstmGate, g, features, units int) error {
	in, hidden := p.in(0), p.in(lstmHidden)
	w, r, b := p.in(lstmWeights+g), p.in(lstmRecurrent+g), p.in(lstmBias+g)
	biasType := tensor.Int32
	if in.Type == tensor.Int16 {
		biasType = tensor.Int64
	}
	if err := cmp.Or(
		p.types(w, tensor.Int8), p.types(r, tensor.Int8), p.types(b, biasType),
		p.quantized(w), p.quantized(r), p.symmetric(w), p.symmetric(r),
		p.shape(w, tensor.Shape{units, features}), p.shape(r, tensor.Shape{units, units}), p.shape(b, tensor.Shape{units}),
	); err != nil {
		return err
	}
	var err error
	if gate.input, err = p.weights(w); err != nil {
		return err
	}
	if gate.recurrent, err = p.weights(r); err != nil {
		return err
	}
	if gate.bias, err = p.wideBias(b, units); err != nil {
		return err
	}
	if gate.toInput, err = p.lstmMultiplier(in, w); err != nil {
		return err
	}
	gate.toRecurrent, err = p.lstmMultiplier(hidden, r)
	return err
}

// lstmMultiplier is the factor from the products of x and weights w to Q3.12.
func (p *Prep) lstmMultiplier(x, w operand) (fixed.Multiplier, error) {
	product := float32(x.Quant.Scale() * w.Quant.Scale())
	m, err := p.multiplier(w, float64(product)/lstmGateScale)
	if err == nil && x.Type == tensor.Int16 && m.Shift > 7 {
		err = p.invalid(w, "scales that ask for a factor of 128 or more", "less")
	}
	return m, err
}

// scales sets what depends on the scales of the states.
func (l *lstm[A]) scales(p *Prep, hidden, cell operand) error {
	cellScale := float64(cell.Quant.Scale())
	const unit = lstmUnitaryScale * lstmUnitaryScale
	l.forget = fixed.Quantize(lstmUnitaryScale) // by the cell's scale and over it
	var err error
	if l.input, err = p.multiplier(cell, unit/cellScale); err != nil {
		return err
	}
	if l.output, err = p.multiplier(hidden, unit/float64(hidden.Quant.Scale())); err != nil {
		return err
	}
	if l.tanh, err = p.tanhScale(cell); err != nil {
		return err
	}
	l.clip = -1
	if clip := p.Operator.Options.Float32(1, 0); clip > 0 {
		l.clip = int16(min(float64(clip)/cellScale, 32767))
	}
	return nil
}

// tanhScale brings the cell to tanh's units: (v·factor + half) >> shift.
type tanhScale struct{ factor, half, shift int32 }

// tanhScale of a scale 2^n: Q3.12 times 3, shifted by n + 12. A scale that is no
// power of two counts as the nearest, as in the reference.
func (p *Prep) tanhScale(cell operand) (tanhScale, error) {
	frac, exp := math.Frexp(float64(cell.Quant.Scale()))
	if frac < math.Sqrt2/2 {
		exp--
	}
	switch shift := exp + 12; {
	case shift > 14 || shift < -30:
		return tanhScale{}, p.unsupported(cell, fmt.Sprintf("scale %g", cell.Quant.Scale()), "2^-42 to 4")
	case shift >= 0:
		return tanhScale{factor: 3 << shift}, nil
	default:
		return tanhScale{3, 1 << (-shift - 1), int32(-shift)}, nil
	}
}

func (t tanhScale) at(v int16) int16 {
	return fixed.Tanh16((int32(v)*t.factor + t.half) >> t.shift)
}

func (l *lstm[A]) Eval(m *Memory) {
	in, out := get[A](m, l.in), get[A](m, l.out)
	hidden, cell := get[A](m, l.hidden), get[int16](m, l.cell)
	if l.units == 0 {
		return // the number of steps is anything
	}
	for b := range l.batch {
		h, c := hidden[b*l.units:(b+1)*l.units], cell[b*l.units:(b+1)*l.units]
		for t := range l.steps {
			row := b*l.steps + t
			if l.timeMajor {
				row = t*l.batch + b
			}
			y := out[row*l.units : (row+1)*l.units]
			l.step(in[row*l.features:(row+1)*l.features], h, c, y)
			copy(h, y)
		}
	}
}

// step computes the next hidden state as y and updates the cell.
func (l *lstm[A]) step(x, h []A, cell []int16, y []A) {
	for u := range cell {
		input := fixed.Sigmoid16(3 * l.gate(gateInput, u, x, h))
		forget := fixed.Sigmoid16(3 * l.gate(gateForget, u, x, h))
		update := fixed.Tanh16(3 * l.gate(gateCell, u, x, h))
		output := fixed.Sigmoid16(3 * l.gate(gateOutput, u, x, h))
		kept := clamp16(l.forget.Apply(int32(forget) * int32(cell[u])))
		added := clamp16(l.input.Apply(int32(input) * int32(update)))
		c := int16(clamp16(kept + added))
		if l.clip >= 0 {
			c = max(min(c, l.clip), -l.clip)
		}
		cell[u] = c
		v := l.output.Apply(int32(l.tanh.at(c))*int32(output)) + l.hiddenZero
		y[u] = A(min(max(v, l.lo), l.hi))
	}
}

// gate is the argument of gate g's function for unit u, in Q3.12.
func (l *lstm[A]) gate(g, u int, x, h []A) int32 {
	gate := &l.gates[g]
	fromInput := gate.bias[u] + product(x, gate.input[u*l.features:], l.inZero)
	fromState := product(h, gate.recurrent[u*l.units:], l.hiddenZero)
	return clamp16(l.rescale(gate.toInput, fromInput) + l.rescale(gate.toRecurrent, fromState))
}

// rescale brings a sum to Q3.12. Those of int8 have wrapped at 32 bits.
func (l *lstm[A]) rescale(m fixed.Multiplier, acc int64) int32 {
	if l.wide {
		return clamp16(m.ApplyWide(acc))
	}
	return clamp16(m.Apply(int32(acc)))
}

// product is Σ (x − zero)·w.
func product[A int8 | int16](x []A, w []int8, zero int32) int64 {
	w = w[:len(x)]
	var acc int64
	for i, v := range x {
		acc += int64((int32(v) - zero) * int32(w[i]))
	}
	return acc
}

// clamp16 saturates to int16.
func clamp16(v int32) int32 { return min(max(v, math.MinInt16), math.MaxInt16) }
