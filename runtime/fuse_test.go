package runtime_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"kedge/runtime"
	rt "kedge/runtime/runtimetest"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// Of paddedNet.
const (
	netIn, netPadded, netOut, netDoubled = 0, 2, 5, 6
	netPad, netConv                      = 0, 2
)

// paddedNet pads its input and doubles it beside, and applies a convolution of
// filters of 3 by 2 pixels to what was padded; with depthwise set for every
// channel by itself.
func paddedNet(amounts [8]int, padding byte, depthwise bool) *rt.Builder {
	const h, w, c, outC = 6, 5, 20, 20
	r := rand.New(rand.NewPCG(3, 4))
	values := make([]int, outC*3*2*c)
	for i := range values {
		values[i] = r.IntN(255) - 127
	}
	n := func(d int) int { return []int{1, h, w, c}[d] + amounts[2*d] + amounts[2*d+1] }
	outH, outW := (n(1)-3)/2+1, n(2)-1
	if padding == 0 { // SAME
		outH, outW = (n(1)+1)/2, n(2)
	}
	b := &rt.Builder{
		Tensors: []rt.Tensor{
			rt.Int8("in", 0.1, 9, 1, h, w, c),
			rt.Const32("amounts", []int{4, 2}, amounts[:]...),
			rt.Int8("padded", 0.1, 9, n(0), n(1), n(2), n(3)),
			rt.Weights("weights", 0.01, []int{outC, 3, 2, c}, values...),
			rt.Const32("bias", []int{outC}, values[:outC]...),
			rt.Int8("out", 0.2, -3, n(0), outH, outW, outC),
			rt.Int8("doubled", 0.2, 9, 1, h, w, c),
		},
		Inputs: []int{netIn}, Outputs: []int{netOut, netDoubled},
		Ops: []rt.Op{
			{Code: tflite.Pad, Inputs: []int{0, 1}, Outputs: []int{2}},
			{Code: tflite.Add, Inputs: []int{0, 0}, Outputs: []int{6}, Options: []any{byte(0)}},
			{Code: tflite.Conv2D, Inputs: []int{2, 3, 4}, Outputs: []int{5}, Options: []any{padding, 1, 2, byte(0)}},
		},
	}
	if depthwise {
		b.Tensors[3] = rt.Weights("weights", 0.1, []int{1, 3, 2, outC}, values[:6*outC]...)
		b.Ops[2].Code, b.Ops[2].Options = tflite.DepthwiseConv2D, []any{padding, 1, 2, 1, byte(0)}
	}
	return b
}

// fused reports whether the convolution of a paddedNet does the PAD's work.
func fused(m *runtime.Model) bool {
	return m.Operators()[netPad].Kernel == fmt.Sprint("fused into ", netConv)
}

// compute runs a model on one sample and returns its first two outputs.
func compute(t *testing.T, s *runtime.Session) []byte {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	in := s.Input(0)
	for i := range in {
		in[i] = byte(r.Uint32())
	}
	if err := s.Invoke(); err != nil {
		t.Fatal(err)
	}
	return append(bytes.Clone(s.Output(0)), s.Output(1)...)
}

// TestPadFused compares with the same model whose padded tensor is an output too,
// which has to be computed then.
func TestPadFused(t *testing.T) {
	for _, amounts := range [][8]int{
		{2: 1, 3: 1, 4: 1, 5: 1}, {2: 0, 3: 1, 4: 0, 5: 1}, {}, {2: 2}, {5: 3},
		{2: 4, 3: 7, 4: 5, 5: 4}, // windows with nothing but padding
	} {
		for _, padding := range []byte{0, 1} {
			for _, depthwise := range []bool{false, true} {
				b := paddedNet(amounts, padding, depthwise)
				for _, b := range []*rt.Builder{b, rt.Unsigned(b)} {
					padFused(t, fmt.Sprintf("%v %v, padding %d, depthwise %v", b.Tensors[0].Type, amounts, padding, depthwise), b)
				}
			}
		}
	}
}

func padFused(t *testing.T, name string, b *rt.Builder) {
	plain := *b
	plain.Outputs = append(append([]int(nil), b.Outputs...), netPadded)
	for _, kernels := range []string{"", "generic"} {
		o := runtime.Options{Kernels: kernels}
		m, unfused := load(t, b, o), load(t, &plain, o)
		if !fused(m) || fused(unfused) {
			t.Errorf("%s: fused: got %v and %v, want true and false", name, fused(m), fused(unfused))
		}
		want := compute(t, session(t, unfused, runtime.SessionOptions{}))
		s, separate := session(t, m, runtime.SessionOptions{}), session(t, m, runtime.SessionOptions{Separate: true})
		if got := compute(t, s); !bytes.Equal(got, want) {
			t.Errorf("%s, kernels %q: other bytes than with a PAD apart", name, kernels)
		}
		if got := s.Tensor(netPadded); got != nil {
			t.Errorf("%s: the padded tensor has %d bytes, want none", name, len(got))
		}
		if got := compute(t, separate); !bytes.Equal(got, want) {
			t.Errorf("%s, kernels %q, every tensor apart: other bytes", name, kernels)
		}
		other := session(t, unfused, runtime.SessionOptions{Separate: true})
		compute(t, other)
		if !bytes.Equal(separate.Tensor(netPadded), other.Tensor(netPadded)) {
			t.Errorf("%s: the padded tensor of a session with every tensor apart has other bytes", name)
		}
	}
	inspected(t, b.Bytes())
}

// TestPadNotFused: what else a PAD can be, and where else its output can go.
func TestPadNotFused(t *testing.T) {
	around := [8]int{2: 1, 3: 1, 4: 1, 5: 1}
	value := func(v int) func(b *rt.Builder) {
		return func(b *rt.Builder) {
			b.Tensors = append(b.Tensors, rt.Weights("value", 0.1, []int{1}, v))
			b.Tensors[7].Zeros = []int{9}
			b.Ops[0].Code, b.Ops[0].Inputs = tflite.PadV2, []int{0, 1, 7}
		}
	}
	for _, c := range []struct {
		name    string
		amounts [8]int
		edit    func(b *rt.Builder)
		want    bool
	}{
		{"value is the zero point", around, value(9), true},
		{"quantization of the input, which is not looked at", around, func(b *rt.Builder) { b.Tensors[0].Zeros = []int{7} }, true},
		{"another value", around, value(0), false},
		{"computed value", around, func(b *rt.Builder) {
			value(9)(b)
			b.Tensors[7].Data = nil
			b.Inputs = []int{0, 7}
		}, false},
		{"batch", [8]int{0: 1}, nil, false},
		{"channels", [8]int{6: 1}, func(b *rt.Builder) { b.Tensors[3] = rt.Weights("w", 0.1, []int{20, 3, 2, 21}, make([]int, 20*6*21)...) }, false},
		{"another reader", around, func(b *rt.Builder) {
			b.Tensors = append(b.Tensors, rt.Int8("more", 0.1, 9, 1, 8, 7, 20))
			b.Ops = append(b.Ops, rt.Op{Code: tflite.Relu, Inputs: []int{netPadded}, Outputs: []int{7}})
		}, false},
		{"variable", around, func(b *rt.Builder) {
			b.Tensors = append(b.Tensors, b.Tensors[0])
			b.Tensors[7].Variable = true
			b.Ops[0].Inputs[0] = 7
		}, false},
		{"constant", around, func(b *rt.Builder) {
			b.Tensors = append(b.Tensors, b.Tensors[0])
			b.Tensors[7].Data = make([]byte, 6*5*20)
			b.Ops[0].Inputs[0] = 7
		}, false},
		{"int16", around, func(b *rt.Builder) {
			for _, i := range []int{0, 2, 5, 6} {
				b.Tensors[i].Type, b.Tensors[i].Zeros = tensor.Int16, []int{0}
			}
			b.Ops[2].Inputs = b.Ops[2].Inputs[:2]
		}, false},
	} {
		b := paddedNet(c.amounts, 1, false)
		if c.edit != nil {
			c.edit(b)
		}
		if m := load(t, b, runtime.Options{}); fused(m) != c.want {
			t.Errorf("%s: fused: got %v, want %v", c.name, !c.want, c.want)
		}
		inspected(t, b.Bytes())
	}
}

// TestPadLifetime: a PAD's input is kept for the convolution, whatever lies
// between them, and the bytes of all are there only once.
func TestPadLifetime(t *testing.T) {
	b := paddedNet([8]int{2: 1, 3: 1, 4: 1, 5: 1}, 0, false)
	// Doubling could be written over its operand if that were not needed.
	b.Ops[1] = rt.Op{Code: tflite.Relu, Inputs: []int{0}, Outputs: []int{6}}
	b.Tensors[6].Scales[0] = 0.1
	r := inspected(t, b.Bytes())
	for _, block := range r.Memory.Blocks {
		switch {
		case block.Kind != runtime.KindTensor:
		case block.Index == netIn && block.Last != netConv+1:
			t.Errorf("the input is kept until step %d, want %d", block.Last, netConv+1)
		case block.Index == netPadded || block.Over == netIn:
			t.Errorf("got %+v, want neither memory for the padded tensor nor anything over the input", block)
		}
	}
	if kernel := r.Operators[netConv].Kernel; strings.HasPrefix(kernel, "fused") || *r.Operators[netPad].MACs != 0 {
		t.Errorf("got %q for the convolution and %d MACs for the PAD", kernel, *r.Operators[netPad].MACs)
	}
}
