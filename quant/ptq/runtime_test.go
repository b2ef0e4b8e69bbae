package ptq_test

import (
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"kedge/quant/calib"
	"kedge/quant/emit"
	"kedge/quant/graph"
	"kedge/quant/ptq"
	"kedge/runtime"
	"kedge/runtime/tensor"
)

// net builds graphs for tests, with weights from a seed.
type net struct {
	t testing.TB
	g *graph.Graph
	r *rand.Rand
}

func newNet(t testing.TB, seed uint64) *net {
	return &net{t, &graph.Graph{Name: "main"}, rand.New(rand.NewPCG(seed, 77))}
}

func (n *net) input(shape ...int) graph.TensorID {
	id := n.g.AddTensor(graph.Tensor{Name: "input", Shape: shape})
	n.g.Inputs = append(n.g.Inputs, id)
	return id
}

// random is a constant whose values are normal with that deviation.
func (n *net) random(scale float64, shape ...int) graph.TensorID {
	size, _ := tensor.Shape(shape).Elements()
	v := make([]float32, size)
	for i := range v {
		v[i] = float32(scale * n.r.NormFloat64())
	}
	return n.values(v, shape...)
}

func (n *net) values(v []float32, shape ...int) graph.TensorID {
	return n.g.AddTensor(graph.Tensor{Name: "constant", Shape: shape, Float: v})
}

// op appends an operator and returns its first output.
func (n *net) op(op graph.Op, inputs ...graph.TensorID) graph.TensorID {
	return n.split(op, 1, inputs...)[0]
}

func (n *net) split(op graph.Op, outputs int, inputs ...graph.TensorID) []graph.TensorID {
	out := make([]graph.TensorID, outputs)
	for i := range out {
		out[i] = n.g.AddTensor(graph.Tensor{Name: op.Name()})
	}
	n.g.AddNode(op, inputs, out)
	return out
}

func (n *net) outputs(ids ...graph.TensorID) *graph.Graph {
	n.t.Helper()
	n.g.Outputs = ids
	if err := n.g.Infer(); err != nil {
		n.t.Fatal(err)
	}
	return n.g
}

// samples are normal values for every input of g.
func samples(g *graph.Graph, count int, scale float64) [][]float32 {
	r := rand.New(rand.NewPCG(5, 6))
	x := make([][]float32, len(g.Inputs))
	for i, id := range g.Inputs {
		size, _ := g.Tensor(id).Shape.Elements()
		x[i] = make([]float32, size*count)
		for k := range x[i] {
			x[i][k] = float32(scale * r.NormFloat64())
		}
	}
	return x
}

// measured is what became of a graph: the integer one, its file at work, and the
// signal-to-quantization-noise ratio of each output in dB.
type measured struct {
	q    *graph.Graph
	sqnr []float64
}

// quantize calibrates on x, quantizes, writes, and runs the file on x.
func quantize(t testing.TB, g *graph.Graph, x [][]float32, o ptq.Options) measured {
	t.Helper()
	s, err := calib.Collect(context.Background(), g, x, calib.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ranges, err := s.Ranges(calib.MinMax())
	if err != nil {
		t.Fatal(err)
	}
	q, err := ptq.Quantize(g, ranges, o)
	if err != nil {
		t.Fatal(err)
	}
	return measured{q, compare(t, g, q, x)}
}

// compare runs both graphs, the integer one on package runtime.
func compare(t testing.TB, g, q *graph.Graph, x [][]float32) []float64 {
	t.Helper()
	session := open(t, q)
	e, err := graph.NewExecutor(g)
	if err != nil {
		t.Fatal(err)
	}
	signal, noise := make([]float64, len(g.Outputs)), make([]float64, len(g.Outputs))
	size, _ := g.Tensor(g.Inputs[0]).Shape.Elements()
	for s := range len(x[0]) / size {
		rows := make([][]float32, len(x))
		for i, id := range g.Inputs {
			n, _ := g.Tensor(id).Shape.Elements()
			rows[i] = x[i][s*n : (s+1)*n]
			encode(session.Input(i), session.Inputs()[i], rows[i])
		}
		if err := session.Invoke(); err != nil {
			t.Fatal(err)
		}
		want, err := e.Run(rows, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			for k, v := range want[i] {
				d := float64(v) - decode(session.Output(i), session.Outputs()[i], k)
				signal[i] += float64(v) * float64(v)
				noise[i] += d * d
			}
		}
	}
	db := make([]float64, len(signal))
	for i := range db {
		db[i] = 10 * math.Log10(signal[i]/noise[i])
	}
	return db
}

func open(t testing.TB, q *graph.Graph) *runtime.Session {
	t.Helper()
	file, err := emit.Model(q)
	if err != nil {
		t.Fatal(err)
	}
	m, err := runtime.Load(file, runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.NewSession(runtime.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func encode(to []byte, info runtime.TensorInfo, x []float32) {
	for i, v := range x {
		switch info.Type {
		case runtime.Float32:
			binary.LittleEndian.PutUint32(to[4*i:], math.Float32bits(v))
		case runtime.Int16:
			q := math.Round(float64(v / info.Scales[0]))
			binary.LittleEndian.PutUint16(to[2*i:], uint16(int16(min(max(q, -32768), 32767))))
		default:
			q := math.Round(float64(v/info.Scales[0])) + float64(info.ZeroPoints[0])
			to[i] = byte(int8(min(max(q, -128), 127)))
		}
	}
}

func decode(from []byte, info runtime.TensorInfo, i int) float64 {
	switch info.Type {
	case runtime.Float32:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(from[4*i:])))
	case runtime.Int16:
		return float64(info.Scales[0]) * float64(int16(binary.LittleEndian.Uint16(from[2*i:])))
	}
	return float64(info.Scales[0]) * float64(int32(int8(from[i]))-info.ZeroPoints[0])
}

var (
	stride2 = graph.Window{StrideH: 2, StrideW: 2, DilationH: 1, DilationW: 1}
	padded  = graph.Dense().Same(8, 8, 3, 3)
)

// operators has a small graph for every operator. The bounds are for int8 and
// int16; 0 says that the operator stays float32 there, which the test checks too.
var operators = []struct {
	name        string
	build       func(n *net) []graph.TensorID
	int8, int16 float64
}{
	{"CONV_2D", func(n *net) []graph.TensorID {
		x := n.input(1, 8, 8, 6)
		return one(n.op(graph.Conv2D{Window: padded, Activation: graph.ReLU6}, x, n.random(0.3, 10, 3, 3, 6), n.random(0.5, 10)))
	}, 33, 43},
	{"CONV_2D", func(n *net) []graph.TensorID { // without bias, VALID, stride 2
		x := n.input(1, 9, 9, 6)
		return one(n.op(graph.Conv2D{Window: stride2}, x, n.random(0.3, 10, 3, 3, 6)))
	}, 33, 43},
	{"DEPTHWISE_CONV_2D", func(n *net) []graph.TensorID {
		x := n.input(1, 8, 8, 6)
		return one(n.op(graph.DepthwiseConv2D{Window: padded, Multiplier: 2, Activation: graph.ReLU}, x, n.random(0.3, 1, 3, 3, 12), n.random(0.5, 12)))
	}, 33, 43},
	{"TRANSPOSE_CONV", func(n *net) []graph.TensorID {
		x := n.input(1, 5, 5, 6)
		op := graph.TransposeConv{StrideH: 2, StrideW: 2, OutputH: 11, OutputW: 11}
		return one(n.op(op, x, n.random(0.3, 4, 3, 3, 6), n.random(0.5, 4)))
	}, 33, 43},
	{"FULLY_CONNECTED", func(n *net) []graph.TensorID {
		x := n.input(1, 40)
		return one(n.op(graph.FullyConnected{Activation: graph.ReLU}, x, n.random(0.3, 10, 40), n.random(0.5, 10)))
	}, 33, 43},
	{"BATCH_MATMUL", func(n *net) []graph.TensorID {
		x := n.input(2, 6, 20)
		return one(n.op(graph.BatchMatMul{}, x, n.random(0.3, 20, 5)))
	}, 30, 60},
	{"ADD", binary2(graph.Add), 33, 60},
	{"SUB", binary2(graph.Sub), 33, 60},
	{"MUL", binary2(graph.Mul), 28, 60},
	{"SQUARED_DIFFERENCE", binary2(graph.SquaredDifference), 28, 0},
	{"MAXIMUM", binary2(graph.Maximum), 33, 60},
	{"MINIMUM", binary2(graph.Minimum), 33, 60},
	{"ADD", constant2(graph.Add), 33, 60},
	{"SUB", constant2(graph.Sub), 33, 60},
	{"MUL", constant2(graph.Mul), 28, 60},
	{"MAXIMUM", constant2(graph.Maximum), 33, 60},
	{"MINIMUM", constant2(graph.Minimum), 33, 60},
	{"DIV", func(n *net) []graph.TensorID {
		x := n.input(1, 4, 5)
		return one(n.op(graph.Binary{Kind: graph.Div}, x, n.values([]float32{1, 2, 3, 4, 5}, 5)))
	}, 30, 0},
	{"RELU", unary(graph.FuncReLU), 33, 60},
	{"RELU6", unary(graph.FuncReLU6), 33, 60},
	{"RELU_N1_TO_1", unary(graph.FuncReLUN1To1), 28, 0},
	{"RELU_0_TO_1", unary(graph.FuncReLU0To1), 28, 0},
	{"HARD_SWISH", unary(graph.FuncHardSwish), 30, 0},
	{"LOGISTIC", unary(graph.FuncLogistic), 38, 60},
	{"TANH", unary(graph.FuncTanh), 35, 60},
	{"ELU", unary(graph.FuncELU), 30, 0},
	{"ABS", unary(graph.FuncAbs), 33, 60},
	{"NEG", unary(graph.FuncNeg), 0, 0},
	{"EXP", unary(graph.FuncExp), 0, 0},
	{"SIN", unary(graph.FuncSin), 0, 0},
	{"COS", unary(graph.FuncCos), 0, 0},
	{"SQUARE", unary(graph.FuncSquare), 0, 0},
	{"LOG", positive(graph.FuncLog), 0, 0},
	{"SQRT", positive(graph.FuncSqrt), 0, 0},
	{"RSQRT", positive(graph.FuncRsqrt), 25, 40},
	{"LEAKY_RELU", func(n *net) []graph.TensorID {
		return one(n.op(graph.LeakyReLU{Alpha: 0.2}, n.input(1, 4, 5)))
	}, 33, 60},
	{"PRELU", func(n *net) []graph.TensorID {
		return one(n.op(graph.PReLU{}, n.input(1, 4, 4, 5), n.random(0.3, 5)))
	}, 33, 40},
	{"SOFTMAX", func(n *net) []graph.TensorID { return one(n.op(graph.Softmax{Beta: 1}, n.input(1, 10))) }, 30, 60},
	{"LOG_SOFTMAX", func(n *net) []graph.TensorID { return one(n.op(graph.LogSoftmax{}, n.input(1, 10))) }, 35, 0},
	{"L2_NORMALIZATION", func(n *net) []graph.TensorID { return one(n.op(graph.L2Normalization{}, n.input(1, 10))) }, 30, 0},
	{"AVERAGE_POOL_2D", func(n *net) []graph.TensorID {
		return one(n.op(graph.AveragePool2D{Window: stride2, FilterH: 2, FilterW: 2}, n.input(1, 8, 8, 3)))
	}, 28, 60},
	{"MAX_POOL_2D", func(n *net) []graph.TensorID {
		return one(n.op(graph.MaxPool2D{Window: stride2, FilterH: 2, FilterW: 2}, n.input(1, 8, 8, 3)))
	}, 33, 60},
	{"MEAN", reduce(graph.ReduceMean), 28, 60},
	{"SUM", reduce(graph.ReduceSum), 28, 60},
	{"REDUCE_MAX", reduce(graph.ReduceMax), 33, 0},
	{"REDUCE_MIN", reduce(graph.ReduceMin), 33, 0},
	{"RESHAPE", func(n *net) []graph.TensorID {
		return one(n.op(graph.Reshape{Shape: tensor.Shape{1, 60}}, n.input(1, 4, 5, 3)))
	}, 33, 60},
	{"TRANSPOSE", func(n *net) []graph.TensorID {
		return one(n.op(graph.Transpose{Perm: []int{0, 2, 1}}, n.input(1, 4, 5)))
	}, 33, 60},
	{"CONCATENATION", func(n *net) []graph.TensorID {
		x, y := n.input(1, 4, 5), n.input(1, 4, 5)
		big := n.op(graph.Binary{Kind: graph.Mul}, y, n.values([]float32{3}, 1))
		return one(n.op(graph.Concatenation{Axis: 2}, x, big, n.random(1, 1, 4, 2)))
	}, 30, 60},
	{"SPLIT", func(n *net) []graph.TensorID {
		return n.split(graph.Split{Axis: 2, Sizes: []int{3, 3}}, 2, n.input(1, 4, 6))
	}, 33, 60},
	{"SPLIT_V", func(n *net) []graph.TensorID {
		return n.split(graph.Split{Axis: 1, Sizes: []int{1, 3}}, 2, n.input(1, 4, 6))
	}, 33, 60},
	{"SLICE", func(n *net) []graph.TensorID {
		op := graph.StridedSlice{Begin: []int{0, 1, 2}, Count: []int{1, 2, 3}, Stride: []int{1, 1, 1}}
		return one(n.op(op, n.input(1, 4, 6)))
	}, 33, 60},
	{"STRIDED_SLICE", func(n *net) []graph.TensorID {
		op := graph.StridedSlice{Begin: []int{0, 3, 0}, Count: []int{1, 4, 3}, Stride: []int{1, -1, 2}}
		return one(n.op(op, n.input(1, 4, 6)))
	}, 33, 60},
	{"PAD", func(n *net) []graph.TensorID {
		return one(n.op(graph.Pad{Before: []int{0, 1, 2}, After: []int{0, 0, 1}}, n.input(1, 4, 6)))
	}, 33, 60},
	{"PADV2", func(n *net) []graph.TensorID {
		return one(n.op(graph.Pad{Before: []int{0, 1, 2}, After: []int{0, 0, 1}, Value: -6}, n.input(1, 4, 6)))
	}, 33, 60},
	{"MIRROR_PAD", func(n *net) []graph.TensorID {
		return one(n.op(graph.Pad{Before: []int{0, 1, 2}, After: []int{0, 0, 1}, Mode: graph.PadReflect}, n.input(1, 4, 6)))
	}, 33, 60},
	{"RESIZE_NEAREST_NEIGHBOR", func(n *net) []graph.TensorID {
		return one(n.op(graph.Resize{H: 8, W: 7}, n.input(1, 4, 5, 3)))
	}, 33, 60},
	{"RESIZE_BILINEAR", func(n *net) []graph.TensorID {
		return one(n.op(graph.Resize{H: 8, W: 7, Bilinear: true, HalfPixelCenters: true}, n.input(1, 4, 5, 3)))
	}, 30, 0},
}

func one(id graph.TensorID) []graph.TensorID { return []graph.TensorID{id} }

func binary2(kind graph.Arithmetic) func(n *net) []graph.TensorID {
	return func(n *net) []graph.TensorID {
		x, y := n.input(1, 4, 5), n.input(1, 1, 5)
		return one(n.op(graph.Binary{Kind: kind}, x, y))
	}
}

func constant2(kind graph.Arithmetic) func(n *net) []graph.TensorID {
	return func(n *net) []graph.TensorID {
		x := n.input(1, 4, 5)
		return one(n.op(graph.Binary{Kind: kind}, x, n.random(1, 5)))
	}
}

func unary(kind graph.Function) func(n *net) []graph.TensorID {
	return func(n *net) []graph.TensorID { return one(n.op(graph.Unary{Kind: kind}, n.input(1, 4, 5))) }
}

// positive applies a function to values from 0.5 on.
func positive(kind graph.Function) func(n *net) []graph.TensorID {
	return func(n *net) []graph.TensorID {
		x := n.op(graph.Unary{Kind: graph.FuncAbs}, n.input(1, 4, 5))
		return one(n.op(graph.Unary{Kind: kind}, n.op(graph.Binary{Kind: graph.Add}, x, n.values([]float32{0.5}, 1))))
	}
}

func reduce(kind graph.Reduction) func(n *net) []graph.TensorID {
	return func(n *net) []graph.TensorID {
		return one(n.op(graph.Reduce{Kind: kind, Axes: []int{1, 2}, KeepDims: true}, n.input(1, 6, 6, 4)))
	}
}

// TestOperators quantizes every operator, writes the file, runs it on the
// runtime and holds its answers against the float ones.
func TestOperators(t *testing.T) {
	for _, c := range operators {
		for _, kind := range []tensor.Type{tensor.Int8, tensor.Int16} {
			bound := c.int8
			if kind == tensor.Int16 {
				bound = c.int16
			}
			t.Run(c.name+"/"+kind.String(), func(t *testing.T) {
				n := newNet(t, 1)
				ids := c.build(n)
				g := n.outputs(ids...)
				m := quantize(t, g, samples(g, 40, 2), ptq.Options{Activations: kind})
				for i, db := range m.sqnr {
					if !(db >= max(bound, 25)) {
						t.Errorf("output %d: got %.1f dB, want at least %v", i, db, max(bound, 25))
					}
				}
				last := m.q.Nodes[m.q.Producers()[g.Outputs[0]]]
				if last.Op.Name() != c.name {
					t.Fatalf("the output comes from %s, want %s", last.Op.Name(), c.name)
				}
				want := kind
				if bound == 0 {
					want = tensor.Float32
				}
				if got := m.q.Tensor(g.Outputs[0]).Type; got != want {
					t.Errorf("computed in %v, want %v", got, want)
				}
			})
		}
	}
}
