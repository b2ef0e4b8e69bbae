package runtime_test

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"

	"kedge/runtime"
	"kedge/runtime/runtimetest"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// single is a model of one operator on one tensor and constants.
func single(code tflite.Code, options []any, in, out runtimetest.Tensor, constants ...runtimetest.Tensor) *runtimetest.Builder {
	b := &runtimetest.Builder{Tensors: append([]runtimetest.Tensor{in, out}, constants...), Inputs: []int{0}, Outputs: []int{1}}
	o := runtimetest.Op{Code: code, Inputs: []int{0}, Outputs: []int{1}, Options: options}
	for i := range constants {
		o.Inputs = append(o.Inputs, 2+i)
	}
	b.Ops = []runtimetest.Op{o}
	return b
}

func TestWork(t *testing.T) {
	const same = byte(0)
	for _, c := range []struct {
		name  string
		model *runtimetest.Builder
		want  int64
	}{
		{"bytes of both", runtimetest.Successor(), 4 + 4},
		{"window larger than the image", single(tflite.MaxPool2D, []any{same, 1, 1, 1 << 20, 1 << 20, same},
			runtimetest.Int8("in", 1, 0, 2, 3, 5, 4), runtimetest.Int8("out", 1, 0, 2, 3, 5, 4)), 2*120 + 120*3*5},
		{"MACs and weights", single(tflite.FullyConnected, []any{same}, runtimetest.Int8("in", 1, 0, 1, 2), runtimetest.Int8("out", 1, 0, 1, 3),
			runtimetest.Weights("w", 1, []int{3, 2}, 1, 2, 3, 4, 5, 6)), 2 + 3 + 6 + 6},
	} {
		m, err := runtime.Load(c.model.Bytes(), runtime.Options{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if m.Work() != c.want {
			t.Errorf("%s: got %d, want %d", c.name, m.Work(), c.want)
		}
		if _, err := runtime.Load(c.model.Bytes(), runtime.Options{MaxWork: c.want}); err != nil {
			t.Errorf("%s, limit %d: got %v, want none", c.name, c.want, err)
		}
		_, err = runtime.Load(c.model.Bytes(), runtime.Options{MaxWork: c.want - 1})
		if !errors.Is(err, runtime.ErrWork) {
			t.Errorf("%s, limit %d: got %v, want %v", c.name, c.want-1, err, runtime.ErrWork)
		}
	}
}

// TestTooMuchWork asks, in files of a few kilobytes and with tensors that fit in
// the arena, for inferences that would take from minutes to centuries.
func TestTooMuchWork(t *testing.T) {
	const same = byte(0)
	image := runtimetest.Int8("big", 1, 0, 1, 4000, 4000, 1)
	repeated := runtimetest.Successor()
	for i := range repeated.Tensors {
		repeated.Tensors[i].Shape = []int{1, 2 << 20}
	}
	for len(repeated.Ops) < 16_000 { // each on the result of the one before
		n := len(repeated.Tensors)
		repeated.Tensors = append(repeated.Tensors, repeated.Tensors[1])
		repeated.Ops = append(repeated.Ops, runtimetest.Op{Code: tflite.Quantize, Inputs: []int{n - 1}, Outputs: []int{n}})
	}
	assigned := runtimetest.Stateful()
	assigned.Ops, assigned.More = assigned.Ops[1:], nil
	for i := range assigned.Tensors {
		if assigned.Tensors[i].Type == tensor.Int8 {
			assigned.Tensors[i].Shape = []int{2 << 20}
		}
	}
	for len(assigned.Ops) < 16_000 { // writing a variable over and over has no outputs
		assigned.Ops = append(assigned.Ops, assigned.Ops[3])
	}
	for _, c := range []struct {
		name  string
		model *runtimetest.Builder
		want  string // in the error
	}{
		{"pooling", single(tflite.AveragePool2D, []any{same, 1, 1, 4000, 4000, same}, image, image),
			`operator 0 AVERAGE_POOL_2D: tensor "big": found 256000032000000 steps, of 256000032000000 in all, want at most 17179869184 in all`},
		{"convolution", single(tflite.Conv2D, []any{same, 1, 1, same}, image, image, runtimetest.Weights("w", 1, []int{1, 64, 64, 1}, make([]int, 4096)...)),
			"operator 0 CONV_2D"},
		{"batches", single(tflite.BatchMatMul, []any{false, true}, runtimetest.Int8("x", 1, 0, 4000, 4000), runtimetest.Int8("y", 1, 0, 4000, 4000),
			runtimetest.Weights("w", 1, []int{4000, 4000}, make([]int, 16_000_000)...)), "operator 0 BATCH_MATMUL"},
		{"many operators", repeated, "operator 0 QUANTIZE"},
		{"many assignments", assigned, "operator 2 ADD"},
	} {
		_, err := runtime.Load(c.model.Bytes(), runtime.Options{})
		if !errors.Is(err, runtime.ErrWork) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %v of %s", c.name, err, runtime.ErrWork, c.want)
		}
		r, err := runtime.Inspect(c.model.Bytes(), runtime.Options{})
		if r == nil || r.MACs == nil || r.ArenaBytes == nil || !errors.Is(err, runtime.ErrWork) {
			t.Errorf("%s: got report %v, %v, want one with its figures and %v", c.name, r, err, runtime.ErrWork)
		}
	}
}

// TestWorkIsDeclared runs what states little work and has little.
func TestWorkIsDeclared(t *testing.T) {
	const same, valid = byte(0), byte(1)
	empty := runtimetest.Int8("empty", 1, 0, 46340, 46340, 1, 0)
	sequence := runtimetest.Int8("x", 1, 0, 46340, 46340, 0)
	lstm := single(tflite.UnidirectionalSequenceLSTM, []any{byte(4)}, sequence, sequence)
	lstm.Ops[0].Inputs = []int{0}
	for len(lstm.Ops[0].Inputs) < 24 {
		lstm.Ops[0].Inputs = append(lstm.Ops[0].Inputs, tflite.NoTensor)
	}
	add := func(i int, x runtimetest.Tensor) {
		lstm.Ops[0].Inputs[i] = len(lstm.Tensors)
		lstm.Tensors = append(lstm.Tensors, x)
	}
	for g := range 4 {
		add(1+g, runtimetest.Int8("w", 0.01, 0, 0, 0))
		add(5+g, runtimetest.Int8("r", 0.01, 0, 0, 0))
		add(12+g, runtimetest.Tensor{Name: "b", Type: tensor.Int32, Shape: []int{0}})
	}
	hidden, cell := runtimetest.Int8("h", 0.01, 0, 46340, 0), runtimetest.Int8("c", 1.0/2048, 0, 46340, 0)
	cell.Type, hidden.Variable, cell.Variable = tensor.Int16, true, true
	add(18, hidden)
	add(19, cell)
	spread := single(tflite.TransposeConv, []any{valid, 1, 1, same}, runtimetest.Const32("shape", []int{4}, 1, 4000, 4000, 1), runtimetest.Int8("out", 1, 0, 1, 4000, 4000, 1),
		runtimetest.Weights("w", 1, []int{1, 4000, 2000, 1}, make([]int, 8_000_000)...), runtimetest.Int8("in", 1, 0, 1, 1, 1, 1))
	spread.Inputs = []int{3}
	for name, b := range map[string]*runtimetest.Builder{
		"pooling of nothing":   single(tflite.MaxPool2D, []any{same, 1, 1, 46340, 46340, same}, empty, empty),
		"sequence of nothing":  lstm,
		"window over a pixel":  spread,
		"assignments of small": runtimetest.Stateful(),
	} {
		g := guard{maxArena: runtime.DefaultMaxArena, work: math.MaxInt64}
		if err := g.check(b.Bytes()); err != nil || g.err != nil || g.ran != 1 {
			t.Errorf("%s: got %v, %v, want a run", name, err, g.err)
		}
	}
}

// TestSharedConstants: preparing goes through weights, in each operator again.
func TestSharedConstants(t *testing.T) {
	const n = 400_000
	vector := runtimetest.Int8("", 1, 0, 1, 1, 1, n)
	b := &runtimetest.Builder{Tensors: []runtimetest.Tensor{vector, runtimetest.Weights("w", 1, []int{1, 1, 1, n}, make([]int, n)...)}, Inputs: []int{0}}
	for i := range 2000 {
		b.Tensors = append(b.Tensors, runtimetest.Int8("", 1, 0, 1, 1, 1, 1))
		b.Ops = append(b.Ops, runtimetest.Op{Code: tflite.Conv2D, Inputs: []int{0, 1}, Outputs: []int{2 + i}, Options: []any{byte(0), 1, 1, byte(0)}})
		b.Outputs = append(b.Outputs, 2+i)
	}
	if err := checkFile(t, b.Bytes()); !errors.Is(err, runtime.ErrBudget) || !strings.Contains(err.Error(), "CONV_2D: tensor \"w\": found int8 [1,1,1,400000]") {
		t.Errorf("got %v, want %v", err, runtime.ErrBudget)
	}
	few := *b
	few.Ops, few.Outputs = b.Ops[:150], b.Outputs[:150]
	few.Tensors = b.Tensors[:152]
	if err := checkFile(t, few.Bytes()); err != nil {
		t.Errorf("150 operators: got %v, want none", err)
	}
}

// TestTooLargeForAnyArena: beyond 2 GiB there is no plan to report.
func TestTooLargeForAnyArena(t *testing.T) {
	b := runtimetest.Successor()
	b.Tensors[0].Shape, b.Tensors[1].Shape = []int{1, 1<<31 - 1}, []int{1, 1<<31 - 1}
	r, err := runtime.Inspect(b.Bytes(), runtime.Options{})
	if r == nil || r.ArenaBytes != nil || !errors.Is(err, runtime.ErrArena) {
		t.Errorf("got %v, %v, want a report without an arena and %v", r, err, runtime.ErrArena)
	}
}

// TestLongNames: every operator of a file may have something to say about names
// that are as long as the file.
func TestLongNames(t *testing.T) {
	const operators = 5000
	long := strings.Repeat("é", 1<<19)
	b := &runtimetest.Builder{Tensors: []runtimetest.Tensor{runtimetest.Int8(long, 1, 0, 1)}, Inputs: []int{0}, Outputs: []int{1}}
	for i := range operators {
		b.Tensors = append(b.Tensors, runtimetest.Int8("", 1, 0, 1))
		b.Ops = append(b.Ops, runtimetest.Op{Code: tflite.Custom, Custom: "x", Inputs: []int{0}, Outputs: []int{1 + i}})
	}
	b.Ops[0].Custom = long
	file := b.Bytes()
	for _, f := range runtimetest.Fields(file) {
		if f.Kind() == "subgraphs.operators.opcode_index" {
			f.Set(file, 0)
		}
	}
	if err := checkFile(t, file); !errors.Is(err, runtime.ErrUnsupported) {
		t.Errorf("got %v, want %v", err, runtime.ErrUnsupported)
	}
	var r *runtime.Report
	bytes := allocated(func() { r, _ = runtime.Inspect(file, runtime.Options{}) })
	if limit := int64(16*len(file) + 1<<20); bytes > limit {
		t.Errorf("the report of %d bytes took %d, limit %d", len(file), bytes, limit)
	}
	if n := len(r.Unsupported); n != operators {
		t.Fatalf("got %d findings, want %d", n, operators)
	}
	if f := r.Unsupported[7]; len(f.Name) > 200 || len(f.Tensor) > 200 || !strings.Contains(f.Name, "é…") || !strings.Contains(f.Tensor, "é…") {
		t.Errorf("got %+v, want shortened names", f)
	}
}

// TestManyOperators loads graphs at the limits of what a file may have, whose
// tensors live as long, or as many at a time, as can be.
func TestManyOperators(t *testing.T) {
	n := 16_000
	if testing.Short() {
		n = 1000
	}
	value := runtimetest.Int8("", 1, 0, 1, 1, 1, 4)
	for _, c := range []struct {
		name string
		add  func(b *runtimetest.Builder, i int)
	}{
		{"all from one", func(b *runtimetest.Builder, i int) {
			b.Tensors = append(b.Tensors, value)
			b.Ops = append(b.Ops, runtimetest.Op{Code: tflite.Quantize, Inputs: []int{0}, Outputs: []int{i}})
		}},
		{"all kept", func(b *runtimetest.Builder, i int) {
			b.Tensors = append(b.Tensors, value)
			b.Ops = append(b.Ops, runtimetest.Op{Code: tflite.Quantize, Inputs: []int{i - 1}, Outputs: []int{i}})
			b.Outputs = append(b.Outputs, i)
		}},
		{"each with scratch", func(b *runtimetest.Builder, i int) {
			b.Tensors = append(b.Tensors, value)
			options := []any{byte(0), 1, 1, 1, 1, byte(0)}
			b.Ops = append(b.Ops, runtimetest.Op{Code: tflite.AveragePool2D, Inputs: []int{i - 1}, Outputs: []int{i}, Options: options})
		}},
		{"variables", func(b *runtimetest.Builder, i int) {
			b.Tensors = append(b.Tensors, runtimetest.Plain(tensor.Resource))
			b.Ops = append(b.Ops, runtimetest.Op{Code: tflite.VarHandle, Outputs: []int{i}, Options: []any{"", strconv.Itoa(i)}})
		}},
	} {
		b := &runtimetest.Builder{Tensors: []runtimetest.Tensor{value}, Inputs: []int{0}}
		for i := 1; i < n; i++ {
			c.add(b, i)
		}
		b.Outputs = append(b.Outputs, n-1)
		g := guard{maxArena: runtime.DefaultMaxArena, work: math.MaxInt64}
		if err := g.check(b.Bytes()); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if !g.loaded {
			t.Errorf("%s: got %v, want a model", c.name, g.err)
		}
		t.Logf("%s: loaded in %v", c.name, g.slowest)
	}
}
