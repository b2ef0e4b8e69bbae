package op

import (
	"cmp"
	"fmt"
	"unsafe"

	"kedge/runtime/dsp"
	"kedge/runtime/tensor"
)

// complexes reads the bytes of a tensor of real and imaginary parts in turn.
func complexes[T dsp.Fixed](b []byte) []dsp.Complex[T] {
	var zero dsp.Complex[T]
	return unsafe.Slice((*dsp.Complex[T])(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(zero)))
}

// vector checks that t has one dimension and that type.
func (p *Prep) vector(t operand, want tensor.Type) error {
	return cmp.Or(p.types(t, want), p.rank(t, 1))
}

// single checks that t is a scalar of that type.
func (p *Prep) single(t operand, want tensor.Type) error {
	return cmp.Or(p.types(t, want), p.rank(t, 0))
}

// count checks t's number of elements.
func (p *Prep) count(t operand, want int) error {
	if t.elements() != want {
		return p.invalid(t, fmt.Sprintf("%d values", t.elements()), fmt.Sprint(want))
	}
	return nil
}

// frames is the extent of t's last dimension and how many rows of it there are.
// A scalar, or a last dimension of 0, is an error.
func (p *Prep) frames(t operand) (rows, extent int, err error) {
	if len(t.Shape) == 0 || t.Shape[len(t.Shape)-1] == 0 {
		return 0, 0, p.invalid(t, fmt.Sprintf("shape %v", t.Shape), "a last dimension above 0")
	}
	extent = t.Shape[len(t.Shape)-1]
	return t.elements() / extent, extent, nil
}
