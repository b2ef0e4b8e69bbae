package emit

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// written is a node and what the file is to say of it. Operands are shapes: of
// activations, then of constants. Versions are for float32, int8 and int16, 0
// where the writer has to refuse. Fields are those constants that only the file
// has, in the order of its operands.
type written struct {
	op          graph.Op
	activations []tensor.Shape
	constants   []tensor.Shape
	outputs     int
	versions    [3]int
	fields      [][]int32
	options     func(tflite.Table) any
	want        any
}

func window(stride, dilation int) graph.Window {
	return graph.Window{StrideH: stride, StrideW: stride + 1, DilationH: dilation, DilationW: dilation}
}

// bytesOf reads some fields of an options table.
func bytesOf(ids ...int) func(tflite.Table) any {
	return func(t tflite.Table) any {
		var out []byte
		for _, id := range ids {
			out = append(out, t.Byte(id, 255))
		}
		return out
	}
}

func int32sOf(ids ...int) func(tflite.Table) any {
	return func(t tflite.Table) any {
		var out []int32
		for _, id := range ids {
			out = append(out, t.Int32(id, -99))
		}
		return out
	}
}

func float0(t tflite.Table) any { return t.Float32(0, -99) }

func shapes(s ...tensor.Shape) []tensor.Shape { return s }

var (
	image = shapes(tensor.Shape{1, 8, 8, 4})
	vec   = shapes(tensor.Shape{1, 12})
	cube  = shapes(tensor.Shape{1, 4, 6})
	deep5 = shapes(tensor.Shape{1, 2, 3, 4, 5})
)

// broadcast5 are operands of five dimensions that broadcast.
var broadcast5 = shapes(tensor.Shape{1, 2, 3, 4, 5}, tensor.Shape{1, 2, 1, 4, 5})

func arithmetic(k graph.Arithmetic, versions ...int) written {
	return written{op: graph.Binary{Kind: k}, activations: shapes(tensor.Shape{1, 4}, tensor.Shape{3, 4}), versions: [3]int(versions)}
}

func unary(k graph.Function, versions ...int) written {
	return written{op: graph.Unary{Kind: k}, activations: vec, versions: [3]int(versions)}
}

func reduce(k graph.Reduction, versions ...int) written {
	return written{
		op: graph.Reduce{Kind: k, Axes: []int{1, 2}, KeepDims: true}, activations: image, versions: [3]int(versions),
		fields: [][]int32{{1, 2}}, options: bytesOf(0), want: []byte{1},
	}
}

var nodes = []written{
	{op: graph.Conv2D{Window: window(2, 1), Activation: graph.ReLU6}, activations: image, constants: shapes(tensor.Shape{5, 3, 3, 4}, tensor.Shape{5}),
		versions: [3]int{1, 3, 4}, options: int32sOf(1, 2, 4, 5), want: []int32{3, 2, 1, 1}},
	{op: graph.Conv2D{Window: window(1, 2).Same(8, 8, 3, 3), Activation: graph.ReLU6}, activations: image, constants: shapes(tensor.Shape{5, 3, 3, 4}),
		versions: [3]int{1, 3, 4}, options: bytesOf(0, 3, 4, 5), want: []byte{0, 3, 2, 2}},
	{op: graph.DepthwiseConv2D{Window: window(2, 1), Multiplier: 2, Activation: graph.ReLU}, activations: image, constants: shapes(tensor.Shape{1, 3, 3, 8}, tensor.Shape{8}),
		versions: [3]int{1, 3, 5}, options: int32sOf(1, 2, 3, 5, 6), want: []int32{3, 2, 2, 1, 1}},
	{op: graph.DepthwiseConv2D{Window: window(1, 2), Multiplier: 1, Activation: graph.ReLU}, activations: image, constants: shapes(tensor.Shape{1, 3, 3, 4}, tensor.Shape{4}),
		versions: [3]int{2, 3, 5}, options: bytesOf(0, 4, 5, 6), want: []byte{1, 1, 2, 2}},
	{op: graph.TransposeConv{StrideH: 2, StrideW: 2, OutputH: 17, OutputW: 17}, activations: image, constants: shapes(tensor.Shape{5, 3, 3, 4}),
		versions: [3]int{1, 2, 3}, fields: [][]int32{{1, 17, 17, 5}}, options: bytesOf(0, 1, 2, 3), want: []byte{1, 2, 2, 0}},
	{op: graph.TransposeConv{StrideH: 2, StrideW: 2, PadTop: 1, PadLeft: 1, OutputH: 16, OutputW: 16}, activations: image, constants: shapes(tensor.Shape{5, 4, 4, 4}, tensor.Shape{5}),
		versions: [3]int{3, 3, 3}, fields: [][]int32{{1, 16, 16, 5}}, options: bytesOf(0), want: []byte{0}},
	{op: graph.TransposeConv{StrideH: 1, StrideW: 1, OutputH: 10, OutputW: 10, Activation: graph.ReLU}, activations: image, constants: shapes(tensor.Shape{5, 3, 3, 4}),
		versions: [3]int{4, 4, 4}, fields: [][]int32{{1, 10, 10, 5}}, options: bytesOf(3), want: []byte{1}},
	{op: graph.AveragePool2D{Window: window(2, 1), FilterH: 4, FilterW: 3, Activation: graph.ReLU}, activations: image,
		versions: [3]int{1, 2, 3}, options: int32sOf(1, 2, 3, 4), want: []int32{3, 2, 3, 4}},
	{op: graph.MaxPool2D{Window: window(2, 1).Same(8, 8, 4, 3), FilterH: 4, FilterW: 3, Activation: graph.ReLU}, activations: image,
		versions: [3]int{1, 2, 3}, options: bytesOf(0, 5), want: []byte{0, 1}},

	{op: graph.FullyConnected{Activation: graph.ReLU}, activations: vec, constants: shapes(tensor.Shape{3, 12}, tensor.Shape{3}),
		versions: [3]int{1, 4, 7}, options: bytesOf(0, 2), want: []byte{1, 0}},
	{op: graph.FullyConnected{}, activations: vec, constants: shapes(tensor.Shape{3, 12}), versions: [3]int{6, 6, 7}},
	{op: graph.FullyConnected{KeepDims: true}, activations: cube, constants: shapes(tensor.Shape{3, 6}, tensor.Shape{3}),
		versions: [3]int{5, 5, 7}, options: bytesOf(2), want: []byte{1}},
	{op: graph.BatchMatMul{AdjY: true}, activations: shapes(tensor.Shape{2, 3, 4}, tensor.Shape{2, 5, 4}),
		versions: [3]int{1, 2, 3}, options: bytesOf(0, 1), want: []byte{0, 1}},

	arithmetic(graph.Add, 1, 2, 3), arithmetic(graph.Sub, 1, 2, 5), arithmetic(graph.Mul, 1, 2, 4), arithmetic(graph.Div, 1, 1, 0),
	arithmetic(graph.Maximum, 1, 2, 4), arithmetic(graph.Minimum, 1, 2, 4), arithmetic(graph.SquaredDifference, 1, 2, 0),
	{op: graph.Binary{Kind: graph.Sub, Activation: graph.ReLU}, activations: broadcast5, versions: [3]int{3, 3, 5}, options: bytesOf(0), want: []byte{1}},
	{op: graph.Binary{Kind: graph.Div}, activations: broadcast5, versions: [3]int{2, 2, 0}},
	{op: graph.Binary{Kind: graph.Maximum}, activations: broadcast5, versions: [3]int{3, 3, 4}},

	unary(graph.FuncReLU, 1, 2, 3), unary(graph.FuncReLU6, 1, 2, 3), unary(graph.FuncReLUN1To1, 1, 1, 0), unary(graph.FuncReLU0To1, 1, 1, 0),
	unary(graph.FuncHardSwish, 1, 1, 0), unary(graph.FuncLogistic, 1, 2, 3), unary(graph.FuncTanh, 1, 2, 3), unary(graph.FuncELU, 1, 1, 0),
	unary(graph.FuncGELU, 1, 2, 0), unary(graph.FuncAbs, 1, 2, 3), unary(graph.FuncNeg, 1, 1, 1), unary(graph.FuncExp, 1, 2, 2),
	unary(graph.FuncLog, 1, 2, 2), unary(graph.FuncSqrt, 1, 2, 2), unary(graph.FuncRsqrt, 1, 2, 3), unary(graph.FuncSquare, 1, 0, 0),
	unary(graph.FuncSin, 1, 0, 0), unary(graph.FuncCos, 1, 0, 0), unary(graph.FuncFloor, 1, 0, 0), unary(graph.FuncCeil, 1, 0, 0), unary(graph.FuncRound, 1, 0, 0),
	{op: graph.LeakyReLU{Alpha: 0.25}, activations: vec, versions: [3]int{1, 1, 2}, options: float0, want: float32(0.25)},
	{op: graph.PReLU{}, activations: image, constants: shapes(tensor.Shape{4}), versions: [3]int{1, 1, 1}},

	{op: graph.Softmax{Beta: 0.5}, activations: vec, versions: [3]int{1, 2, 3}, options: float0, want: float32(0.5)},
	{op: graph.LogSoftmax{}, activations: vec, versions: [3]int{1, 2, 0}},
	{op: graph.L2Normalization{}, activations: vec, versions: [3]int{1, 2, 0}},
	reduce(graph.ReduceMean, 1, 2, 3), reduce(graph.ReduceSum, 1, 2, 2), reduce(graph.ReduceMax, 1, 2, 3), reduce(graph.ReduceMin, 1, 2, 3),

	{op: graph.Reshape{Shape: tensor.Shape{4, 3}}, activations: vec, versions: [3]int{1, 1, 1}, fields: [][]int32{{4, 3}}},
	{op: graph.Transpose{Perm: []int{0, 2, 1}}, activations: cube, versions: [3]int{1, 2, 5}, fields: [][]int32{{0, 2, 1}}},
	{op: graph.Transpose{Perm: []int{0, 2, 1, 4, 3}}, activations: deep5, versions: [3]int{4, 4, 5}, fields: [][]int32{{0, 2, 1, 4, 3}}},
	{op: graph.Concatenation{Axis: 1}, activations: shapes(tensor.Shape{2, 3}, tensor.Shape{2, 4}), versions: [3]int{1, 2, 3}, options: int32sOf(0), want: []int32{1}},
	{op: graph.Split{Axis: 2, Sizes: []int{3, 3}}, activations: cube, outputs: 2, versions: [3]int{1, 2, 4}, fields: [][]int32{{2}}, options: int32sOf(0), want: []int32{2}},
	{op: graph.Split{Axis: 1, Sizes: []int{1, 2, 1}}, activations: cube, outputs: 3, versions: [3]int{1, 2, 2}, fields: [][]int32{{1, 2, 1}, {1}}, options: int32sOf(0), want: []int32{3}},
	{op: graph.StridedSlice{Begin: []int{0, 1, 2}, Count: []int{1, 2, 3}, Stride: []int{1, 1, 1}}, activations: cube,
		versions: [3]int{1, 2, 4}, fields: [][]int32{{0, 1, 2}, {1, 2, 3}}},
	{op: graph.StridedSlice{Begin: []int{0, 3, 5}, Count: []int{1, 2, 3}, Stride: []int{1, -1, -2}}, activations: cube,
		versions: [3]int{1, 2, 4}, fields: [][]int32{{0, 3, 5}, {1, 1, 0}, {1, -1, -2}}, options: int32sOf(0, 1), want: []int32{0, 0}},
	{op: graph.StridedSlice{Begin: []int{0, 3, 4}, Count: []int{1, 4, 3}, Stride: []int{1, -1, -2}}, activations: cube,
		versions: [3]int{1, 2, 4}, fields: [][]int32{{0, 3, 4}, {1, 0, 0}, {1, -1, -2}}, options: int32sOf(0, 1), want: []int32{0, 6}},
	{op: graph.Pad{Before: []int{0, 1, 2}, After: []int{0, 3, 0}}, activations: cube, versions: [3]int{1, 2, 3}, fields: [][]int32{{0, 0, 1, 3, 2, 0}}},
	{op: graph.Pad{Before: []int{0, 1, 2, 0, 0}, After: []int{0, 3, 0, 0, 0}}, activations: deep5, versions: [3]int{4, 4, 4}, fields: [][]int32{{0, 0, 1, 3, 2, 0, 0, 0, 0, 0}}},
	{op: graph.Pad{Before: []int{0, 1, 2}, After: []int{0, 3, 0}, Value: -1}, activations: cube, versions: [3]int{1, 2, 3}, fields: [][]int32{{0, 0, 1, 3, 2, 0}, nil}},
	{op: graph.Pad{Before: []int{0, 1, 2}, After: []int{0, 3, 0}, Mode: graph.PadSymmetric}, activations: cube, versions: [3]int{1, 2, 3},
		fields: [][]int32{{0, 0, 1, 3, 2, 0}}, options: bytesOf(0), want: []byte{1}},
	{op: graph.Resize{H: 16, W: 12, AlignCorners: true}, activations: image, versions: [3]int{3, 3, 4}, fields: [][]int32{{16, 12}}, options: bytesOf(0, 1), want: []byte{1, 0}},
	{op: graph.Resize{H: 16, W: 12}, activations: image, versions: [3]int{1, 2, 4}, fields: [][]int32{{16, 12}}},
	{op: graph.Resize{H: 16, W: 12, Bilinear: true, AlignCorners: true}, activations: image, versions: [3]int{1, 2, 4}, fields: [][]int32{{16, 12}}, options: bytesOf(2, 3), want: []byte{1, 0}},
	{op: graph.Resize{H: 16, W: 12, Bilinear: true, HalfPixelCenters: true}, activations: image, versions: [3]int{3, 3, 4}, fields: [][]int32{{16, 12}}, options: bytesOf(2, 3), want: []byte{0, 1}},
}

// build makes the node a float graph of its own.
func (c written) build(t testing.TB) *graph.Graph {
	t.Helper()
	g := &graph.Graph{Name: "main"}
	var inputs, outputs []graph.TensorID
	for i, s := range c.activations {
		inputs = append(inputs, g.AddTensor(graph.Tensor{Name: fmt.Sprint("x", i), Shape: s}))
	}
	g.Inputs = slices.Clone(inputs)
	for k, s := range c.constants {
		n, _ := s.Elements()
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(i%7) - 3
		}
		inputs = append(inputs, g.AddTensor(graph.Tensor{Name: fmt.Sprint("c", k), Shape: s, Float: v}))
	}
	for i := range max(c.outputs, 1) {
		outputs = append(outputs, g.AddTensor(graph.Tensor{Name: fmt.Sprint("y", i)}))
	}
	g.AddNode(c.op, inputs, outputs)
	g.Outputs = outputs
	if err := g.Infer(); err != nil {
		t.Fatalf("%s: %v", c.op.Name(), err)
	}
	return g
}

// retype gives activations and constants the type, bias the one of the
// accumulator.
func retype(g *graph.Graph, to tensor.Type) *graph.Graph {
	g = g.Clone()
	for i := range g.Tensors {
		t := &g.Tensors[i]
		kind := to
		if to == tensor.Int16 && isWeighted(&g.Nodes[0]) && t.IsConstant() {
			kind = tensor.Int8
		}
		t.Type, t.Quant = kind, tensor.Quant{Scales: []float32{0.125}, ZeroPoints: []int32{0}}
		for _, v := range t.Float {
			if kind == tensor.Int8 {
				t.Int8 = append(t.Int8, int8(v))
			} else {
				t.Int16 = append(t.Int16, int16(v))
			}
		}
		t.Float = nil
	}
	if in := g.Nodes[0].Inputs; isWeighted(&g.Nodes[0]) && len(in) > 2 {
		b := g.Tensor(in[2])
		for _, v := range b.Int8 {
			if to == tensor.Int16 {
				b.Type, b.Int64 = tensor.Int64, append(b.Int64, int64(v))
			} else {
				b.Type, b.Int32 = tensor.Int32, append(b.Int32, int32(v))
			}
		}
		b.Int8 = nil
	}
	return g
}

func littleEndian(p []byte) []int32 {
	out := make([]int32, len(p)/4)
	for i := range out {
		out[i] = int32(binary.LittleEndian.Uint32(p[4*i:]))
	}
	return out
}

func decode(t testing.TB, file []byte) *tflite.Subgraph {
	t.Helper()
	m, err := tflite.Decode(file, tflite.NewBudget(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	return &m.Subgraphs[0]
}

// TestForms holds the record of every operator against what the file is to say.
func TestForms(t *testing.T) {
	seen := map[string]bool{densifyName: true, "QUANTIZE": true, "DEQUANTIZE": true}
	for _, c := range nodes {
		seen[c.op.Name()] = true
		float := c.build(t)
		for i, kind := range []tensor.Type{tensor.Float32, tensor.Int8, tensor.Int16} {
			g := float
			if kind != tensor.Float32 {
				g = retype(float, kind)
			}
			file, err := Model(g)
			if c.versions[i] == 0 {
				if err == nil {
					t.Errorf("%s %v: written, want an error", c.op.Name(), kind)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s %v: %v", c.op.Name(), kind, err)
				continue
			}
			c.check(t, decode(t, file), kind, c.versions[i])
		}
	}
	for i := range forms {
		if name := forms[i].code.String(); !seen[name] {
			t.Errorf("%s is not tested", name)
		}
	}
}

func (c written) check(t *testing.T, s *tflite.Subgraph, kind tensor.Type, version int) {
	name, o := c.op.Name(), &s.Operators[0]
	if o.Name() != name || o.Version != version {
		t.Errorf("%s %v: got %s version %d, want version %d", name, kind, o.Name(), o.Version, version)
	}
	mine := len(c.activations) + len(c.constants) + max(c.outputs, 1)
	var fields [][]int32
	for _, id := range o.Inputs {
		if id < mine {
			continue
		}
		x := &s.Tensors[id]
		if x.Type != tensor.Int32 {
			fields = append(fields, nil)
			if x.Type != kind || !reflect.DeepEqual(x.Quant, s.Tensors[0].Quant) {
				t.Errorf("%s %v: a constant is %v %v, want the input's %v", name, kind, x.Type, x.Quant, s.Tensors[0].Quant)
			}
			continue
		}
		fields = append(fields, littleEndian(x.Data))
	}
	if len(fields) != len(c.fields) || len(fields) > 0 && !reflect.DeepEqual(fields, c.fields) {
		t.Errorf("%s %v: fields got %v, want %v", name, kind, fields, c.fields)
	}
	if c.options != nil {
		if got := c.options(o.Options); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s %v: options got %v, want %v", name, kind, got, c.want)
		}
	}
}
