package runtime_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"kedge/runtime"
	"kedge/runtime/kernel"
	"kedge/runtime/runtimetest"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

func load(t testing.TB, b *runtimetest.Builder, o runtime.Options) *runtime.Model {
	t.Helper()
	m, err := runtime.Load(b.Bytes(), o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func session(t testing.TB, m *runtime.Model, o runtime.SessionOptions) *runtime.Session {
	t.Helper()
	s, err := m.NewSession(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSharedMemoryChangesNothing compares the fast plan with one in which
// nothing shares memory.
func TestSharedMemoryChangesNothing(t *testing.T) {
	for name, b := range map[string]*runtimetest.Builder{"int8": runtimetest.SmallNet(), "uint8": runtimetest.Unsigned(runtimetest.SmallNet())} {
		t.Run(name, func(t *testing.T) { sharedMemoryChangesNothing(t, b) })
	}
}

func sharedMemoryChangesNothing(t *testing.T, b *runtimetest.Builder) {
	m := load(t, b, runtime.Options{})
	fast, separate := session(t, m, runtime.SessionOptions{}), session(t, m, runtime.SessionOptions{Separate: true})
	if fast.ArenaBytes() >= separate.ArenaBytes() {
		t.Errorf("arena: got %d bytes, want fewer than the %d without sharing", fast.ArenaBytes(), separate.ArenaBytes())
	}
	rng := rand.New(rand.NewPCG(1, 2))
	distinct := map[string]bool{}
	for range 50 {
		for i := range fast.Input(0) {
			fast.Input(0)[i] = byte(rng.Uint32())
		}
		copy(separate.Input(0), fast.Input(0))
		if err := errors.Join(fast.Invoke(), separate.Invoke()); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(fast.Output(0), separate.Output(0)) {
			t.Fatalf("got % x, want % x", fast.Output(0), separate.Output(0))
		}
		distinct[string(fast.Output(0))] = true
	}
	if len(distinct) < 10 {
		t.Errorf("only %d distinct outputs: the comparison says little", len(distinct))
	}
}

func TestSessionsAreIndependent(t *testing.T) {
	m := load(t, runtimetest.Successor(), runtime.Options{})
	a, b := session(t, m, runtime.SessionOptions{}), session(t, m, runtime.SessionOptions{})
	copy(a.Input(0), "HAL0")
	copy(b.Input(0), "1234")
	if err := errors.Join(a.Invoke(), b.Invoke()); err != nil {
		t.Fatal(err)
	}
	if string(a.Output(0)) != "IBM1" || string(b.Output(0)) != "2345" {
		t.Errorf("got %q and %q, want IBM1 and 2345", a.Output(0), b.Output(0))
	}
}

// TestConcurrentSessions runs one model's sessions at once; the race detector
// sees whether anything but weights is shared.
func TestConcurrentSessions(t *testing.T) {
	m := load(t, runtimetest.SmallNet(), runtime.Options{})
	want := session(t, m, runtime.SessionOptions{})
	want.Invoke()
	var wg sync.WaitGroup
	for range 4 {
		s := session(t, m, runtime.SessionOptions{})
		wg.Go(func() {
			for range 20 {
				clear(s.Input(0))
				s.Invoke()
			}
			if !bytes.Equal(s.Output(0), want.Output(0)) {
				t.Errorf("got % x, want % x", s.Output(0), want.Output(0))
			}
		})
	}
	wg.Wait()
}

func TestInvokeDoesNotAllocate(t *testing.T) {
	for _, model := range []*runtimetest.Builder{runtimetest.SmallNet(), runtimetest.Pruned()} {
		s := session(t, load(t, model, runtime.Options{}), runtime.SessionOptions{})
		if n := testing.AllocsPerRun(20, func() { s.Invoke() }); n != 0 {
			t.Errorf("%s: got %v allocations per inference, want 0", model.Ops[0].Code, n)
		}
	}
}

// TestConformanceDoesNotAllocate repeats it with every real model.
func TestConformanceDoesNotAllocate(t *testing.T) {
	for _, c := range append(runtimetest.Cases(t, "."), runtimetest.Cases(t, "uint8")...) {
		if c.MACs > 20_000_000 {
			continue
		}
		m, err := runtime.Load(c.File(t, "model.tflite"), runtime.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s := session(t, m, runtime.SessionOptions{})
		if n := testing.AllocsPerRun(2, func() { s.Invoke() }); n != 0 {
			t.Errorf("%s: got %v allocations per inference, want 0", c.Name, n)
		}
	}
}

func TestDescriptions(t *testing.T) {
	m := load(t, runtimetest.SmallNet(), runtime.Options{})
	in, out := m.Inputs(), m.Outputs()
	if len(in) != 1 || in[0].Name != "image" || in[0].Type != runtime.Int8 || in[0].Bytes != 36 || in[0].Scales[0] != 0.05 || in[0].ZeroPoints[0] != -3 {
		t.Errorf("input: got %+v", in)
	}
	if len(out) != 1 || out[0].Index != 14 || !tensor.Shape(out[0].Shape).Equal(tensor.Shape{1, 3}) {
		t.Errorf("output: got %+v", out)
	}
	if got, want := m.MACs(), int64(36*4*9+36*4*9+108); got != want {
		t.Errorf("MACs: got %d, want %d", got, want)
	}
	kernels, err := runtime.KernelSet(runtime.Options{})
	if err != nil || m.Kernels() != kernels || m.Stateful() {
		t.Errorf("got kernels %q, stateful %v, want %q, %v, not stateful", m.Kernels(), m.Stateful(), kernels, err)
	}
}

// TestKernelSet: the option goes before the environment, and that before
// detection.
func TestKernelSet(t *testing.T) {
	detected, err := kernel.Choose("")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ environment, option, want, err string }{
		{"", "", detected.Name, ""},
		{"generic", "", "generic", ""},
		{"abacus", "generic", "generic", ""},
		{detected.Name, "generic", "generic", ""},
		{"generic", detected.Name, detected.Name, ""},
		{"abacus", "", "", `kernel set "abacus"`},
		{"generic", "abacus", "", `kernel set "abacus"`},
	} {
		t.Setenv("KEDGE_KERNELS", c.environment)
		o := runtime.Options{Kernels: c.option}
		got, err := runtime.KernelSet(o)
		m, loadErr := runtime.Load(runtimetest.SmallNet().Bytes(), o)
		if c.err != "" {
			if err == nil || loadErr == nil || !strings.Contains(err.Error(), c.err) || !strings.Contains(loadErr.Error(), c.err) {
				t.Errorf("KEDGE_KERNELS=%q, option %q: got %v and %v, want %s", c.environment, c.option, err, loadErr, c.err)
			}
			continue
		}
		if err != nil || loadErr != nil || got != c.want || m.Kernels() != c.want {
			t.Errorf("KEDGE_KERNELS=%q, option %q: got %q (%v, %v), want %q", c.environment, c.option, got, err, loadErr, c.want)
		}
	}
}

func TestReset(t *testing.T) {
	b := runtimetest.Successor()
	v := runtimetest.Int8("state", 1, 9, 3)
	v.Variable, v.Data = true, runtimetest.Int8s(1, 2, 3)
	wide := runtimetest.Tensor{Name: "wide", Type: tensor.Int16, Shape: []int{2}, Scales: []float32{1}, Zeros: []int{0}, Variable: true}
	b.Tensors = append(b.Tensors, v, wide)
	m := load(t, b, runtime.Options{})
	if !m.Stateful() {
		t.Error("got a model without state, want one with")
	}
	s := session(t, m, runtime.SessionOptions{})
	want := []byte{9, 9, 9}
	if got := s.Tensor(2); !bytes.Equal(got, want) {
		t.Errorf("at the start: got %v, want %v", got, want)
	}
	copy(s.Tensor(2), "abc")
	copy(s.Tensor(3), "defg")
	s.Reset()
	if got := s.Tensor(2); !bytes.Equal(got, want) {
		t.Errorf("int8 variable: got %v, want the zero point %v", got, want)
	}
	if got := s.Tensor(3); !bytes.Equal(got, make([]byte, 4)) {
		t.Errorf("int16 variable: got %v, want zeros", got)
	}
}

func TestLoadErrors(t *testing.T) {
	unsupported := runtimetest.SmallNet()
	unsupported.Ops[1].Code, unsupported.Ops[4] = 1000, runtimetest.Op{Code: tflite.Custom, Custom: "Magic", Inputs: []int{8}, Outputs: []int{9}}
	early := runtimetest.SmallNet()
	early.Ops[0], early.Ops[1] = early.Ops[1], early.Ops[0]
	twice := runtimetest.SmallNet()
	twice.Ops[3].Outputs = []int{3}
	overConstant := runtimetest.SmallNet()
	overConstant.Ops[0].Outputs = []int{2}
	noOutput := runtimetest.Successor()
	noOutput.Ops = nil
	constInput := runtimetest.SmallNet()
	constInput.Inputs = []int{1}
	shortData := runtimetest.SmallNet()
	shortData.Tensors[1].Data = shortData.Tensors[1].Data[:35]
	file := runtimetest.SmallNet().Bytes()
	for _, c := range []struct {
		name string
		file []byte
		o    runtime.Options
		want error
		text string
	}{
		{"empty", nil, runtime.Options{}, runtime.ErrNotTFLite, "not a .tflite file"},
		{"foreign", []byte("PK\x03\x04 something else"), runtime.Options{}, runtime.ErrNotTFLite, ""},
		{"header only", file[:8], runtime.Options{}, runtime.ErrTruncated, ""},
		{"half", file[:len(file)/2], runtime.Options{}, runtime.ErrTruncated, ""},
		{"unsupported", unsupported.Bytes(), runtime.Options{}, runtime.ErrUnsupported,
			"2 operators cannot run: operator 1 operator code 1000: tensor \"conv\": found int8 [1,6,6,4]: not supported; operator 4 CUSTOM(Magic): tensor \"pool\": found int8 [1,3,3,4]: not supported"},
		{"read early", early.Bytes(), runtime.Options{}, runtime.ErrMalformed, "read before it is written"},
		{"written twice", twice.Bytes(), runtime.Options{}, runtime.ErrMalformed, "written twice"},
		{"constant written", overConstant.Bytes(), runtime.Options{}, runtime.ErrMalformed, "written twice"},
		{"output not written", noOutput.Bytes(), runtime.Options{}, runtime.ErrMalformed, "never written"},
		{"constant input", constInput.Bytes(), runtime.Options{}, runtime.ErrMalformed, "it is a constant"},
		{"short data", shortData.Bytes(), runtime.Options{}, runtime.ErrInvalid, `operator 0 CONV_2D: tensor "conv/w": found 35 bytes of data, want 36 for int8 [4,3,3,1]`},
		{"arena", file, runtime.Options{MaxArena: 200}, runtime.ErrArena, "limit 200"},
		{"kernels", file, runtime.Options{Kernels: "abacus"}, nil, `kernel set "abacus"`},
		{"numerics", file, runtime.Options{Numerics: "abacus"}, nil, `numerics "abacus": not in this program, which has tflm`},
	} {
		m, err := runtime.Load(c.file, c.o)
		if err == nil || m != nil {
			t.Errorf("%s: got no error", c.name)
			continue
		}
		if c.want != nil && !errors.Is(err, c.want) || !bytes.Contains([]byte(err.Error()), []byte(c.text)) {
			t.Errorf("%s: got %v, want %v and %q", c.name, err, c.want, c.text)
		}
	}
}

func TestSeparateRespectsLimit(t *testing.T) {
	m := load(t, runtimetest.SmallNet(), runtime.Options{})
	tight := load(t, runtimetest.SmallNet(), runtime.Options{MaxArena: m.ArenaBytes()})
	if _, err := tight.NewSession(runtime.SessionOptions{Separate: true}); !errors.Is(err, runtime.ErrArena) {
		t.Errorf("got %v, want %v", err, runtime.ErrArena)
	}
}

func TestInspect(t *testing.T) {
	b := runtimetest.SmallNet()
	r, err := runtime.Inspect(b.Bytes(), runtime.Options{})
	if err != nil || len(r.Unsupported) != 0 || len(r.Operators) != 7 || r.ArenaBytes == nil || *r.ArenaBytes == 0 || r.WeightBytes != 36+16+36+16+8+108+12 {
		t.Errorf("got %+v, %v", r, err)
	}
	b.Ops[5].Code, b.Ops[2].Code = 16, 35 // LSTM and RNN
	r, err = runtime.Inspect(b.Bytes(), runtime.Options{})
	if !errors.Is(err, runtime.ErrUnsupported) || r == nil || len(r.Unsupported) != 2 {
		t.Errorf("got %+v, %v, want two unsupported operators", r, err)
	}
	if r, err = runtime.Inspect([]byte("nonsense"), runtime.Options{}); r != nil || !errors.Is(err, runtime.ErrNotTFLite) {
		t.Errorf("got %+v, %v, want %v", r, err, runtime.ErrNotTFLite)
	}
}

// TestKeep keeps one tensor after the other, and compares what is in it with a
// session in which nothing shares memory.
func TestKeep(t *testing.T) {
	m := load(t, runtimetest.SmallNet(), runtime.Options{})
	separate := session(t, m, runtime.SessionOptions{Separate: true})
	for i := range separate.Input(0) {
		separate.Input(0)[i] = byte(37 * i)
	}
	overwritten := session(t, m, runtime.SessionOptions{})
	copy(overwritten.Input(0), separate.Input(0))
	if err := errors.Join(separate.Invoke(), overwritten.Invoke()); err != nil {
		t.Fatal(err)
	}
	lost := 0
	for _, info := range separate.Computed() {
		s := session(t, m, runtime.SessionOptions{Keep: []int{info.Index}})
		for i := range s.Input(0) {
			s.Input(0)[i] = byte(37 * i)
		}
		if err := s.Invoke(); err != nil {
			t.Fatal(err)
		}
		want := separate.Tensor(info.Index)
		if got := s.Tensor(info.Index); !bytes.Equal(got, want) {
			t.Errorf("tensor %d %q: got % x, want % x", info.Index, info.Name, got, want)
		}
		if !bytes.Equal(s.Output(0), separate.Output(0)) {
			t.Errorf("tensor %d %q kept: got output % x, want % x", info.Index, info.Name, s.Output(0), separate.Output(0))
		}
		if !bytes.Equal(overwritten.Tensor(info.Index), want) {
			lost++
		}
	}
	if lost == 0 {
		t.Error("no tensor is overwritten anyway: the comparison says little")
	}
	for _, bad := range []int{-1, 1000} {
		if _, err := m.NewSession(runtime.SessionOptions{Keep: []int{bad}}); !errors.Is(err, runtime.ErrMalformed) {
			t.Errorf("keep %d: got %v, want ErrMalformed", bad, err)
		}
	}
}
