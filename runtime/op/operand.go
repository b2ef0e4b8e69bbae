package op

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// operand is a tensor in an operator's input or output list. The zero operand
// stands for an optional input that is not given.
type operand struct {
	id int
	*tflite.Tensor
}

func (t operand) given() bool { return t.Tensor != nil }

// in is input i; beyond the list's end or left out by the model it is zero.
func (p *Prep) in(i int) operand {
	if i >= len(p.Operator.Inputs) || p.Operator.Inputs[i] == tflite.NoTensor {
		return operand{}
	}
	id := p.Operator.Inputs[i]
	return operand{id, &p.Tensors[id]}
}

func (p *Prep) out(i int) operand {
	id := p.Operator.Outputs[i]
	return operand{id, &p.Tensors[id]}
}

// arity checks the lengths of the operand lists, that the first required inputs
// are given, and that every operand's shape and data are sound. Afterwards
// elements is safe on all of them.
func (p *Prep) arity(required, most, outputs int) error {
	if err := p.counts(required, most, outputs); err != nil {
		return err
	}
	for i := range p.Operator.Inputs {
		if t := p.in(i); t.given() {
			if err := p.sound(t); err != nil {
				return err
			}
		}
	}
	for i := range p.Operator.Outputs {
		if err := p.sound(p.out(i)); err != nil {
			return err
		}
	}
	return nil
}

// counts is arity without the check of shapes.
func (p *Prep) counts(required, most, outputs int) error {
	o := p.Operator
	if n := len(o.Inputs); n < required || n > most {
		want := strconv.Itoa(required)
		if most > required {
			want += " to " + strconv.Itoa(most)
		}
		return p.invalid(operand{}, fmt.Sprintf("%d inputs", n), want)
	}
	if n := len(o.Outputs); n != outputs {
		return p.invalid(operand{}, fmt.Sprintf("%d outputs", n), fmt.Sprint(outputs))
	}
	for i := range required {
		if !p.in(i).given() {
			return p.invalid(operand{}, fmt.Sprintf("no input %d", i), "a tensor")
		}
	}
	return nil
}

// sound checks a tensor's shape, and a constant's length against it.
func (p *Prep) sound(t operand) error {
	n, ok := t.Shape.Bytes(t.Type)
	if !ok {
		return p.invalid(t, fmt.Sprintf("%v %v", t.Type, t.Shape), "a fixed size below 2 GiB")
	}
	if t.Compressed {
		if !p.readsCompressed(t) {
			return p.unsupported(t, "compressed data", "expanded data")
		}
		return nil
	}
	if t.Data != nil && len(t.Data) != n {
		return p.invalid(t, fmt.Sprintf("%d bytes of data", len(t.Data)), fmt.Sprintf("%d for %v %v", n, t.Type, t.Shape))
	}
	return nil
}

// elements is the number of elements; the shape has been checked.
func (t operand) elements() int {
	n, _ := t.Shape.Elements()
	return n
}

// types checks that t has one of the given types.
func (p *Prep) types(t operand, want ...tensor.Type) error {
	var names []string
	for _, w := range want {
		if t.Type == w {
			return nil
		}
		names = append(names, w.String())
	}
	return p.unsupported(t, t.Type.String(), strings.Join(names, " or "))
}

// rank checks the number of dimensions.
func (p *Prep) rank(t operand, want int) error {
	if len(t.Shape) != want {
		return p.unsupported(t, fmt.Sprintf("shape %v", t.Shape), fmt.Sprintf("%d dimensions", want))
	}
	return nil
}

// shape checks that t has exactly the given shape.
func (p *Prep) shape(t operand, want tensor.Shape) error {
	if !t.Shape.Equal(want) {
		return p.invalid(t, fmt.Sprintf("shape %v", t.Shape), want.String())
	}
	return nil
}

// constant checks that t's content is in the file.
func (p *Prep) constant(t operand) error {
	if t.Data == nil && t.elements() > 0 {
		return p.unsupported(t, "a computed tensor", "a constant")
	}
	return nil
}

// quantized checks the per-tensor parameters: one positive scale and a zero
// point that the type can hold.
func (p *Prep) quantized(t operand) error {
	if len(t.Quant.Scales) == 0 || !(t.Quant.Scale() > 0) {
		return p.invalid(t, "no scale", "a positive one")
	}
	if t.Quant.PerChannel() {
		return p.unsupported(t, fmt.Sprintf("%d scales", len(t.Quant.Scales)), "one scale")
	}
	lo, hi, _ := t.Type.Range()
	if z := t.Quant.ZeroPoint(); z < lo || z > hi {
		return p.invalid(t, fmt.Sprintf("zero point %d", z), fmt.Sprintf("%d to %d", lo, hi))
	}
	return nil
}

// plain checks that integers are not quantized.
func (p *Prep) plain(ts ...operand) error {
	for _, t := range ts {
		if len(t.Quant.Scales) != 0 {
			return p.unsupported(t, fmt.Sprintf("scale %g", t.Quant.Scale()), fmt.Sprintf("%v without quantization", t.Type))
		}
	}
	return nil
}

// centered checks that int16 tensors have zero point 0, where the definition
// for that type leaves zero points out.
func (p *Prep) centered(ts ...operand) error {
	for _, t := range ts {
		if z := t.Quant.ZeroPoint(); t.Type == tensor.Int16 && z != 0 {
			return p.unsupported(t, fmt.Sprintf("zero point %d", z), "0 for int16")
		}
	}
	return nil
}

// int32s decodes a constant of integers.
func (p *Prep) int32s(t operand) ([]int32, error) {
	if err := p.Budget.Spend(t.elements(), 4); err != nil {
		return nil, err
	}
	out := make([]int32, t.elements())
	for i := range out {
		out[i] = int32(binary.LittleEndian.Uint32(t.Data[4*i:]))
	}
	return out, nil
}

// variable checks that t keeps its content from one inference to the next.
func (p *Prep) variable(t operand) error {
	if !t.Variable {
		return p.invalid(t, "a tensor without memory", "a variable")
	}
	return nil
}
