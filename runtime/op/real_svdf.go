package op

import (
	"cmp"
	"fmt"
	"math"

	"kedge/runtime/tensor"
)

// realSVDF is SVDF on float32. Each filter's sum over time is taken on its own,
// then those of a unit are added to its bias. Its fused activation counts,
// unlike that on integers.
type realSVDF struct {
	in, state, out              int
	featureWeights, timeWeights int // tensors
	bias                        int // tensor, or -1
	batch, features             int
	filters, memory, rank       int
	bounds
}

func (p *Prep) realSVDF(in, wf, wt, state, out operand) (Evaluator, error) {
	if err := cmp.Or(
		p.types(wf, tensor.Float32), p.types(wt, tensor.Float32), p.types(state, tensor.Float32), p.types(out, tensor.Float32),
		p.variable(state), p.rank(in, 2), p.rank(wf, 2), p.rank(wt, 2),
	); err != nil {
		return nil, err
	}
	s := &realSVDF{
		in: in.id, state: state.id, out: out.id, featureWeights: wf.id, timeWeights: wt.id, bias: -1,
		batch: in.Shape[0], features: in.Shape[1], filters: wf.Shape[0], memory: wt.Shape[1],
		rank: int(p.Operator.Options.Int32(0, 0)),
	}
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
	); err != nil {
		return nil, err
	}
	if b := p.in(3); b.given() {
		if err := cmp.Or(p.types(b, tensor.Float32), p.shape(b, tensor.Shape{units})); err != nil {
			return nil, err
		}
		s.bias = b.id
	}
	var err error
	if s.bounds, err = p.bounds(activation(p.Operator.Options.Byte(1, 0))); s.bounds == finite {
		s.bounds = bounds{float32(math.Inf(-1)), float32(math.Inf(1))}
	}
	p.MACs = int64(s.batch) * int64(s.filters) * (int64(s.features) + int64(s.memory))
	return s, err
}

func (s *realSVDF) Eval(m *Memory) {
	state := get[float32](m, s.state)
	copy(state, state[1:])
	x, wf, wt, out := get[float32](m, s.in), get[float32](m, s.featureWeights), get[float32](m, s.timeWeights), get[float32](m, s.out)
	units := s.filters / s.rank
	for b := range s.batch {
		past := state[b*s.filters*s.memory : (b+1)*s.filters*s.memory]
		for f := range s.filters {
			past[(f+1)*s.memory-1] = realProduct(x[b*s.features:(b+1)*s.features], wf[f*s.features:])
		}
		for u := range units {
			sum := float32(0)
			if s.bias >= 0 {
				sum = get[float32](m, s.bias)[u]
			}
			for f := u * s.rank; f < (u+1)*s.rank; f++ {
				sum += realProduct(past[f*s.memory:(f+1)*s.memory], wt[f*s.memory:])
			}
			out[b*units+u] = s.clamp(sum)
		}
	}
}
