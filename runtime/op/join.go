package op

import (
	"fmt"
	"slices"

	"kedge/runtime/tensor"
)

// join relates one tensor to the parts that it consists of along an axis: for
// each position before the axis, a piece of every part in turn. It works on
// bytes, whatever the element.
type join struct {
	whole int
	parts []piece
	outer int
}

// piece is a part, and how many of its bytes lie together in the whole.
type piece struct {
	tensor, bytes int
	table         *[256]byte // that its bytes go through, if any
}

// concatenated lays out n parts that have the whole's dimensions, and along the
// axis together its extent.
func (p *Prep) concatenated(whole operand, axis, n int, part func(int) operand) (join, error) {
	return p.join(whole, axis, n, func(i int) (operand, int, error) {
		t := part(i)
		if len(t.Shape) != len(whole.Shape) {
			return t, 0, p.invalid(t, fmt.Sprintf("shape %v", t.Shape), fmt.Sprintf("%d dimensions", len(whole.Shape)))
		}
		for d := range t.Shape {
			if d != axis && t.Shape[d] != whole.Shape[d] {
				return t, 0, p.invalid(t, fmt.Sprintf("shape %v", t.Shape), fmt.Sprintf("%v but for dimension %d", whole.Shape, axis))
			}
		}
		return t, t.Shape[axis], nil
	})
}

// stacked lays out n parts that lack the whole's dimension axis.
func (p *Prep) stacked(whole operand, axis, n int, part func(int) operand) (join, error) {
	want := slices.Delete(slices.Clone(whole.Shape), axis, axis+1)
	return p.join(whole, axis, n, func(i int) (operand, int, error) {
		t := part(i)
		return t, 1, p.shape(t, want)
	})
}

// join lays out n parts, of which part tells the extent along the axis.
func (p *Prep) join(whole operand, axis, n int, part func(int) (operand, int, error)) (join, error) {
	outer, inner := around(whole.Shape, axis)
	j := join{whole: whole.id, outer: outer}
	if err := p.movable(whole, whole); err != nil {
		return j, err
	}
	if err := p.Budget.Spend(n, 16); err != nil {
		return j, err
	}
	j.parts = make([]piece, 0, n)
	sum := int64(0)
	for i := range n {
		t, extent, err := part(i)
		if err != nil {
			return j, err
		}
		if err := p.types(t, whole.Type); err != nil {
			return j, err
		}
		sum += int64(extent)
		if t.elements() > 0 {
			j.parts = append(j.parts, piece{tensor: t.id, bytes: extent * inner * t.size()})
		}
	}
	if sum != int64(whole.Shape[axis]) {
		return j, p.invalid(whole, fmt.Sprintf("shape %v", whole.Shape), fmt.Sprintf("%d in dimension %d", sum, axis))
	}
	if len(j.parts) == 0 {
		j.outer = 0
	}
	return j, nil
}

// around is the number of positions before and behind dimension axis.
func around(s tensor.Shape, axis int) (outer, inner int) {
	outer, inner = 1, 1
	for _, n := range s[:axis] {
		outer *= n
	}
	for _, n := range s[axis+1:] {
		inner *= n
	}
	return outer, inner
}

// joinParts writes the whole from its parts.
type joinParts struct{ join }

func (j *joinParts) Eval(m *Memory) {
	whole := m.Tensors[j.whole]
	for k := range j.outer {
		for _, t := range j.parts {
			part := m.Tensors[t.tensor][k*t.bytes : (k+1)*t.bytes]
			if t.table == nil {
				copy(whole, part)
			} else {
				for i, v := range part {
					whole[i] = t.table[v]
				}
			}
			whole = whole[len(part):]
		}
	}
}

// cutParts writes the parts from their whole.
type cutParts struct{ join }

func (j *cutParts) Eval(m *Memory) {
	whole := m.Tensors[j.whole]
	for k := range j.outer {
		for _, t := range j.parts {
			whole = whole[copy(m.Tensors[t.tensor][k*t.bytes:(k+1)*t.bytes], whole):]
		}
	}
}
