package eval

import (
	"fmt"

	"kedge/quant/data"
)

// NewLabels reads the labels of count samples: whole numbers, not negative, one
// for each sample. Whether a model has as many classes is for Evaluate to say.
// Errors match ErrLabels or are package data's.
func NewLabels(a data.Array, count int) ([]int, error) {
	n := 1
	for _, d := range a.Shape {
		n *= d
	}
	if len(a.Shape) == 0 || a.Shape[0] != count || n != count {
		return nil, fmt.Errorf("%w: shape %v, want one label for each of %d samples", ErrLabels, a.Shape, count)
	}
	y, err := a.Ints()
	if err != nil {
		return nil, err
	}
	for i, v := range y {
		if v < 0 {
			return nil, fmt.Errorf("%w: sample %d has label %d, want 0 or more", ErrLabels, i, v)
		}
	}
	return y, nil
}

// checkLabels refuses labels that a model cannot answer with.
func checkLabels(y []int, count, classes int) error {
	if len(y) != count {
		return fmt.Errorf("%w: %d labels for %d samples", ErrLabels, len(y), count)
	}
	for i, v := range y {
		if v < 0 || v >= classes {
			return fmt.Errorf("%w: sample %d has label %d, the model has classes 0 to %d", ErrLabels, i, v, classes-1)
		}
	}
	return nil
}

// twoClasses reports whether labels are all 0 or 1.
func twoClasses(y []int) bool {
	for _, v := range y {
		if v != 0 && v != 1 {
			return false
		}
	}
	return true
}
