package runtime_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"kedge/runtime"
	rt "kedge/runtime/runtimetest"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// prunedWeights are int8 weights of which about that fraction of the blocks of
// neighbors is 0.
func prunedWeights(r *rand.Rand, shape []int, block int, zeros float64) rt.Tensor {
	n, _ := tensor.Shape(shape).Elements()
	w := rt.Weights("w", 0.01, shape, make([]int, n)...)
	for at := 0; at < n; at += block {
		if r.Float64() < zeros {
			continue
		}
		for i := at; i < min(at+block, n); i++ {
			w.Data[i] = byte(r.Uint32())
		}
	}
	return w
}

// byBlocks compresses the rows of a matrix by blocks.
func byBlocks(w rt.Tensor, block int) rt.Tensor {
	if block == 1 {
		return rt.Compress(w, rt.Blocks{CSR: []bool{false, true}, Width: 1})
	}
	return rt.Compress(w, rt.Blocks{Map: []int{1}, Size: []int{block}, CSR: []bool{false, true}, Width: 1})
}

// denseLayer is a FULLY_CONNECTED of n filters over rows of k inputs.
func denseLayer(w rt.Tensor, rows int) *rt.Builder {
	n, k := w.Shape[0], w.Shape[1]
	bias := make([]int, n)
	for i := range bias {
		bias[i] = 37*i - 500
	}
	return &rt.Builder{
		Tensors: []rt.Tensor{rt.Int8("x", 0.1, -7, rows, k), w, rt.Const32("b", []int{n}, bias...), rt.Int8("y", 0.3, 5, rows, n)},
		Inputs:  []int{0}, Outputs: []int{3},
		Ops: []rt.Op{{Code: tflite.FullyConnected, Inputs: []int{0, 1, 2}, Outputs: []int{3}, Options: []any{byte(0)}}},
	}
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// TestSparseFullyConnected: the layer gives the same bytes from compressed
// weights, whether it computes on them or on what they expand to, and counts the
// same operations.
func TestSparseFullyConnected(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	for range 200 {
		block := []int{1, 2, 4, 8, 16}[r.IntN(5)]
		rows, n, k := 1+r.IntN(3), 1+r.IntN(12), block*(1+r.IntN(6))
		w := prunedWeights(r, []int{n, k}, block, r.Float64())
		switch r.IntN(4) {
		case 0: // the zeros of the compressed form are not those of the numbers
			w.Zeros = []int{3}
		case 1:
			w.Scales, w.Zeros = make([]float32, n), make([]int, n)
			for i := range w.Scales {
				w.Scales[i] = 0.01 + float32(i)/1000
			}
		}
		in := randomBytes(r, rows*k)
		dense, sparse := denseLayer(w, rows), denseLayer(byBlocks(w, block), rows)
		if got, want := rt.Run(t, sparse, in), rt.Run(t, dense, in); !bytes.Equal(got, want) {
			t.Fatalf("%d rows, %v in blocks of %d: got %v, want %v", rows, w.Shape, block, got, want)
		}
		m, err := runtime.Load(sparse.Bytes(), runtime.Options{})
		if err != nil || m.MACs() != int64(rows*n*k) {
			t.Fatalf("got %d MACs, %v, want %d", m.MACs(), err, rows*n*k)
		}
	}
}

// TestSparseTakesNoRoom: a layer that computes on compressed weights may be
// larger than a file of its size could be when expanded; any other use of the
// same constant is refused, by name.
func TestSparseTakesNoRoom(t *testing.T) {
	w := prunedWeights(rand.New(rand.NewPCG(1, 1)), []int{1024, 4096}, 16, 0.98)
	layer := denseLayer(byBlocks(w, 16), 1)
	if err := checkFile(t, layer.Bytes()); err != nil {
		t.Errorf("compressed: %v", err)
	}
	layer.Tensors = append(layer.Tensors, rt.Int8("dense", 0.01, 0, 1024, 4096))
	layer.Ops[0].Inputs[1] = 4
	layer.Ops = append([]rt.Op{{Code: tflite.Densify, Inputs: []int{1}, Outputs: []int{4}}}, layer.Ops...)
	if err := checkFile(t, layer.Bytes()); err != nil {
		t.Errorf("compressed, behind DENSIFY: %v", err)
	}
	layer.Outputs = append(layer.Outputs, 1)
	if err := checkFile(t, layer.Bytes()); !errors.Is(err, runtime.ErrBudget) || !strings.Contains(err.Error(), `tensor "w": expanded: file needs more than its size justifies: 4194304 bytes more`) {
		t.Errorf("expanded: got %v, want %v that names the tensor", err, runtime.ErrBudget)
	}
}

// TestExpandsPruned: convolutions, which need their weights expanded, load when
// 90 % of the blocks are 0 (and 92 % of a large constant).
func TestExpandsPruned(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for _, c := range []struct {
		channels int
		zeros    float64
	}{{64, 0.9}, {1024, 0.9}, {2560, 0.92}} {
		w := prunedWeights(r, []int{c.channels, 1, 1, c.channels}, 16, c.zeros)
		w = rt.Compress(w, rt.Blocks{Map: []int{3}, Size: []int{16}, CSR: []bool{false, false, false, true}, Width: 1})
		conv := &rt.Builder{
			Tensors: []rt.Tensor{rt.Int8("x", 0.1, 0, 1, 1, 1, c.channels), w, rt.Int8("y", 0.3, 5, 1, 1, 1, c.channels)},
			Inputs:  []int{0}, Outputs: []int{2},
			Ops: []rt.Op{{Code: tflite.Conv2D, Inputs: []int{0, 1}, Outputs: []int{2}, Options: []any{byte(0), 1, 1, byte(0)}}},
		}
		if err := checkFile(t, conv.Bytes()); err != nil {
			t.Errorf("%d channels: %v", c.channels, err)
		}
	}
}

// TestDensify: constants reach their readers through one DENSIFY, through two,
// compressed or not, and as the model's output.
func TestDensify(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	w := prunedWeights(r, []int{4, 3, 3, 2}, 3, 0.5)
	for name, constant := range map[string]rt.Tensor{
		"compressed": rt.Compress(w, rt.Blocks{Order: []int{3, 0, 1, 2}, CSR: []bool{false, true, true}}),
		"dense":      w,
	} {
		conv := rt.Op{Code: tflite.Conv2D, Inputs: []int{0, 1}, Outputs: []int{4}, Options: []any{byte(0), 1, 1, byte(0)}}
		b := &rt.Builder{
			Tensors: []rt.Tensor{rt.Int8("x", 0.1, -7, 1, 5, 5, 2), constant, rt.Int8("once", 0.01, 0, 4, 3, 3, 2), rt.Int8("twice", 0.01, 0, 4, 3, 3, 2), rt.Int8("y", 0.3, 5, 1, 5, 5, 4), rt.Int8("z", 0.3, 5, 1, 5, 5, 4)},
			Inputs:  []int{0}, Outputs: []int{4},
			Ops: []rt.Op{conv},
		}
		in := randomBytes(r, 50)
		want := rt.Run(t, b, in)
		again := conv
		again.Inputs, again.Outputs = []int{0, 2}, []int{5}
		conv.Inputs = []int{0, 3}
		b.Outputs = []int{4, 5, 3, 2}
		b.Ops = []rt.Op{{Code: tflite.Densify, Inputs: []int{1}, Outputs: []int{2}}, {Code: tflite.Densify, Inputs: []int{2}, Outputs: []int{3}}, conv, again}
		m, err := runtime.Load(b.Bytes(), runtime.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s := session(t, m, runtime.SessionOptions{})
		copy(s.Input(0), in)
		s.Invoke()
		for i, want := range [][]byte{want, want, w.Data, w.Data} {
			if got := s.Output(i); !bytes.Equal(got, want) {
				t.Errorf("%s: output %d: got %v, want %v", name, i, got, want)
			}
		}
		if &s.Output(2)[0] != &s.Output(3)[0] {
			t.Errorf("%s: the constant was expanded twice", name)
		}
		if got, want := m.ArenaBytes(), 256+128+128; got > want {
			t.Errorf("%s: arena of %d bytes, want at most %d, without the weights", name, got, want)
		}
	}
}

func TestDensifyErrors(t *testing.T) {
	w := rt.Compress(rt.Weights("w", 1, []int{2, 2}, 1, 0, 0, 2), rt.Blocks{CSR: []bool{false, true}})
	for _, c := range []struct {
		name    string
		in, out rt.Tensor
		want    string
	}{
		{"computed", rt.Int8("w", 1, 0, 2, 2), rt.Int8("d", 1, 0, 2, 2), `operator 0 DENSIFY: tensor "w": found a computed tensor, want a constant`},
		{"type", w, rt.Tensor{Name: "d", Type: tensor.Uint8, Shape: []int{2, 2}}, `operator 0 DENSIFY: tensor "d": found uint8, want int8`},
		{"shape", w, rt.Int8("d", 1, 0, 4), `operator 0 DENSIFY: tensor "d": found shape [4], want [2,2]`},
	} {
		b := &rt.Builder{Tensors: []rt.Tensor{c.in, c.out}, Outputs: []int{1}, Ops: []rt.Op{{Code: tflite.Densify, Inputs: []int{0}, Outputs: []int{1}}}}
		if c.in.Data == nil {
			b.Inputs = []int{0}
		}
		if _, err := runtime.Load(b.Bytes(), runtime.Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

// TestSparseOperands: any operator reads any compressed constant.
func TestSparseOperands(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 42))
	for _, c := range []struct {
		name     string
		constant rt.Tensor
		x, out   rt.Tensor
		code     tflite.Code
		options  []any
	}{
		{"int8", prunedWeights(r, []int{8, 16}, 4, 0.5), rt.Int8("x", 0.02, 3, 8, 16), rt.Int8("y", 0.05, 0, 8, 16), tflite.Add, []any{byte(0)}},
		{"int16", rt.Tensor{Name: "c", Type: tensor.Int16, Shape: []int{2, 4}, Scales: []float32{0.02}, Zeros: []int{0}, Data: rt.Int16s(0, 0, -300, 4, 0, 9, 0, 1)},
			rt.Tensor{Name: "x", Type: tensor.Int16, Shape: []int{2, 4}, Scales: []float32{0.02}, Zeros: []int{0}},
			rt.Tensor{Name: "y", Type: tensor.Int16, Shape: []int{2, 4}, Scales: []float32{0.05}, Zeros: []int{0}}, tflite.Add, []any{byte(0)}},
		{"int32", rt.Const32("c", []int{2, 4}, 0, 0, -300, 4, 0, 9, 0, 1), rt.Tensor{Name: "x", Type: tensor.Int32, Shape: []int{2, 4}},
			rt.Tensor{Name: "y", Type: tensor.Int32, Shape: []int{2, 4}}, tflite.Mul, []any{byte(0)}},
	} {
		b := &rt.Builder{
			Tensors: []rt.Tensor{c.x, c.constant, c.out}, Inputs: []int{0}, Outputs: []int{2},
			Ops: []rt.Op{{Code: c.code, Inputs: []int{0, 1}, Outputs: []int{2}, Options: c.options}},
		}
		n, _ := tensor.Shape(c.x.Shape).Bytes(c.x.Type)
		in := randomBytes(r, n)
		want := rt.Run(t, b, in)
		b.Tensors[1] = rt.Compress(c.constant, rt.Blocks{Order: []int{1, 0}, CSR: []bool{true, true}, Width: 2})
		if got := rt.Run(t, b, in); !bytes.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", c.name, got, want)
		}
	}
}
