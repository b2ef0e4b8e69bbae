package runtime_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"kedge/runtime"
	rt "kedge/runtime/runtimetest"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// feed gives s one sample and returns its output.
func feed(t *testing.T, s *runtime.Session, v int) int {
	t.Helper()
	copy(s.Input(0), rt.Int8s(v, v, v, v))
	return result(t, s)
}

// result invokes s and returns its output, four equal values.
func result(t *testing.T, s *runtime.Session) int {
	t.Helper()
	if err := s.Invoke(); err != nil {
		t.Fatal(err)
	}
	out := s.Output(0)
	if !bytes.Equal(out, bytes.Repeat(out[:1], 4)) {
		t.Fatalf("got % x, want four equal values", out)
	}
	return int(int8(out[0]))
}

// TestResourceVariables runs a model with a running sum that begins at 5.
func TestResourceVariables(t *testing.T) {
	m := load(t, rt.Stateful(), runtime.Options{})
	if !m.Stateful() {
		t.Error("got a model without state, want one with")
	}
	for _, separate := range []bool{false, true} {
		s := session(t, m, runtime.SessionOptions{Separate: separate})
		other := session(t, m, runtime.SessionOptions{Separate: separate})
		for i, want := range []int{6, 7, 8} {
			if got := feed(t, s, 1); got != want {
				t.Errorf("sample %d: got %d, want %d", i, got, want)
			}
		}
		if got := feed(t, other, 10); got != 15 {
			t.Errorf("another session: got %d, want 15: it must not see the first one's variable", got)
		}
		s.Reset()
		if got := feed(t, s, 2); got != 7 {
			t.Errorf("after Reset: got %d, want 7", got)
		}
		// What was written to an input before Reset stays.
		copy(s.Input(0), rt.Int8s(3, 3, 3, 3))
		s.Reset()
		if got := result(t, s); got != 8 {
			t.Errorf("Reset behind the input: got %d, want 8", got)
		}
		if n := testing.AllocsPerRun(20, func() { s.Reset(); s.Invoke() }); n != 0 {
			t.Errorf("got %v allocations per inference with initialization, want 0", n)
		}
	}
}

// TestVariableStartsAtZeroPoint leaves the initialization out.
func TestVariableStartsAtZeroPoint(t *testing.T) {
	b := rt.Stateful()
	b.Ops, b.More = b.Ops[1:], nil
	for i := range b.Tensors {
		b.Tensors[i].Zeros = []int{-3}
	}
	s := session(t, load(t, b, runtime.Options{}), runtime.SessionOptions{})
	for _, want := range []int{1, 5} { // 1 − 0, then 1 + 4 + 0: all values are 3 more than they stand for
		if got := feed(t, s, 1); got != want {
			t.Errorf("got %d, want %d", got, want)
		}
	}
}

// TestVariableNames counts variables: a handle is one of container and name, and
// without a container the oldest of its name.
func TestVariableNames(t *testing.T) {
	for _, c := range []struct {
		name  string
		other []any
		want  int // sum after the second sample; 1 where the other handle is another variable
	}{
		{"same", []any{"", "sum"}, 7},
		{"other name", []any{"", "product"}, 1},
		{"other container", []any{"box", "sum"}, 1},
		{"no container", []any{nil, "sum"}, 7},
	} {
		b := rt.Stateful()
		// Reading goes through a second handle. Another variable gets its size by
		// being assigned what it holds.
		b.Tensors = append(b.Tensors, rt.Tensor{Name: "second", Type: tensor.Resource, Shape: []int{1}})
		b.Ops[2].Inputs = []int{4}
		b.Ops = slices.Insert(b.Ops, 2, rt.Op{Code: tflite.VarHandle, Outputs: []int{4}, Options: c.other})
		if c.want == 1 {
			b.Ops = append(b.Ops, rt.Op{Code: tflite.AssignVariable, Inputs: []int{4, 2}})
		}
		s := session(t, load(t, b, runtime.Options{}), runtime.SessionOptions{})
		feed(t, s, 1)
		if got := feed(t, s, 1); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

func TestVariableRefusals(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(b *rt.Builder)
		kind error
		want string
	}{
		{"call of itself", func(b *rt.Builder) { b.Ops[0].Options = []any{0} }, runtime.ErrInvalid, "operator 0 CALL_ONCE: found subgraph 0"},
		{"call beyond the end", func(b *rt.Builder) { b.Ops[0].Options = []any{2} }, runtime.ErrInvalid, "found subgraph 2, want one after the main, of 2"},
		{"two calls", func(b *rt.Builder) { b.Ops = append(b.Ops, b.Ops[0]) }, runtime.ErrUnsupported, "operator 5 CALL_ONCE: found subgraph 1, which an earlier operator calls"},
		{"nested call", func(b *rt.Builder) { b.More[0].Ops = append(b.More[0].Ops, b.Ops[0]) }, runtime.ErrUnsupported, "subgraph 1 operator 4 CALL_ONCE: found a call within"},
		{"called with inputs", func(b *rt.Builder) { b.More[0].Inputs = []int{5} }, runtime.ErrInvalid, "which has 1 inputs"},
		{"read early in the called", func(b *rt.Builder) { b.More[0].Ops = b.More[0].Ops[2:] }, runtime.ErrMalformed, "subgraph 1: operator 0 RESHAPE"},
		{"unsupported in the called", func(b *rt.Builder) { b.More[0].Ops[1].Code = 1000 }, runtime.ErrUnsupported, "subgraph 1 operator 1 operator code 1000"},
		{"no name", func(b *rt.Builder) { b.Ops[1].Options = nil }, runtime.ErrInvalid, "operator 1 VAR_HANDLE: tensor \"handle\": found no shared_name"},
		{"handle type", func(b *rt.Builder) { b.Tensors[1].Type = tensor.Float32 }, runtime.ErrUnsupported, "found float32, want resource or int32"},
		{"handle shape", func(b *rt.Builder) { b.Tensors[1].Shape = []int{2} }, runtime.ErrInvalid, "found shape [2], want one element"},
		{"no handle", func(b *rt.Builder) { b.Ops[2].Inputs = []int{0} }, runtime.ErrUnsupported, "operator 2 READ_VARIABLE: tensor \"in\": found int8, want resource"},
		{"handle from outside", func(b *rt.Builder) { b.Inputs, b.Ops = []int{0, 1}, append(b.Ops[:1], b.Ops[2:]...) }, runtime.ErrUnsupported, "operator 1 READ_VARIABLE: tensor \"handle\": found a tensor that no VAR_HANDLE here writes"},
		{"never assigned", func(b *rt.Builder) { b.Ops, b.More[0].Ops = b.Ops[:4], b.More[0].Ops[:3] }, runtime.ErrInvalid, "never assigned"},
		{"other size", func(b *rt.Builder) { b.More[0].Ops[3].Inputs = []int{0, 3} }, runtime.ErrInvalid, "found 304 bytes, want the variable's 4"},
		{"huge", func(b *rt.Builder) {
			b.Ops[3] = rt.Op{Code: tflite.Reshape, Inputs: []int{2}, Outputs: []int{3}}
			b.More, b.Ops = nil, b.Ops[1:]
			b.Tensors[2].Shape, b.Tensors[3].Shape = []int{1 << 27}, []int{1 << 27}
		}, runtime.ErrArena, "limit 67108864"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := rt.Stateful()
			c.edit(b)
			_, err := runtime.Load(b.Bytes(), runtime.Options{})
			if !errors.Is(err, c.kind) || !strings.Contains(fmt.Sprint(err), c.want) {
				t.Errorf("got %v, want %v and %q", err, c.kind, c.want)
			}
		})
	}
}

// TestOperatorState: what operators remember lies in the arena for good, and a
// model of them has state.
func TestOperatorState(t *testing.T) {
	if !load(t, rt.Streamer(), runtime.Options{}).Stateful() || load(t, rt.Detector(true), runtime.Options{}).Stateful() {
		t.Error("got a streaming model without state, or a detector with it")
	}
	r, err := runtime.Inspect(rt.FrontEnd().Bytes(), runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range r.Memory.Blocks {
		if b.Kind == runtime.KindState {
			got = append(got, fmt.Sprintf("%d %s: %d bytes, steps %d to %d, %v", b.Index, b.Name, b.Bytes, b.First, b.Last, b.Persistent))
		}
	}
	if want := []string{"7 CUSTOM(SignalFilterBankSpectralSubtraction): 16 bytes, steps 0 to 14, true"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
