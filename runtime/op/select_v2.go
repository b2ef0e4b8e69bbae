package op

import (
	"cmp"
	"fmt"

	"kedge/runtime/tensor"
)

// selectV2 is SELECT_V2: elements of x where the condition holds, else of y, all
// three repeated by numpy's rule. It moves bytes; quantizations play no part, a
// converter gives x, y and the output the same.
type selectV2 struct {
	condition, x, y, out int
	size                 int // bytes of an element
	rank                 int
	extent               [maxRank]int    // of the output
	stride               [3][maxRank]int // of condition, x and y, in elements; 0 where repeated
}

func prepareSelectV2(p *Prep) (Evaluator, error) {
	if err := p.arity(3, 3, 1); err != nil {
		return nil, err
	}
	c, x, y, out := p.in(0), p.in(1), p.in(2), p.out(0)
	if err := cmp.Or(p.types(c, tensor.Bool), p.movable(x, out), p.types(y, x.Type)); err != nil {
		return nil, err
	}
	s := &selectV2{condition: c.id, x: x.id, y: y.id, out: out.id, size: x.size(), rank: len(out.Shape)}
	union := make(tensor.Shape, len(out.Shape))
	for d := range union {
		union[d], s.extent[d] = 1, out.Shape[d]
	}
	for i, t := range []operand{c, x, y} {
		if len(t.Shape) > len(union) && t.elements() != 1 {
			return nil, p.invalid(t, fmt.Sprintf("shape %v", t.Shape), fmt.Sprintf("at most %d dimensions", len(union)))
		}
		strides := elementStrides(t.Shape)
		for d := range union {
			n := dim(t.Shape, len(union), d)
			if n == 1 || t.elements() == 1 {
				continue
			}
			if n != out.Shape[d] {
				return nil, p.invalid(t, fmt.Sprintf("shape %v", t.Shape), fmt.Sprintf("one that broadcasts to %v", out.Shape))
			}
			union[d] = n
			s.stride[i][d] = strides[d-(len(union)-len(t.Shape))]
		}
	}
	p.overwrites(1, 2)
	return s, p.shape(out, union)
}

func (s *selectV2) Eval(m *Memory) {
	condition, x, y, out := m.Tensors[s.condition], m.Tensors[s.x], m.Tensors[s.y], m.Tensors[s.out]
	var index [maxRank]int
	var at [3]int
	for len(out) > 0 {
		if condition[at[0]] != 0 {
			copy(out[:s.size], x[at[1]*s.size:])
		} else {
			copy(out[:s.size], y[at[2]*s.size:])
		}
		out = out[s.size:]
		for d := s.rank - 1; d >= 0; d-- {
			back := 0
			if index[d]++; index[d] == s.extent[d] {
				index[d], back = 0, s.extent[d]
			}
			for i := range at {
				at[i] += (1 - back) * s.stride[i][d]
			}
			if back == 0 {
				break
			}
		}
	}
}
