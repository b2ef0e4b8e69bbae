package runtime_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"kedge/runtime"
	rt "kedge/runtime/runtimetest"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// checkPlan is the invariant of a session's memory: what is needed at the same
// time does not overlap, unless both hold the same bytes or one is being written
// over the other by the last operator that needs it.
func checkPlan(t *testing.T, m *runtime.MemoryReport, ops []runtime.OpReport, outputs []int) {
	t.Helper()
	content := map[int]int{} // by tensor: the first one that holds the same bytes
	for _, b := range m.Blocks {
		if b.Kind != runtime.KindTensor {
			continue
		}
		content[b.Index] = b.Index
		if b.Alias {
			content[b.Index] = content[b.Over]
		}
	}
	for i, b := range m.Blocks {
		if b.Offset%64 != 0 || b.Offset < 0 {
			t.Errorf("%+v: offset is not a multiple of 64", b)
		}
		for _, a := range m.Blocks[:i] {
			if b.First > a.Last || b.Offset >= a.Offset+a.Bytes || a.Offset >= b.Offset+b.Bytes {
				continue
			}
			tensors := a.Kind == runtime.KindTensor && b.Kind == runtime.KindTensor
			same := tensors && content[a.Index] == content[b.Index]
			over := tensors && b.Over >= 0 && content[b.Over] == content[a.Index] && a.Last == b.First
			if !same && !over {
				t.Errorf("%+v and %+v overlap", a, b)
			}
		}
		if b.Over >= 0 && !b.Alias {
			for tensor, c := range content {
				if c == content[b.Over] && neededAfter(tensor, b.First-1, ops, outputs) {
					t.Errorf("%+v is written over tensor %d, which is needed", b, tensor)
				}
			}
		}
	}
}

// neededAfter reports whether anything behind operator i reads the tensor.
func neededAfter(tensor, i int, ops []runtime.OpReport, outputs []int) bool {
	for _, o := range ops[i+1:] {
		if slices.Contains(o.Inputs, tensor) {
			return true
		}
	}
	return slices.Contains(outputs, tensor)
}

// checkInUse adds up the blocks of every step, each byte once.
func checkInUse(t *testing.T, m *runtime.MemoryReport, base int) {
	t.Helper()
	for step, got := range m.InUse {
		used := make([]bool, m.Bytes/64)
		want := 0
		for _, b := range m.Blocks {
			if step < b.First || b.Last < step {
				continue
			}
			for at := b.Offset; at < b.Offset+b.Bytes; at += 64 {
				if !used[(at-base)/64] {
					used[(at-base)/64] = true
					want += 64
				}
			}
		}
		if got != want {
			t.Errorf("step %d: got %d bytes in use, want %d", step, got, want)
		}
	}
}

// inspected is the report on a file whose plan has been checked.
func inspected(t *testing.T, file []byte) *runtime.Report {
	t.Helper()
	r, err := runtime.Inspect(file, runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var outputs []int
	for _, o := range r.Outputs {
		outputs = append(outputs, o.Index)
	}
	checkPlan(t, r.Memory, r.Operators, outputs)
	checkInUse(t, r.Memory, 0)
	for _, c := range r.Called {
		checkPlan(t, c.Memory, c.Operators, nil)
		for _, b := range r.Memory.Blocks {
			if b.Kind == runtime.KindScratch && b.Index == c.Operator {
				checkInUse(t, c.Memory, b.Offset)
			}
		}
	}
	return r
}

// overs counts the blocks that take another's memory.
func overs(m *runtime.MemoryReport) (alias, inPlace int) {
	for _, b := range m.Blocks {
		switch {
		case b.Over >= 0 && b.Alias:
			alias++
		case b.Over >= 0:
			inPlace++
		}
	}
	return alias, inPlace
}

// TestConformancePlans also wants plans of real models that none can beat. The
// planner does not promise them for every graph, but it finds them for these.
func TestConformancePlans(t *testing.T) {
	for _, set := range []string{".", "ops", "seanet", "extra", "uint8", "uint8/ops"} {
		for _, c := range rt.Cases(t, set) {
			t.Run(set+"/"+c.Name, func(t *testing.T) {
				m := inspected(t, c.File(t, "model.tflite")).Memory
				if most := slices.Max(m.InUse); m.Bytes != most && set == "." {
					t.Errorf("arena: got %d bytes, want the %d that are in use at once", m.Bytes, most)
				}
			})
		}
	}
}

// TestInPlace says for small graphs which memory each tensor takes.
func TestInPlace(t *testing.T) {
	x := rt.Int8("x", 1, 0, 16)
	wide := func(ty tensor.Type) rt.Tensor {
		return rt.Tensor{Name: "wide", Type: ty, Shape: []int{16}, Scales: []float32{1}, Zeros: []int{0}}
	}
	real := rt.Tensor{Name: "real", Type: tensor.Float32, Shape: []int{16}}
	small := rt.Int8("small", 1, 0, 1)
	constant := rt.Int8("constant", 1, 0, 16)
	constant.Data = make([]byte, 16)
	state := rt.Int8("state", 1, 0, 16)
	state.Variable = true
	relu := func(in, out int) rt.Op { return rt.Op{Code: tflite.Relu, Inputs: []int{in}, Outputs: []int{out}} }
	add := func(a, b, out int) rt.Op {
		return rt.Op{Code: tflite.Add, Inputs: []int{a, b}, Outputs: []int{out}, Options: []any{byte(0)}}
	}
	op := func(code tflite.Code, out int, in ...int) rt.Op {
		return rt.Op{Code: code, Inputs: in, Outputs: []int{out}}
	}
	for _, c := range []struct {
		name    string
		tensors []rt.Tensor
		inputs  []int
		outputs []int
		ops     []rt.Op
		want    []int // by tensor: whose memory it takes
	}{
		{"chain", []rt.Tensor{x, x, x}, []int{0}, []int{2}, []rt.Op{relu(0, 1), relu(1, 2)}, []int{-1, 0, 1}},
		{"read again", []rt.Tensor{x, x, x}, []int{0}, []int{2}, []rt.Op{relu(0, 1), add(0, 1, 2)}, []int{-1, -1, 0}},
		{"an output", []rt.Tensor{x, x}, []int{0}, []int{0, 1}, []rt.Op{relu(0, 1)}, []int{-1, -1}},
		{"twice at once", []rt.Tensor{x, x}, []int{0}, []int{1}, []rt.Op{add(0, 0, 1)}, []int{-1, 0}},
		{"second input", []rt.Tensor{x, x, x, x}, []int{0, 1}, []int{2, 3}, []rt.Op{add(0, 1, 2), relu(0, 3)}, []int{-1, -1, 1, 0}},
		{"repeated input stays", []rt.Tensor{small, x, x}, []int{0, 1}, []int{2}, []rt.Op{add(0, 1, 2)}, []int{-1, -1, 1}},
		{"both repeated", []rt.Tensor{rt.Int8("", 1, 0, 4, 1), rt.Int8("", 1, 0, 1, 4), rt.Int8("", 1, 0, 4, 4)}, []int{0, 1}, []int{2},
			[]rt.Op{add(0, 1, 2)}, []int{-1, -1, -1}},
		{"constant", []rt.Tensor{constant, x}, nil, []int{1}, []rt.Op{relu(0, 1)}, []int{-1, -1}},
		{"variable", []rt.Tensor{state, x}, nil, []int{1}, []rt.Op{relu(0, 1)}, []int{-1, -1}},
		{"narrower", []rt.Tensor{wide(tensor.Int16), x}, []int{0}, []int{1}, []rt.Op{op(tflite.Quantize, 1, 0)}, []int{-1, 0}},
		{"wider", []rt.Tensor{x, wide(tensor.Int16)}, []int{0}, []int{1}, []rt.Op{op(tflite.Quantize, 1, 0)}, []int{-1, -1}},
		{"wider, backward", []rt.Tensor{x, real}, []int{0}, []int{1}, []rt.Op{op(tflite.Dequantize, 1, 0)}, []int{-1, 0}},
		{"under another shape, read again", []rt.Tensor{x, rt.Int8("", 1, 0, 4, 4), x, x}, []int{0}, []int{2, 3},
			[]rt.Op{op(tflite.Reshape, 1, 0), relu(0, 2), op(tflite.Reshape, 3, 1)}, []int{-1, 0, -1, 1}},
		{"under another shape, for the last time", []rt.Tensor{x, rt.Int8("", 1, 0, 4, 4), rt.Int8("", 1, 0, 4, 4)}, []int{0}, []int{2},
			[]rt.Op{op(tflite.Reshape, 1, 0), relu(1, 2)}, []int{-1, 0, 1}},
		// Alpha is repeated over the rows of the very memory that holds the input.
		{"also read in another way", []rt.Tensor{rt.Int8("", 1, 0, 4), rt.Int8("", 1, 0, 1, 4), rt.Int8("", 1, 0, 1, 4)}, []int{0}, []int{2},
			[]rt.Op{op(tflite.Reshape, 1, 0), op(tflite.Prelu, 2, 1, 0)}, []int{-1, 0, 1}},
		{"not elementwise", []rt.Tensor{x, rt.Int8("", 1.0/256, -128, 16)}, []int{0}, []int{1},
			[]rt.Op{{Code: tflite.Softmax, Inputs: []int{0}, Outputs: []int{1}, Options: []any{float32(1)}}}, []int{-1, -1}},
	} {
		b := &rt.Builder{Tensors: c.tensors, Inputs: c.inputs, Outputs: c.outputs, Ops: c.ops}
		r := inspected(t, b.Bytes())
		got := slices.Repeat([]int{-1}, len(c.tensors))
		for _, m := range r.Memory.Blocks {
			if m.Kind == runtime.KindTensor {
				got[m.Index] = m.Over
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// TestRandomGraphs compares sessions in which tensors share memory with ones in
// which none does, over chains, diamonds and several outputs of the operators
// that may write in place, and of some that may not.
func TestRandomGraphs(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	aliases, inPlaces := 0, 0
	for n := range 800 {
		b := randomGraph(rng)
		alias, inPlace := overs(inspected(t, b.Bytes()).Memory)
		aliases, inPlaces = aliases+alias, inPlaces+inPlace
		m := load(t, b, runtime.Options{})
		fast, separate := session(t, m, runtime.SessionOptions{}), session(t, m, runtime.SessionOptions{Separate: true})
		for range 3 {
			for i := range fast.Inputs() {
				for j := range fast.Input(i) {
					fast.Input(i)[j] = byte(rng.Uint32())
				}
				copy(separate.Input(i), fast.Input(i))
			}
			if err := errors.Join(fast.Invoke(), separate.Invoke()); err != nil {
				t.Fatal(err)
			}
			for i := range fast.Outputs() {
				if got, want := fast.Output(i), separate.Output(i); !bytes.Equal(got, want) {
					t.Fatalf("graph %d, output %d: got % x, want % x\n%+v", n, i, got, want, b.Ops)
				}
			}
		}
	}
	if aliases < 500 || inPlaces < 1200 {
		t.Errorf("%d tensors shared content and %d were written in place: the comparison says little", aliases, inPlaces)
	}
}

// grower makes a random graph.
type grower struct {
	*rt.Builder
	rng   *rand.Rand
	avail []int // tensors that can be read
}

func randomGraph(rng *rand.Rand) *rt.Builder {
	g := &grower{Builder: &rt.Builder{}, rng: rng}
	for range 1 + rng.IntN(3) {
		in := g.tensor(tensor.Int8, []int{2, 3, 4})
		g.Inputs = append(g.Inputs, in)
	}
	for range 2 + rng.IntN(14) {
		g.grow()
	}
	read := map[int]bool{}
	for _, o := range g.Ops {
		for _, t := range o.Inputs {
			read[t] = true
		}
	}
	for _, t := range g.avail { // what nobody reads, and some of the rest
		if !read[t] || rng.IntN(8) == 0 {
			g.Outputs = append(g.Outputs, t)
		}
	}
	return g.Builder
}

// tensor adds one that is computed.
func (g *grower) tensor(ty tensor.Type, shape []int) int {
	t := rt.Tensor{Name: "t", Type: ty, Shape: shape, Scales: []float32{0.5 + g.rng.Float32()}, Zeros: []int{0}}
	switch ty {
	case tensor.Int8:
		t.Zeros[0] = g.rng.IntN(40) - 20
	case tensor.Float32:
		t.Scales = nil
	}
	g.Tensors = append(g.Tensors, t)
	g.avail = append(g.avail, len(g.Tensors)-1)
	return len(g.Tensors) - 1
}

// pick is a random available tensor of the type, rather a late one.
func (g *grower) pick(ty tensor.Type, ok func(shape []int) bool) (int, bool) {
	for range 30 {
		n := len(g.avail)
		t := g.avail[n-1-min(g.rng.IntN(n), g.rng.IntN(n))]
		if g.Tensors[t].Type == ty && ok(g.Tensors[t].Shape) {
			return t, true
		}
	}
	return 0, false
}

// grow adds one operator.
func (g *grower) grow() {
	types := []tensor.Type{tensor.Int8, tensor.Int8, tensor.Int8, tensor.Int16, tensor.Int32, tensor.Float32}
	in, ok := g.pick(types[g.rng.IntN(len(types))], func([]int) bool { return true })
	if !ok {
		return
	}
	ty, shape := g.Tensors[in].Type, g.Tensors[in].Shape
	op := rt.Op{Inputs: []int{in}}
	to, outShape := ty, shape
	switch k := g.rng.IntN(10); {
	case k == 9:
		op.Code, to = tflite.Cast, types[g.rng.IntN(len(types))]
	case ty == tensor.Float32:
		op.Code, to = tflite.Quantize, tensor.Int8
	case ty == tensor.Int32:
		op.Code, to = tflite.Quantize, []tensor.Type{tensor.Int8, tensor.Int16}[k%2]
	case k < 2:
		op.Code = []tflite.Code{tflite.Relu, tflite.Abs, tflite.LeakyRelu, tflite.Relu6}[g.rng.IntN(4)]
		if op.Code == tflite.LeakyRelu {
			op.Options = []any{float32(0.3)}
		}
	case k < 3 && ty == tensor.Int8:
		op.Code, to = tflite.Quantize, []tensor.Type{tensor.Int8, tensor.Int16, tensor.Int32}[g.rng.IntN(3)]
	case k < 4:
		op.Code, to = tflite.Dequantize, tensor.Float32
	case k < 6:
		outShape = [][]int{{24}, {2, 12}, {2, 3, 4}, {6, 4}}[g.rng.IntN(4)]
		if len(shape) == 1 && shape[0] == 12 || len(shape) == 3 && shape[0] == 1 {
			outShape = [][]int{{12}, {1, 3, 4}}[g.rng.IntN(2)]
		}
		op.Code = tflite.Reshape
	case k < 7 && ty == tensor.Int8 && len(shape) == 3 && shape[0] == 2:
		op.Code, outShape = tflite.ReduceMax, []int{1, 3, 4}
		g.Tensors = append(g.Tensors, rt.Const32("axis", []int{1}, 0))
		op.Inputs, op.Options = append(op.Inputs, len(g.Tensors)-1), []any{true}
	default:
		op.Code = []tflite.Code{tflite.Add, tflite.Sub, tflite.Mul, tflite.Maximum}[g.rng.IntN(4)]
		if op.Code != tflite.Maximum {
			op.Options = []any{byte(0)}
		}
		other, _ := g.pick(ty, func(s []int) bool {
			return slices.Equal(s, shape) || len(s) == 3 && len(shape) == 3
		})
		if g.Tensors[other].Type != ty || !slices.Equal(g.Tensors[other].Shape, shape) && (len(shape) != 3 || len(g.Tensors[other].Shape) != 3) {
			other = in
		}
		if s := g.Tensors[other].Shape; len(s) == 3 && s[0] == 2 {
			outShape = s
		}
		op.Inputs = append(op.Inputs, other)
		if g.rng.IntN(2) == 0 {
			slices.Reverse(op.Inputs)
		}
	}
	out := g.tensor(to, outShape)
	if op.Code == tflite.ReduceMax {
		g.Tensors[out].Scales, g.Tensors[out].Zeros = g.Tensors[in].Scales, g.Tensors[in].Zeros
	}
	op.Outputs = []int{out}
	g.Ops = append(g.Ops, op)
}
