package main

import (
	"bytes"
	"encoding/binary"
	"math"
	mrand "math/rand/v2"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"google.golang.org/protobuf/encoding/protowire"

	"kedge/quant/data"
	"kedge/quant/emit"
	"kedge/quant/eval"
	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// writeModels is the script command "models", which writes what the workbench
// works on: an image classifier as float.tflite and, channels first, as conv.onnx,
// an autoencoder auto.tflite, broken models, and samples for them.
func writeModels(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: models")
	}
	rng := mrand.New(mrand.NewPCG(7, 8))
	w := newWeights(rng)
	float, err := emit.Model(w.graph())
	ts.Check(err)
	auto, err := emit.Model(autoencoder(rng))
	ts.Check(err)
	for name, content := range map[string][]byte{
		"float.tflite": float, "auto.tflite": auto, "conv.onnx": w.onnx("Relu"),
		"nan.tflite":  bytes.Replace(float, bits(w.filter[5]), bits(float32(math.NaN())), 1),
		"alien.onnx":  w.onnx("Warp"),
		"half.tflite": float[:len(float)/2],
		"half.onnx":   w.onnx("Relu")[:200],
	} {
		ts.Check(os.WriteFile(ts.MkAbs(name), content, 0o600))
	}
	writeSamples(ts, w, rng)
	writeSources(ts, w)
}

// writeSamples labels samples as the float model answers.
func writeSamples(ts *testscript.TestScript, w *weights, rng *mrand.Rand) {
	const n = 64
	last := normal(rng, n*6*6*3)
	m, err := eval.Float(w.graph())
	ts.Check(err)
	c, err := eval.NewClassifier(m)
	ts.Check(err)
	y := make([]int, n)
	for i := range y {
		a, err := c.Classify(last[i*108 : i*108+108])
		ts.Check(err)
		y[i] = a.Class
	}
	y[n-1] = 1 - y[n-1] // one that is wrong
	labels, err := data.FromInts(y)
	ts.Check(err)
	x := data.FromFloat32s(last, n, 6, 6, 3)
	bad, err := data.FromInts(append([]int{2}, y[1:]...))
	ts.Check(err)
	nan := append([]float32{}, last...)
	nan[108*3+4] = float32(math.NaN())
	quiet := make([]float32, len(last))
	for i, v := range last {
		quiet[i] = v / 1000
	}
	slow := normal(rng, 40*8*2)
	signs := make([]int, 40)
	for i := range signs {
		if signs[i] = i % 2; i%2 == 1 { // anomalies are off the plane that the autoencoder knows
			for k := 16 * i; k < 16*i+16; k += 2 {
				slow[k] += 3
			}
		}
	}
	anomalies, err := data.FromInts(signs)
	ts.Check(err)
	for name, arrays := range map[string][]data.Named{
		"calib.npz":   {{Name: "x", Array: x}},
		"test.npz":    {{Name: "x", Array: x}, {Name: "y", Array: labels}},
		"planar.npz":  {{Name: "x", Array: data.FromFloat32s(planar(last), n, 3, 6, 6)}, {Name: "y", Array: labels}},
		"empty.npz":   {{Name: "x", Array: data.FromFloat32s(nil, 0, 6, 6, 3)}},
		"nan.npz":     {{Name: "x", Array: data.FromFloat32s(nan, n, 6, 6, 3)}},
		"shape.npz":   {{Name: "x", Array: data.FromFloat32s(last, n, 9, 4, 3)}},
		"named.npz":   {{Name: "images", Array: x}, {Name: "labels", Array: labels}},
		"range.npz":   {{Name: "x", Array: x}, {Name: "y", Array: bad}},
		"few.npz":     {{Name: "x", Array: data.FromFloat32s(last[:108*3], 3, 6, 6, 3)}, {Name: "y", Array: labels}},
		"quiet.npz":   {{Name: "x", Array: data.FromFloat32s(quiet, n, 6, 6, 3)}},
		"windows.npz": {{Name: "x", Array: data.FromFloat32s(slow, 40, 8, 2)}, {Name: "y", Array: anomalies}},
	} {
		var b bytes.Buffer
		ts.Check(data.WriteNPZ(&b, arrays...))
		ts.Check(os.WriteFile(ts.MkAbs(name), b.Bytes(), 0o600))
	}
}

// weights are those of a classifier of images of 6×6 elements of 3 channels: 4
// filters of 3×3, ReLU, dense to 2 classes.
type weights struct {
	filter []float32 // (out, kh, kw, in)
	dense  []float32 // (classes, h, w, c)
}

func newWeights(rng *mrand.Rand) *weights { return &weights{normal(rng, 4*9*3), normal(rng, 2*64)} }

func (w *weights) graph() *graph.Graph {
	g := &graph.Graph{Name: "main"}
	x := g.AddTensor(graph.Tensor{Name: "image", Shape: tensor.Shape{1, 6, 6, 3}})
	f := g.AddTensor(graph.Tensor{Name: "filter", Shape: tensor.Shape{4, 3, 3, 3}, Float: w.filter})
	c := g.AddTensor(graph.Tensor{Name: "conv"})
	flat := g.AddTensor(graph.Tensor{Name: "flat"})
	d := g.AddTensor(graph.Tensor{Name: "dense", Shape: tensor.Shape{2, 64}, Float: w.dense})
	b := g.AddTensor(graph.Tensor{Name: "bias", Shape: tensor.Shape{2}, Float: []float32{0.5, -0.5}})
	z := g.AddTensor(graph.Tensor{Name: "logits"})
	p := g.AddTensor(graph.Tensor{Name: "probabilities"})
	g.AddNode(graph.Conv2D{Window: graph.Dense(), Activation: graph.ReLU}, []graph.TensorID{x, f, graph.None}, []graph.TensorID{c})
	g.AddNode(graph.Reshape{Shape: tensor.Shape{1, 64}}, []graph.TensorID{c}, []graph.TensorID{flat})
	g.AddNode(graph.FullyConnected{}, []graph.TensorID{flat, d, b}, []graph.TensorID{z})
	g.AddNode(graph.Softmax{Beta: 1}, []graph.TensorID{z}, []graph.TensorID{p})
	g.Inputs, g.Outputs = []graph.TensorID{x}, []graph.TensorID{p}
	if err := g.Infer(); err != nil {
		panic("BUG: " + err.Error())
	}
	return g
}

// autoencoder keeps the second of every two values.
func autoencoder(rng *mrand.Rand) *graph.Graph {
	g := &graph.Graph{Name: "main"}
	x := g.AddTensor(graph.Tensor{Name: "frames", Shape: tensor.Shape{1, 8}})
	m := make([]float32, 64)
	for i := range 8 {
		for k := range 8 {
			m[8*i+k] = 0.01 * float32(rng.NormFloat64())
		}
		if i%2 == 1 {
			m[9*i] = 1
		}
	}
	w := g.AddTensor(graph.Tensor{Name: "w", Shape: tensor.Shape{8, 8}, Float: m})
	y := g.AddTensor(graph.Tensor{Name: "rebuilt"})
	g.AddNode(graph.FullyConnected{}, []graph.TensorID{x, w, graph.None}, []graph.TensorID{y})
	g.Inputs, g.Outputs = []graph.TensorID{x}, []graph.TensorID{y}
	if err := g.Infer(); err != nil {
		panic("BUG: " + err.Error())
	}
	return g
}

// onnx writes the same network for channels first, as PyTorch exports it, with
// the given operator between the layers. Numbers are the fields of onnx.proto.
func (w *weights) onnx(between string) []byte {
	var g []byte
	g = field(g, 1, node("Conv", []string{"image", "filter"}, "conv"))
	g = field(g, 1, node(between, []string{"conv"}, "relu"))
	g = field(g, 1, node("Flatten", []string{"relu"}, "flat"))
	g = field(g, 1, node("MatMul", []string{"flat", "dense"}, "product"))
	g = field(g, 1, node("Add", []string{"product", "bias"}, "logits"))
	g = field(g, 1, node("Softmax", []string{"logits"}, "probabilities"))
	g = field(g, 2, []byte("main"))
	g = field(g, 5, initializer("filter", reorder(w.filter, 4, 9, 3), 4, 3, 3, 3))
	// The rows of dense are (class, y·x, channel); here they are (channel, y·x, class).
	rows := reorder(w.dense, 2, 16, 4)
	columns := make([]float32, len(rows))
	for i, v := range rows {
		columns[i%64*2+i/64] = v
	}
	g = field(g, 5, initializer("dense", columns, 64, 2))
	g = field(g, 5, initializer("bias", []float32{0.5, -0.5}, 2))
	g = field(g, 11, valueInfo("image", 1, 3, 6, 6))
	g = field(g, 12, valueInfo("probabilities", 1, 2))
	opset := protowire.AppendVarint(protowire.AppendTag(nil, 2, protowire.VarintType), 13)
	m := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 8)
	m = field(m, 7, g)
	return field(m, 8, opset)
}

func field(to []byte, number protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(to, number, protowire.BytesType), content)
}

func node(op string, inputs []string, output string) []byte {
	var b []byte
	for _, in := range inputs {
		b = field(b, 1, []byte(in))
	}
	b = field(b, 2, []byte(output))
	b = field(b, 3, []byte(strings.ToLower(op)+"_1"))
	return field(b, 4, []byte(op))
}

func initializer(name string, values []float32, dims ...uint64) []byte {
	var b []byte
	for _, d := range dims {
		b = protowire.AppendVarint(protowire.AppendTag(b, 1, protowire.VarintType), d)
	}
	b = protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), 1) // FLOAT
	b = field(b, 8, []byte(name))
	return field(b, 9, data.FromFloat32s(values, len(values)).Data)
}

func valueInfo(name string, dims ...uint64) []byte {
	var shape []byte
	for _, d := range dims {
		shape = field(shape, 1, protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), d))
	}
	t := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 1)
	t = field(t, 2, shape)
	return field(field(nil, 1, []byte(name)), 2, field(nil, 1, t))
}

// reorder turns (n, places, channels) into (n, channels, places).
func reorder(x []float32, n, places, channels int) []float32 {
	out := make([]float32, len(x))
	for i := range n {
		for p := range places {
			for c := range channels {
				out[(i*channels+c)*places+p] = x[(i*places+p)*channels+c]
			}
		}
	}
	return out
}

func planar(x []float32) []float32 { return reorder(x, len(x)/108, 36, 3) }

func normal(rng *mrand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	return v
}

func bits(v float32) []byte { return binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)) }
