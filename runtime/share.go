package runtime

import (
	"kedge/runtime/plan"
	"kedge/runtime/tflite"
)

// sharing finds out which tensors use one piece of memory.
type sharing struct {
	*program
	lives  []plan.Buffer // by tensor; gets the groups
	source []int         // by tensor: the one whose memory it takes, -1 for none
	root   []int         // by tensor: the first of those that it shares with
	last   []int         // by root: the last step that reads any of them
}

// share ties tensors together that use one piece of memory: the input and the
// output of an operator that moves nothing, and with inPlace those of one that
// writes its output over an input. lives gets the groups; the result is by
// tensor the one whose memory it takes, -1 for none.
//
// Over an input, because Invoker says that Invoke may overwrite the model's
// inputs and that outputs are valid until an input is written. Never over a
// constant or a variable.
func (p *program) share(lives []plan.Buffer, inPlace bool) []int {
	n := len(lives)
	s := sharing{p, lives, make([]int, n), make([]int, n), make([]int, n)}
	for t := range lives {
		s.source[t], s.root[t], s.last[t] = -1, t, lives[t].Last
		lives[t].Group = 0
	}
	for i := range p.steps {
		step, o := &p.steps[i], &p.graph.Operators[i]
		switch {
		case step.alias && s.planned(o.Inputs[0]):
			s.join(o.Outputs[0], o.Inputs[0])
		case inPlace:
			if in := s.over(i); in >= 0 {
				s.join(o.Outputs[0], in)
			}
		}
	}
	return s.source
}

// planned reports whether t lies in memory that operators may share: neither
// the file's nor a variable's.
func (s *sharing) planned(t int) bool {
	return t != tflite.NoTensor && s.graph.Tensors[t].Data == nil && !s.graph.Tensors[t].Variable
}

// join puts out into in's memory.
func (s *sharing) join(out, in int) {
	root := s.root[in]
	s.source[out], s.root[out] = in, root
	s.last[root] = max(s.last[root], s.last[out])
	s.lives[root].Group, s.lives[out].Group = root+1, root+1
}

// over is the input that operator i may write its output over, -1 for none: one
// that is no longer needed afterwards, nor is any other tensor in its memory.
// Of two it is the one that takes less memory, because that lives on.
func (s *sharing) over(i int) int {
	best := -1
	for _, k := range s.steps[i].inPlace {
		in := s.graph.Operators[i].Inputs[k]
		if s.planned(in) && s.last[s.root[in]] == i+1 && s.alone(i, in) &&
			(best < 0 || s.lives[s.root[in]].Size < s.lives[s.root[best]].Size) {
			best = in
		}
	}
	return best
}

// alone reports whether operator i reads in's memory only through inputs that it
// may overwrite.
func (s *sharing) alone(i, in int) bool {
	may := 0
	for _, k := range s.steps[i].inPlace {
		may |= 1 << k
	}
	for k, t := range s.graph.Operators[i].Inputs {
		if t != tflite.NoTensor && s.root[t] == s.root[in] && may&(1<<k) == 0 {
			return false
		}
	}
	return true
}
