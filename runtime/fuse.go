package runtime

import (
	"kedge/runtime/op"
	"kedge/runtime/plan"
	"kedge/runtime/tflite"
)

// fusion finds the PADs of a subgraph that the convolution behind them does.
type fusion struct {
	readers []int            // by tensor: inputs of operators, and outputs of the subgraph
	pads    map[int]fusedPad // by output, those that an operator may do
}

type fusedPad struct {
	operator int
	*op.Padding
}

func newFusion(g *tflite.Subgraph) *fusion {
	f := &fusion{make([]int, len(g.Tensors)), map[int]fusedPad{}}
	for i := range g.Operators {
		for _, t := range g.Operators[i].Inputs {
			if t != tflite.NoTensor {
				f.readers[t]++
			}
		}
	}
	for _, t := range g.Outputs {
		f.readers[t]++
	}
	return f
}

// padding is what operator o may do for the PAD that its first input comes from,
// nil for nothing.
func (f *fusion) padding(o *tflite.Operator) *op.Padding {
	if len(o.Inputs) == 0 {
		return nil
	}
	return f.pads[o.Inputs[0]].Padding
}

// note takes in operator i after its preparation.
func (f *fusion) note(p *program, prep *op.Prep) {
	o := prep.Operator
	if pads := prep.Pads; pads != nil && f.readers[o.Outputs[0]] == 1 {
		f.pads[o.Outputs[0]] = fusedPad{prep.Index, pads}
	}
	if prep.Unpadded {
		pad := f.pads[o.Inputs[0]]
		s := &p.steps[pad.operator]
		s.Evaluator, s.into = op.Padded(s.Evaluator, pad.Padding, prep.Index), prep.Index
	}
}

// unpad takes the outputs of PADs that later operators do out of lives, which end
// before step end. Their inputs are needed until then.
func (p *program) unpad(lives []plan.Buffer, end int) {
	for i := range p.steps {
		if into := p.steps[i].into; into > 0 {
			o := &p.graph.Operators[i]
			from := &lives[o.Inputs[0]]
			from.Last = max(from.Last, into+1)
			lives[o.Outputs[0]] = plan.Buffer{First: end, Last: -1}
		}
	}
}
