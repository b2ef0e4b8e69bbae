package runtimetest

import "kedge/runtime/tensor"

// Unsigned is the model b on uint8: every int8 tensor has its values and zero
// point raised by 128, and the first of its scales.
func Unsigned(b *Builder) *Builder {
	u := *b
	u.Tensors = append([]Tensor(nil), b.Tensors...)
	for i := range u.Tensors {
		t := &u.Tensors[i]
		if t.Type != tensor.Int8 {
			continue
		}
		t.Type, t.Data = tensor.Uint8, append([]byte(nil), t.Data...)
		for j := range t.Data {
			t.Data[j] ^= 0x80
		}
		if len(t.Scales) > 0 {
			t.Scales, t.Zeros, t.Dim = t.Scales[:1], []int{t.Zeros[0] + 128}, 0
		}
	}
	return &u
}
