package op_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"kedge/runtime"
	rt "kedge/runtime/runtimetest"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// lstmModel is a layer of one feature and one unit whose scales make all factors
// into the gates 1. Input, forget and output gate stay at sigmoid(0) = 1/2; the
// cell gate's argument, in Q3.12, is 4016 + 8·x + 64·h.
func lstmModel(act tensor.Type, zero int, options []any, shape ...int) *rt.Builder {
	in := typed(act, 1.0/64, 0, shape...)
	out := typed(act, 1.0/128, zero, shape...)
	batch := shape[0]
	if options[3] == true {
		batch = shape[1]
	}
	hidden, cell := out, int16s(1.0/2048, batch, 1)
	hidden.Shape, hidden.Variable, cell.Variable = []int{batch, 1}, true, true
	b := &rt.Builder{Inputs: []int{0}, Tensors: []rt.Tensor{in}}
	o := rt.Op{Code: tflite.UnidirectionalSequenceLSTM, Options: options, Inputs: make([]int, 24)}
	for i := 1; i < 24; i++ {
		o.Inputs[i] = -1
	}
	add := func(at int, t rt.Tensor) {
		o.Inputs[at] = len(b.Tensors)
		b.Tensors = append(b.Tensors, t)
	}
	for g := range 4 {
		value := func(v int) int {
			if g == 2 {
				return v
			}
			return 0
		}
		add(1+g, rt.Weights("w", 1.0/64, []int{1, 1}, value(8)))
		add(5+g, rt.Weights("r", 1.0/32, []int{1, 1}, value(64)))
		bias := rt.Const32("b", []int{1}, value(4016))
		if act == tensor.Int16 {
			bias.Type, bias.Data = tensor.Int64, rt.Int32s(value(4016), 0)
		}
		add(12+g, bias)
	}
	add(18, hidden)
	add(19, cell)
	o.Outputs, b.Outputs = []int{len(b.Tensors)}, []int{len(b.Tensors)}
	b.Tensors, b.Ops = append(b.Tensors, out), []rt.Op{o}
	return b
}

// TestLSTM follows the layer by hand. First step: argument 4096, tanh 24956/2^15;
// the cell is 1/2 of it in units of 1/2048: 780; the output 1/2·tanh(780/2048) =
// 23/128. Second step: argument 4096 + 64·23, tanh 0.876; cell 390 + 897; output
// 36/128.
func TestLSTM(t *testing.T) {
	const tanh = byte(4)
	plain, major := []any{tanh, nil, nil, false}, []any{tanh, nil, nil, true}
	clip := []any{tanh, float32(0.25), nil, false} // 512: 1/2·tanh(1/4) = 16/128
	i8, i16 := rt.Int8s, rt.Int16s
	for _, c := range []struct {
		name      string
		model     *rt.Builder
		in        []byte
		want      []byte
		goesOn    []byte
		wantAgain []byte
	}{
		{"one step", lstmModel(tensor.Int8, -5, plain, 1, 1, 1), i8(10), i8(18), i8(10), i8(31)},
		{"two steps", lstmModel(tensor.Int8, -5, plain, 1, 2, 1), i8(10, 10), i8(18, 31), nil, nil},
		{"two rows", lstmModel(tensor.Int8, -5, plain, 2, 1, 1), i8(10, -128), i8(18, 14), nil, nil},
		{"time major", lstmModel(tensor.Int8, -5, major, 2, 1, 1), i8(10, 10), i8(18, 31), nil, nil},
		{"time major rows", lstmModel(tensor.Int8, -5, major, 2, 2, 1), i8(10, -128, 10, 10), i8(18, 14, 31, 29), nil, nil},
		{"clip", lstmModel(tensor.Int8, 0, clip, 1, 1, 1), i8(10), i8(16), i8(10), i8(16)},
		{"int16", lstmModel(tensor.Int16, 0, plain, 1, 1, 1), i16(10), i16(23), i16(10), i16(36)},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := runtime.Load(c.model.Bytes(), runtime.Options{})
			if err != nil {
				t.Fatal(err)
			}
			s, err := m.NewSession(runtime.SessionOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				copy(s.Input(0), c.in)
				s.Invoke()
				if got := s.Output(0); !bytes.Equal(got, c.want) {
					t.Errorf("got % x, want % x", got, c.want)
				}
				if c.goesOn != nil {
					copy(s.Input(0), c.goesOn)
					s.Invoke()
					if got := s.Output(0); !bytes.Equal(got, c.wantAgain) {
						t.Errorf("next: got % x, want % x", got, c.wantAgain)
					}
				}
				s.Reset()
			}
		})
	}
}

func TestLSTMRefusals(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(b *rt.Builder)
		kind error
		want string
	}{
		{"peephole", func(b *rt.Builder) { b.Ops[0].Inputs[9] = 1 }, runtime.ErrUnsupported, "without peephole"},
		{"no bias", func(b *rt.Builder) { b.Ops[0].Inputs[13] = -1 }, runtime.ErrUnsupported, "no input 13"},
		{"few inputs", func(b *rt.Builder) { b.Ops[0].Inputs = b.Ops[0].Inputs[:20] }, runtime.ErrInvalid, "20 inputs, want 24"},
		{"relu", func(b *rt.Builder) { b.Ops[0].Options = []any{relu} }, runtime.ErrUnsupported, "activation 1"},
		{"cell type", func(b *rt.Builder) { b.Tensors[14].Type = tensor.Int8 }, runtime.ErrUnsupported, "found int8, want int16"},
		{"cell scale", func(b *rt.Builder) { b.Tensors[14].Scales[0] = 8 }, runtime.ErrUnsupported, "2^-42 to 4"},
		{"cell shape", func(b *rt.Builder) { b.Tensors[14].Shape = []int{2, 1} }, runtime.ErrInvalid, "1 rows of 1"},
		{"state is no variable", func(b *rt.Builder) { b.Tensors[13].Variable, b.Inputs = false, []int{0, 13} }, runtime.ErrInvalid, "want a variable"},
		{"output shape", func(b *rt.Builder) { b.Tensors[15].Shape = []int{1, 1, 2} }, runtime.ErrInvalid, "want [1,1,1]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := lstmModel(tensor.Int8, 0, []any{byte(4), nil, nil, false}, 1, 1, 1)
			c.edit(b)
			_, err := runtime.Load(b.Bytes(), runtime.Options{})
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %v and %q", err, c.kind, c.want)
			}
		})
	}
}
