package op

import (
	"fmt"

	"kedge/runtime/kernel"
	"kedge/runtime/tensor"
)

// Padding is what a PAD does that adds nothing but zeros (zero points) around the
// height and width of 8-bit images. A convolution can take that over, because its
// windows may hang over the edges anyway: then it reads what the PAD reads, and the
// padded tensor need not exist. To the bytes it makes no difference, since neither
// of the two looks at the quantization of the PAD's input.
type Padding struct {
	From      int // the PAD's input
	to        int // its output
	top, left int
}

// padding is the Padding of a PAD of those amounts, or nil.
func (p *Prep) padding(in, value, out operand, amounts []int64) *Padding {
	if in.Type != tensor.Int8 && in.Type != tensor.Uint8 || len(in.Shape) != 4 || in.elements() == 0 ||
		in.Data != nil || in.Variable || len(out.Quant.Scales) == 0 {
		return nil
	}
	if amounts[0]+amounts[1]+amounts[6]+amounts[7] != 0 {
		return nil // of the batch or of channels
	}
	if value.given() && (len(value.Data) != 1 || value.Data[0] != out.zeroByte()) {
		return nil
	}
	return &Padding{From: in.id, to: out.id, top: int(amounts[2]), left: int(amounts[4])}
}

// unpad moves a window over in, which is the output of Prep.Padding where that is
// given, to the tensor from before the padding, and returns that. signed has
// replaced in if it has to.
func (p *Prep) unpad(in operand, w *kernel.Window) operand {
	if p.Padding == nil || p.Padding.to != in.id {
		return in
	}
	from := *in.Tensor // its type and quantization
	from.Shape = p.Tensors[p.Padding.From].Shape
	w.InH, w.InW = from.Shape[1], from.Shape[2]
	w.PadTop += p.Padding.top
	w.PadLeft += p.Padding.left
	p.Unpadded = true
	return operand{p.Padding.From, &from}
}

// fusedPad is a PAD that the operator into does where the PAD's output has no memory.
type fusedPad struct {
	Evaluator
	out, into int
}

// Padded is the evaluator of a PAD whose Padding the operator into, which was
// prepared to, does too. It does nothing in a memory without its output.
func Padded(pad Evaluator, p *Padding, into int) Evaluator { return &fusedPad{pad, p.to, into} }

func (q *fusedPad) Eval(m *Memory) {
	if m.Tensors[q.out] != nil {
		q.Evaluator.Eval(m)
	}
}

// Kernel names the operator that does the work.
func (q *fusedPad) Kernel() string { return fmt.Sprintf("fused into %d", q.into) }
