package op

import (
	"cmp"
	"fmt"

	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
)

// svdf is SVDF, a recurrent layer of filters in two factors: weights over the
// input's features give one number per filter and step, of which the state
// remembers the last `memory`; weights over time sum those up, and `rank`
// neighboring filters make one unit. T is the type of state and time weights.
//
// The feature product is rescaled to the state, clamped to T and only then moved
// by the state's zero point, wrapping. The state moves by one element as a whole;
// what crosses from one filter to the next is overwritten. Both factors are
// float32 quotients of float32 products. A fused activation is not applied: the
// reference ignores it on integers.
type svdf[T int8 | int16] struct {
	in, state, out              int
	batch, features             int
	filters, memory, rank       int
	inZero, stateZero, zero     int32
	lo, hi                      int32 // of T
	toState, toOut              fixed.Multiplier
	featureWeights, timeWeights int // tensors
	bias                        []int32
}

func prepareSVDF(p *Prep) (Evaluator, error) {
	if err := p.arity(3, 5, 1); err != nil {
		return nil, err
	}
	in, wf, wt, state, out := p.in(0), p.in(1), p.in(2), p.in(4), p.out(0)
	if !state.given() {
		return nil, p.invalid(operand{}, "no state", "a variable as input 4")
	}
	if p.isReal() {
		return p.realSVDF(in, wf, wt, state, out)
	}
	if err := cmp.Or(
		p.types(in, tensor.Int8), p.types(wf, tensor.Int8), p.types(wt, tensor.Int8, tensor.Int16),
		p.types(state, wt.Type), p.types(out, tensor.Int8),
		p.quantized(in), p.quantized(wf), p.quantized(wt), p.quantized(state), p.quantized(out),
		p.symmetric(wf), p.symmetric(wt), p.constant(wf), p.constant(wt), p.variable(state),
		p.rank(in, 2), p.rank(wf, 2), p.rank(wt, 2),
	); err != nil {
		return nil, err
	}
	if wt.Type == tensor.Int8 {
		return bindSVDF[int8](p)
	}
	return bindSVDF[int16](p)
}

// bindSVDF completes the preparation for a type of state.
func bindSVDF[T int8 | int16](p *Prep) (Evaluator, error) {
	in, wf, wt, state, out := p.in(0), p.in(1), p.in(2), p.in(4), p.out(0)
	s := &svdf[T]{
		in: in.id, state: state.id, out: out.id, featureWeights: wf.id, timeWeights: wt.id,
		batch: in.Shape[0], features: in.Shape[1], filters: wf.Shape[0], memory: wt.Shape[1],
		rank:   int(p.Operator.Options.Int32(0, 0)),
		inZero: in.Quant.ZeroPoint(), stateZero: state.Quant.ZeroPoint(), zero: out.Quant.ZeroPoint(),
	}
	s.lo, s.hi, _ = state.Type.Range()
	if s.rank <= 0 || s.filters%s.rank != 0 {
		return nil, p.invalid(wf, fmt.Sprintf("rank %d for %d filters", s.rank, s.filters), "a divisor")
	}
	if state.elements() == 0 {
		return nil, p.unsupported(state, "no elements", "at least one")
	}
	units := s.filters / s.rank
	if err := cmp.Or(
		p.shape(wf, tensor.Shape{s.filters, s.features}), p.shape(wt, tensor.Shape{s.filters, s.memory}),
		p.shape(state, tensor.Shape{s.batch, s.memory * s.filters}), p.shape(out, tensor.Shape{s.batch, units}),
		p.svdfBias(wt, state),
	); err != nil {
		return nil, err
	}
	var err error
	if s.bias, err = p.bias(p.in(3), units); err != nil {
		return nil, err
	}
	product := float32(in.Quant.Scale() * wf.Quant.Scale())
	if s.toState, err = p.multiplier(wf, float64(float32(product/state.Quant.Scale()))); err != nil {
		return nil, err
	}
	product = float32(state.Quant.Scale() * wt.Quant.Scale())
	if s.toOut, err = p.multiplier(wt, float64(float32(product/out.Quant.Scale()))); err != nil {
		return nil, err
	}
	p.MACs = int64(s.batch) * int64(s.filters) * (int64(s.features) + int64(s.memory))
	return s, nil
}

// svdfBias refuses a bias that has another scale than the sum over time, by the
// reference's tolerance.
func (p *Prep) svdfBias(wt, state operand) error {
	b := p.in(3)
	if !b.given() {
		return nil
	}
	want := float32(state.Quant.Scale() * wt.Quant.Scale())
	if diff := float64(b.Quant.Scale()) - float64(want); !(diff < 1e-5 && diff > -1e-5) {
		return p.invalid(b, fmt.Sprintf("scale %g", b.Quant.Scale()), fmt.Sprintf("%g, state times weights", want))
	}
	return nil
}

func (s *svdf[T]) Eval(m *Memory) {
	state := get[T](m, s.state)
	copy(state, state[1:])
	s.remember(get[int8](m, s.in), get[int8](m, s.featureWeights), state)
	weights, out := get[T](m, s.timeWeights), get[int8](m, s.out)
	units := s.filters / s.rank
	for b := range s.batch {
		past := state[b*s.filters*s.memory:]
		for u := range units {
			var acc int32
			if s.bias != nil {
				acc = s.bias[u]
			}
			at, n := u*s.rank*s.memory, s.rank*s.memory
			w := weights[at : at+n]
			for i, v := range past[at : at+n] {
				acc += int32(w[i]) * (int32(v) - s.stateZero)
			}
			out[b*units+u] = int8(min(max(s.toOut.Apply(acc)+s.zero, -128), 127))
		}
	}
}

// remember writes every filter's product with the input as its newest state.
func (s *svdf[T]) remember(in, weights []int8, state []T) {
	for b := range s.batch {
		x := in[b*s.features : (b+1)*s.features]
		for f := range s.filters {
			var acc int32
			w := weights[f*s.features : (f+1)*s.features]
			for i, v := range x {
				acc += int32(w[i]) * (int32(v) - s.inZero)
			}
			v := min(max(s.toState.Apply(acc), s.lo), s.hi) + s.stateZero
			state[(b*s.filters+f+1)*s.memory-1] = T(v)
		}
	}
}
