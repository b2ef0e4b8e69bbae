package tensor

import (
	"math"
	"slices"
	"strconv"
)

// Shape is the extent of every dimension, outermost first (NHWC for images). A
// shape without dimensions is a scalar.
type Shape []int

// Elements is the number of elements; ok is false when a dimension is negative
// or the product of the others does not fit in 31 bits, the range that every int
// and the format's own 32-bit offsets can hold.
func (s Shape) Elements() (n int, ok bool) {
	total, empty := int64(1), false
	for _, d := range s {
		if d < 0 || d > math.MaxInt32 {
			return 0, false
		}
		if d == 0 {
			empty = true
			continue
		}
		if total *= int64(d); total > math.MaxInt32 {
			return 0, false
		}
	}
	if empty {
		return 0, true
	}
	return int(total), true
}

// Bytes is the size of a dense tensor of this shape; ok is false as in Elements
// or when t has no fixed size.
func (s Shape) Bytes(t Type) (n int, ok bool) {
	elements, ok := s.Elements()
	if !ok || t.Bits() == 0 {
		return 0, false
	}
	bytes := (int64(elements)*int64(t.Bits()) + 7) / 8
	return int(bytes), bytes <= math.MaxInt32
}

// Equal reports whether both shapes have the same dimensions.
func (s Shape) Equal(t Shape) bool { return slices.Equal(s, t) }

// String is the form [1,49,10,1].
func (s Shape) String() string {
	b := []byte{'['}
	for i, d := range s {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(d), 10)
	}
	return string(append(b, ']'))
}
