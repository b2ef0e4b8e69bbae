package tflite

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
	"unsafe"
)

// ints reads a vector of 32-bit integers.
func (d *decoder) ints(t Table, id int) ([]int, error) {
	raw, err := t.vector(id, 4)
	if err != nil {
		return nil, err
	}
	out, err := alloc[int](d.budget, len(raw)/4)
	for i := range out {
		out[i] = int(int32(binary.LittleEndian.Uint32(raw[4*i:])))
	}
	return out, err
}

// indices reads a vector of tensor indices and checks them against n tensors.
func (d *decoder) indices(t Table, id, n int, optional bool) ([]int, error) {
	out, err := d.ints(t, id)
	for _, x := range out {
		if x == NoTensor && optional {
			continue
		}
		if x < 0 || x >= n {
			return nil, fmt.Errorf("%w: tensor %d of %d", ErrMalformed, x, n)
		}
	}
	return out, err
}

// text copies a string field. The names that it reads are for people: what cannot
// be printed becomes a question mark, so that no file commands a terminal.
func (d *decoder) text(t Table, id int) (string, error) {
	s, _, err := t.Text(id, d.budget)
	if strings.IndexFunc(s, unprintable) < 0 {
		return s, err
	}
	if err := d.budget.Spend(len(s), 1); err != nil {
		return "", err
	}
	return strings.Map(func(r rune) rune {
		if unprintable(r) {
			return '?'
		}
		return r
	}, s), err
}

// unprintable holds for bytes that are no UTF-8, too.
func unprintable(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }

// alloc makes a slice of n elements, paid from the budget; nil for none.
func alloc[T any](b *Budget, n int) ([]T, error) {
	if n == 0 {
		return nil, nil
	}
	var zero T
	if err := b.Spend(n, int(unsafe.Sizeof(zero))); err != nil {
		return nil, err
	}
	return make([]T, n), nil
}
