package op

import (
	"kedge/runtime/fixed"
	"kedge/runtime/kernel"
	"kedge/runtime/tensor"
)

// scalar is the definition of an elementwise operator on raw values.
type scalar interface{ at(v int32) int32 }

// rescale changes quantization: (v − inZero)·m + outZero, clamped.
type rescale struct {
	m               fixed.Multiplier
	inZero, outZero int32
	lo, hi          int32
}

func (r rescale) at(v int32) int32 {
	return min(max(r.m.Apply(v-r.inZero)+r.outZero, r.lo), r.hi)
}

// integer are the element types of quantized tensors.
type integer interface{ int8 | uint8 | int16 | int32 }

// elementwise applies a scalar definition to every element.
type elementwise[I, O integer] struct {
	in, out int
	f       scalar
}

func (e *elementwise[I, O]) Eval(m *Memory) {
	out := get[O](m, e.out)
	for i, v := range get[I](m, e.in)[:len(out)] {
		out[i] = O(e.f.at(int32(v)))
	}
}

// overwrites says that output 0 may be written over input i. It may where element
// k of the output depends on no element of the input but k and those behind it,
// is written after they are read, and is not wider: then what has been written
// never covers what is still to be read.
func (p *Prep) overwrites(inputs ...int) {
	out := p.out(0)
	for _, i := range inputs {
		if in := p.in(i); in.elements() == out.elements() && in.Type.Bits() >= out.Type.Bits() {
			p.InPlace = append(p.InPlace, i)
		}
	}
}

// lookup is an elementwise operator on 8-bit values, all 256 of them tabulated.
type lookup struct {
	in, out int
	kernels *kernel.Set
	table   [256]byte // by the input's bits
}

func (l *lookup) Kernel() string { return l.kernels.LookupKernel() }

func (l *lookup) Eval(m *Memory) { l.kernels.Lookup(&l.table, m.Tensors[l.out], m.Tensors[l.in]) }

// mapped binds f to tensors of one int8 or int16 type.
func (p *Prep) mapped(in, out operand, f scalar) (Evaluator, error) {
	p.overwrites(0)
	if in.Type == tensor.Int16 {
		return &elementwise[int16, int16]{in.id, out.id, f}, nil
	}
	return p.lookup(in, out, f)
}

// lookup tabulates f for an 8-bit input and output.
func (p *Prep) lookup(in, out operand, f scalar) (Evaluator, error) {
	if err := p.Budget.Spend(1, 256); err != nil {
		return nil, err
	}
	l := &lookup{in: in.id, out: out.id, kernels: p.Kernels}
	for i := range l.table {
		v := int32(i)
		if in.Type == tensor.Int8 {
			v = int32(int8(i))
		}
		l.table[i] = byte(f.at(v))
	}
	return l, nil
}
