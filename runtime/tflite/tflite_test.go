package tflite_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"kedge/runtime/runtimetest"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

func decode(t *testing.T, file []byte) *tflite.Model {
	t.Helper()
	m, err := tflite.Decode(file, tflite.NewBudget(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestDecode(t *testing.T) {
	b := runtimetest.SmallNet()
	b.Ops[6] = runtimetest.Op{Code: tflite.Custom, Custom: "Magic", Inputs: []int{13, -1}, Outputs: []int{14}}
	b.Tensors[3].Variable = true
	m := decode(t, b.Bytes())
	if len(m.Subgraphs) != 1 {
		t.Fatalf("got %d subgraphs, want 1", len(m.Subgraphs))
	}
	g := &m.Subgraphs[0]
	if g.Name != "main" || len(g.Tensors) != len(b.Tensors) || len(g.Operators) != 7 || g.Inputs[0] != 0 || g.Outputs[0] != 14 {
		t.Errorf("subgraph: got %q, %d tensors, %d operators, %v, %v", g.Name, len(g.Tensors), len(g.Operators), g.Inputs, g.Outputs)
	}
	for i, want := range b.Tensors {
		got := g.Tensors[i]
		if got.Name != want.Name || got.Type != want.Type || !got.Shape.Equal(want.Shape) || !bytes.Equal(got.Data, want.Data) || got.Variable != want.Variable {
			t.Errorf("tensor %d: got %+v, want %+v", i, got, want)
		}
	}
	if q := g.Tensors[4].Quant; len(q.Scales) != 4 || q.Dim != 3 || q.Scales[2] != 0.015 {
		t.Errorf("per-channel quantization: got %+v", q)
	}
	if q := g.Tensors[0].Quant; q.ZeroPoint() != -3 || q.Scale() != 0.05 {
		t.Errorf("quantization: got %+v", q)
	}
	o := &g.Operators[1]
	if o.Code != tflite.DepthwiseConv2D || o.Name() != "DEPTHWISE_CONV_2D" || o.Options.Byte(0, 9) != 0 || o.Options.Int32(1, 0) != 1 || o.Options.Int32(6, 77) != 77 {
		t.Errorf("operator 1: got %s, options %v", o.Name(), o.Options)
	}
	custom := &g.Operators[6]
	if custom.Name() != "CUSTOM(Magic)" || custom.Inputs[1] != tflite.NoTensor || custom.Options.Float32(0, 1.5) != 1.5 {
		t.Errorf("operator 6: got %s, inputs %v", custom.Name(), custom.Inputs)
	}
}

// TestConstantsAlias checks that weights stay where they are.
func TestConstantsAlias(t *testing.T) {
	file := runtimetest.SmallNet().Bytes()
	data := decode(t, file).Subgraphs[0].Tensors[1].Data
	at := bytes.Index(file, data)
	file[at]++
	if data[0] != file[at] {
		t.Error("the weights were copied")
	}
}

func TestDecodeErrors(t *testing.T) {
	edit := func(f func(b *runtimetest.Builder)) []byte {
		b := runtimetest.SmallNet()
		f(b)
		return b.Bytes()
	}
	file := runtimetest.SmallNet().Bytes()
	version := append([]byte(nil), file...)
	version[bytes.Index(version[12:], []byte{3, 0, 0, 0})+12] = 4
	zeroPoint := append([]byte(nil), file...)
	minus3 := bytes.Index(zeroPoint, []byte{0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	zeroPoint[minus3+4] = 0 // now beyond 32 bits
	for _, c := range []struct {
		name string
		file []byte
		want error
	}{
		{"empty", nil, tflite.ErrNotTFLite},
		{"other identifier", append([]byte("\x10\x00\x00\x00TFL2"), file[8:]...), tflite.ErrNotTFLite},
		{"no root", []byte("\xff\xff\xff\xffTFL3"), tflite.ErrTruncated},
		{"version", version, tflite.ErrVersion},
		{"cut", file[:len(file)/3], tflite.ErrTruncated},
		{"tensor index", edit(func(b *runtimetest.Builder) { b.Ops[0].Inputs = []int{99} }), tflite.ErrMalformed},
		{"negative index", edit(func(b *runtimetest.Builder) { b.Ops[0].Inputs = []int{-2} }), tflite.ErrMalformed},
		{"missing output", edit(func(b *runtimetest.Builder) { b.Ops[0].Outputs = []int{-1} }), tflite.ErrMalformed},
		{"model input", edit(func(b *runtimetest.Builder) { b.Inputs = []int{-1} }), tflite.ErrMalformed},
		{"rank", edit(func(b *runtimetest.Builder) { b.Tensors[0].Shape = make([]int, 9) }), tflite.ErrMalformed},
		{"negative scale", edit(func(b *runtimetest.Builder) { b.Tensors[0].Scales = []float32{-1} }), tflite.ErrMalformed},
		{"scales and zero points", edit(func(b *runtimetest.Builder) { b.Tensors[0].Scales = []float32{1, 1} }), tflite.ErrMalformed},
		{"zero point", zeroPoint, tflite.ErrMalformed},
		{"repeated", edit(func(b *runtimetest.Builder) { b.Repeat = 16_000 }), tflite.ErrBudget},
		{"too many", edit(func(b *runtimetest.Builder) { b.Repeat = 40_000 }), tflite.ErrMalformed},
	} {
		m, err := tflite.Decode(c.file, tflite.NewBudget(len(c.file)))
		if m != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

func TestZeroTableGivesDefaults(t *testing.T) {
	var o tflite.Table
	if !o.Bool(0, true) || o.Byte(1, 7) != 7 || o.Int32(2, -5) != -5 || o.Uint64(3, 9) != 9 {
		t.Error("an absent table must give the defaults")
	}
	if sub, err := o.Table(0); err != nil || sub.Int32(0, 4) != 4 {
		t.Errorf("an absent table's table: got %v, want defaults", err)
	}
}

func TestCodeNames(t *testing.T) {
	for code, want := range map[tflite.Code]string{
		tflite.Add: "ADD", tflite.Quantize: "QUANTIZE", 209: "STABLEHLO_CASE", 127: "operator code 127", -4: "operator code -4",
	} {
		if got := code.String(); got != want {
			t.Errorf("%d: got %q, want %q", int(code), got, want)
		}
	}
}

func TestBudget(t *testing.T) {
	b := tflite.NewBudget(0)
	if err := b.Spend(1<<19, 1); err != nil {
		t.Errorf("got %v, want the whole base to be there", err)
	}
	if err := b.Spend(1, 1); !errors.Is(err, tflite.ErrBudget) {
		t.Errorf("got %v, want %v", err, tflite.ErrBudget)
	}
	if err := tflite.NewBudget(10).Spend(1<<30, 1<<30); !errors.Is(err, tflite.ErrBudget) {
		t.Errorf("got %v, want %v", err, tflite.ErrBudget)
	}
}

// TestBudgetSlab: one large block takes 9/16 of what many small ones would.
func TestBudgetSlab(t *testing.T) {
	for _, c := range []struct {
		n, times int // how often it fits into 512 KiB
	}{{1<<16 - 1, 8}, {1 << 16, 14}, {900_000, 1}, {950_000, 0}, {-1, 0}} {
		b := tflite.NewBudget(0)
		times := 0
		for b.SpendSlab(c.n) == nil {
			times++
		}
		if times != c.times {
			t.Errorf("%d bytes: got %d times, want %d", c.n, times, c.times)
		}
	}
}

func TestTensorType(t *testing.T) {
	b := runtimetest.Successor()
	b.Tensors[0].Type = 200
	if got := decode(t, b.Bytes()).Subgraphs[0].Tensors[0].Type; got != tensor.Type(200) {
		t.Errorf("got %v, want the unknown type to be kept for the message", got)
	}
}

// TestNames: what a file calls things may be shown on a terminal.
func TestNames(t *testing.T) {
	b := runtimetest.SmallNet()
	b.Tensors[0].Name, b.Tensors[1].Name = "a\x1b[2J\r\nb\xff é", "conv;a b"
	g := decode(t, b.Bytes()).Subgraphs[0]
	for i, want := range []string{"a?[2J??b? é", "conv;a b"} {
		if got := g.Tensors[i].Name; got != want {
			t.Errorf("%q: got %q, want %q", b.Tensors[i].Name, got, want)
		}
	}
}

func TestLabel(t *testing.T) {
	long := strings.Repeat("ab", 59) + "cäd" // the ä lies across byte 120
	for _, c := range []struct{ name, want string }{
		{"", "#7"}, {"conv/w", "conv/w"}, {strings.Repeat("x", 120), strings.Repeat("x", 120)}, {long, long[:119] + "…"},
	} {
		if got := (&tflite.Tensor{Name: c.name}).Label(7); got != c.want {
			t.Errorf("%q: got %q, want %q", c.name, got, c.want)
		}
	}
}
