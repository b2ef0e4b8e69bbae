package graph

import (
	"fmt"
	"math"
)

// integers reads an operand that has to be constant, at most so many integers.
func (r *reader) integers(id TensorID, most int) ([]int, error) {
	t := r.g.Tensor(id)
	n, _ := t.Shape.Elements()
	switch {
	case n == 0 && len(t.Shape) > 0: // a file holds no data for these
		return nil, nil
	case t.Int32 == nil && t.Int64 == nil:
		return nil, fmt.Errorf("%w: operand %s is not an integer constant", ErrUnsupported, r.g.label(id))
	case n > most:
		return nil, fmt.Errorf("%w: operand %s has %d values, want at most %d", ErrInvalid, r.g.label(id), n, most)
	}
	out := make([]int, 0, n)
	for _, v := range t.Int32 {
		out = append(out, int(v))
	}
	for _, v := range t.Int64 {
		// Beyond 32 bits such constants mean no limit.
		out = append(out, int(min(max(v, math.MinInt32), math.MaxInt32)))
	}
	return out, nil
}

// maxList bounds operands that hold one number for each of a tensor's dimensions,
// of which the format has far fewer; some may be named several times.
const maxList = 64

// exactly is integers of a certain number.
func (r *reader) exactly(id TensorID, n int) ([]int, error) {
	v, err := r.integers(id, max(n, maxList))
	if err == nil && len(v) != n {
		err = fmt.Errorf("%w: operand %s has %d values, want %d", ErrInvalid, r.g.label(id), len(v), n)
	}
	return v, err
}

// axis resolves a dimension that may be counted from the end.
func axis(v, rank int) (int, error) {
	if v < -rank || v >= rank {
		return 0, fmt.Errorf("%w: axis %d of %d dimensions", ErrInvalid, v, rank)
	}
	if v < 0 {
		v += rank
	}
	return v, nil
}

// axisOperand is an axis that stands in a constant.
func (r *reader) axisOperand(id TensorID, rank int) (int, error) {
	v, err := r.exactly(id, 1)
	if err != nil {
		return 0, err
	}
	return axis(v[0], rank)
}
