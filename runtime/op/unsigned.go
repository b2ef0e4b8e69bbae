package op

import (
	"unsafe"

	"kedge/runtime/tensor"
)

// unsigned runs an operator of int8 on uint8 tensors. A uint8 value v with zero
// point z stands for the same number as the int8 value v−128 with zero point
// z−128, and their bytes differ in the highest bit alone. So the input is
// flipped, the operator evaluated, and input and output are flipped back: exact,
// and without memory.
type unsigned struct {
	Evaluator
	in, out  int
	constant []byte // the input, flipped, where it is in the file
}

// signed replaces uint8 operands by what int8 stands for the same with, so that
// preparation goes on as for int8; others stay as they are. Their zero points
// have been checked. Constants are copied.
func (p *Prep) signed(ts ...*operand) error {
	for _, t := range ts {
		if t.Type != tensor.Uint8 {
			continue
		}
		s := *t.Tensor
		s.Type = tensor.Int8
		s.Quant.ZeroPoints = []int32{t.Quant.ZeroPoint() - 128}
		if t.Data != nil {
			if err := p.Budget.Spend(len(t.Data), 1); err != nil {
				return err
			}
			s.Data = append([]byte{}, t.Data...)
			flip(s.Data)
		}
		t.Tensor = &s
	}
	return nil
}

// unsigned completes the preparation of e on operands that signed has replaced,
// if it has.
func (p *Prep) unsigned(e Evaluator, in, out operand) Evaluator {
	if p.Tensors[in.id].Type != tensor.Uint8 {
		return e
	}
	return &unsigned{e, in.id, out.id, in.Data}
}

func (u *unsigned) Eval(m *Memory) {
	in := m.Tensors[u.in]
	if u.constant != nil {
		m.Tensors[u.in] = u.constant // the file is not to be written
		u.Evaluator.Eval(m)
		m.Tensors[u.in] = in
	} else {
		flip(in)
		u.Evaluator.Eval(m)
		flip(in)
	}
	flip(m.Tensors[u.out])
}

// flip inverts the highest bit of every byte.
func flip(b []byte) {
	head := min(-int(uintptr(unsafe.Pointer(unsafe.SliceData(b))))&7, len(b))
	flipBytes(b[:head])
	b = b[head:]
	words := view[int64](b[:len(b)&^7])
	for i := range words {
		words[i] ^= -0x7F7F7F7F7F7F7F80 // 0x80 in every byte
	}
	flipBytes(b[len(b)&^7:])
}

func flipBytes(b []byte) {
	for i := range b {
		b[i] ^= 0x80
	}
}
