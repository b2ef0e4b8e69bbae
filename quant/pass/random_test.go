package pass

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// generator makes random networks: mostly images in NHWC, parts of them in
// NCHW as an importer would write them, with batch normalization, dead
// channels, residual sums, branches and operators that do nothing.
type generator struct {
	*rand.Rand
	g    *graph.Graph
	live []graph.TensorID
}

// randomGraph gives a graph that passed Infer, the same for the same seed.
func randomGraph(seed uint64) *graph.Graph {
	r := &generator{Rand: rand.New(rand.NewPCG(seed, 7)), g: &graph.Graph{Name: "random"}}
	shape := tensor.Shape{1, 2 + r.IntN(6), 2 + r.IntN(6), 1 + r.IntN(6)}
	x := r.g.AddTensor(graph.Tensor{Name: "input", Shape: shape})
	r.g.Inputs, r.live = []graph.TensorID{x}, []graph.TensorID{x}
	for range 4 + r.IntN(16) {
		r.step()
	}
	if r.Float64() < 0.7 {
		r.head()
	}
	r.g.Outputs = []graph.TensorID{r.live[len(r.live)-1]}
	for r.Float64() < 0.3 {
		if id := r.pick(); id != x && !slices.Contains(r.g.Outputs, id) {
			r.g.Outputs = append(r.g.Outputs, id)
		}
	}
	r.g.Compact()
	if err := r.g.Infer(); err != nil {
		panic(fmt.Sprintf("BUG: seed %d: %v", seed, err))
	}
	return r.g
}

// pick returns an activation, mostly the last one.
func (r *generator) pick() graph.TensorID {
	if r.Float64() < 0.75 {
		return r.live[len(r.live)-1]
	}
	return r.live[r.IntN(len(r.live))]
}

// add appends a node if its operands fit, and returns its first result.
func (r *generator) add(op graph.Op, results int, inputs ...graph.TensorID) (graph.TensorID, bool) {
	tensors, nodes := len(r.g.Tensors), len(r.g.Nodes)
	var outputs []graph.TensorID
	for k := range results {
		outputs = append(outputs, r.g.AddTensor(graph.Tensor{Name: fmt.Sprintf("t%d.%d", nodes, k)}))
	}
	r.g.AddNode(op, inputs, outputs)
	r.g.Outputs = outputs
	if err := r.g.Infer(); err != nil {
		r.g.Tensors, r.g.Nodes = r.g.Tensors[:tensors], r.g.Nodes[:nodes]
		return inputs[0], false
	}
	r.live = append(r.live, outputs...)
	return outputs[0], true
}

func (r *generator) constant(scale, offset float64, shape ...int) graph.TensorID {
	n, _ := tensor.Shape(shape).Elements()
	data := make([]float32, n)
	for i := range data {
		data[i] = float32(offset + scale*r.NormFloat64())
	}
	return r.g.AddTensor(graph.Tensor{Name: fmt.Sprintf("c%d", len(r.g.Tensors)), Shape: shape, Float: data})
}

// channelsDie clears some output channels of weights, exactly or nearly.
func (r *generator) channelsDie(w graph.TensorID, channels int, of func(j int) int) {
	if r.Float64() < 0.5 {
		return
	}
	factor := float32(r.IntN(2)) * 1e-12
	dead := make([]bool, channels)
	for c := range dead {
		dead[c] = r.Float64() < 0.4
	}
	for j := range r.g.Tensor(w).Float {
		if dead[of(j)] {
			r.g.Tensor(w).Float[j] *= factor
		}
	}
}

func (r *generator) window() graph.Window {
	w := graph.Window{StrideH: 1 + r.IntN(2), StrideW: 1 + r.IntN(2), DilationH: 1, DilationW: 1}
	if r.Float64() < 0.5 {
		w.Pad = graph.Padding{Top: r.IntN(2), Left: r.IntN(2), Bottom: r.IntN(2), Right: r.IntN(2)}
	}
	return w
}

func (r *generator) activation() graph.Activation {
	if r.Float64() < 0.5 {
		return graph.Linear
	}
	return graph.Activation(r.IntN(4))
}

func (r *generator) operands(x, w graph.TensorID, out int) []graph.TensorID {
	if r.Float64() < 0.3 {
		return []graph.TensorID{x, w}
	}
	return []graph.TensorID{x, w, r.constant(0.5, 0, out)}
}

func (r *generator) conv(x graph.TensorID) graph.TensorID {
	in := lastDim(r.g.Tensor(x))
	kh, kw, out := 1+r.IntN(3), 1+r.IntN(3), 1+r.IntN(6)
	scale := 1 / math.Sqrt(float64(kh*kw*in))
	switch r.IntN(5) {
	case 0:
		m := 1 + r.IntN(2)
		w := r.constant(scale, 0, 1, kh, kw, in*m)
		r.channelsDie(w, in*m, func(j int) int { return j % (in * m) })
		x, _ = r.add(graph.DepthwiseConv2D{Window: r.window(), Multiplier: m, Activation: r.activation()}, 1, r.operands(x, w, in*m)...)
	case 1:
		w := r.constant(scale, 0, out, kh, kw, in)
		r.channelsDie(w, out, func(j int) int { return j / (kh * kw * in) })
		s := r.g.Tensor(x).Shape
		x, _ = r.add(graph.TransposeConv{StrideH: 1, StrideW: 1, OutputH: s[1] + kh - 1, OutputW: s[2] + kw - 1, Activation: r.activation()}, 1, r.operands(x, w, out)...)
	default:
		w := r.constant(scale, 0, out, kh, kw, in)
		r.channelsDie(w, out, func(j int) int { return j / (kh * kw * in) })
		x, _ = r.add(graph.Conv2D{Window: r.window(), Activation: r.activation()}, 1, r.operands(x, w, out)...)
	}
	return x
}

// step adds an operator or a pattern of several.
func (r *generator) step() {
	x := r.pick()
	s := r.g.Tensor(x).Shape
	if len(s) != 4 {
		return
	}
	switch r.IntN(12) {
	case 0, 1, 2:
		x = r.conv(x)
		if r.Float64() < 0.4 {
			x = r.norm(x, lastDim(r.g.Tensor(x)))
		}
		r.elementwise(x)
	case 3, 4, 5, 6:
		r.channelsFirst(x)
	case 7:
		r.elementwise(x)
	case 8:
		r.residual(x)
	case 9:
		r.move(x, 3)
	case 10:
		r.add(graph.MaxPool2D{Window: r.window(), FilterH: 1 + r.IntN(2), FilterW: 1 + r.IntN(2), Activation: r.activation()}, 1, x)
	case 11:
		r.add(graph.AveragePool2D{Window: r.window(), FilterH: 1 + r.IntN(2), FilterW: 1 + r.IntN(2), Activation: r.activation()}, 1, x)
	}
}

// norm is a batch normalization over constants that broadcast as shape.
func (r *generator) norm(x graph.TensorID, shape ...int) graph.TensorID {
	kinds := []graph.Arithmetic{graph.Mul, graph.Add, graph.Sub}
	for range 1 + r.IntN(2) {
		c := r.constant(0.3, float64(r.IntN(2)), shape...)
		if r.Float64() < 0.2 {
			c = r.constant(0.3, 1, 1)
		}
		kind := kinds[r.IntN(3)]
		if kind == graph.Sub && r.IntN(2) == 0 {
			x, _ = r.add(graph.Binary{Kind: kind, Activation: r.activation()}, 1, c, x)
		} else {
			x, _ = r.add(graph.Binary{Kind: kind, Activation: r.activation()}, 1, x, c)
		}
	}
	return x
}

func (r *generator) elementwise(x graph.TensorID) graph.TensorID {
	functions := []graph.Function{graph.FuncReLU, graph.FuncReLU6, graph.FuncReLUN1To1, graph.FuncReLU0To1, graph.FuncHardSwish, graph.FuncLogistic, graph.FuncTanh, graph.FuncAbs}
	value := func(v float32) graph.TensorID {
		return r.g.AddTensor(graph.Tensor{Name: "limit", Shape: tensor.Shape{1}, Float: []float32{v}})
	}
	switch r.IntN(6) {
	case 0:
		x, _ = r.add(graph.Binary{Kind: graph.Maximum}, 1, x, value(float32(r.IntN(2)-1)))
		x, _ = r.add(graph.Binary{Kind: graph.Minimum}, 1, x, value([]float32{1, 6}[r.IntN(2)]))
	case 1:
		x, _ = r.add(graph.LeakyReLU{Alpha: 0.1}, 1, x)
	case 2:
		x, _ = r.add(graph.PReLU{}, 1, x, r.constant(0.3, 0, lastDim(r.g.Tensor(x))))
	case 3:
		x, _ = r.add(graph.Binary{Kind: graph.Add}, 1, x, value(0))
	default:
		x, _ = r.add(graph.Unary{Kind: functions[r.IntN(len(functions))]}, 1, x)
	}
	return x
}

// channelsFirst writes layers as ONNX has them: each between transposes, with
// other operators on NCHW.
func (r *generator) channelsFirst(x graph.TensorID) {
	x, _ = r.add(graph.Transpose{Perm: []int{0, 3, 1, 2}}, 1, x)
	for range 1 + r.IntN(4) {
		channels := r.g.Tensor(x).Shape[1]
		switch r.IntN(8) {
		case 0, 1, 2:
			y, _ := r.add(graph.Transpose{Perm: []int{0, 2, 3, 1}}, 1, x)
			x, _ = r.add(graph.Transpose{Perm: []int{0, 3, 1, 2}}, 1, r.conv(y))
		case 3:
			x = r.norm(x, channels, 1, 1)
		case 4:
			if other := r.pick(); r.Float64() < 0.5 {
				x, _ = r.add(graph.Binary{Kind: graph.Add}, 1, x, other)
			}
			x = r.elementwise(x)
		case 5:
			x = r.move(x, 1)
		case 6:
			x = r.excite(x)
		case 7:
			x = r.squeeze(x)
		}
		if len(r.g.Tensor(x).Shape) != 4 {
			return
		}
	}
	r.add(graph.Transpose{Perm: []int{0, 2, 3, 1}}, 1, x)
}

// excite is a squeeze-and-excitation block on NCHW.
func (r *generator) excite(x graph.TensorID) graph.TensorID {
	c := r.g.Tensor(x).Shape[1]
	m, _ := r.add(graph.Reduce{Kind: graph.ReduceMean, Axes: []int{2, 3}, KeepDims: r.IntN(2) == 0}, 1, x)
	m, _ = r.add(graph.Reshape{Shape: tensor.Shape{1, c}}, 1, m)
	m, _ = r.add(graph.FullyConnected{}, 1, m, r.constant(1, 0, c, c))
	m, _ = r.add(graph.Unary{Kind: graph.FuncLogistic}, 1, m)
	m, _ = r.add(graph.Reshape{Shape: tensor.Shape{1, c, 1, 1}}, 1, m)
	y, _ := r.add(graph.Binary{Kind: graph.Mul}, 1, x, m)
	return y
}

// squeeze joins the image's rows on NCHW and works on rank 3.
func (r *generator) squeeze(x graph.TensorID) graph.TensorID {
	s := slices.Clone(r.g.Tensor(x).Shape)
	y, _ := r.add(graph.Reshape{Shape: tensor.Shape{1, s[1], s[2] * s[3]}}, 1, x)
	y = r.norm(y, s[1], 1)
	y = r.elementwise(y)
	y, _ = r.add(graph.Reshape{Shape: s}, 1, y)
	return y
}

// residual combines x with an activation of the same shape, or joins it with
// one of the same image size.
func (r *generator) residual(x graph.TensorID) {
	other := r.pick()
	if r.IntN(2) == 0 {
		r.add(graph.Binary{Kind: []graph.Arithmetic{graph.Add, graph.Mul, graph.Maximum}[r.IntN(3)]}, 1, x, other)
		return
	}
	r.add(graph.Concatenation{Axis: 3}, 1, x, other)
}

// move adds an operator that moves elements; axis is that of the channels.
func (r *generator) move(x graph.TensorID, axis int) graph.TensorID {
	s := r.g.Tensor(x).Shape
	switch r.IntN(6) {
	case 0:
		before, after := make([]int, len(s)), make([]int, len(s))
		for d := range s {
			if d != 0 && (d != axis || r.Float64() < 0.2) {
				before[d], after[d] = r.IntN(2), r.IntN(2)
			}
		}
		x, _ = r.add(graph.Pad{Before: before, After: after}, 1, x)
	case 1:
		if s[axis] > 1 {
			n := 1 + r.IntN(s[axis]-1)
			y, _ := r.add(graph.Split{Axis: axis, Sizes: []int{n, s[axis] - n}}, 2, x)
			x, _ = r.add(graph.Concatenation{Axis: axis}, 1, y+1, y)
		}
	case 2:
		op := graph.StridedSlice{Begin: make([]int, len(s)), Count: slices.Clone(s), Stride: slices.Repeat([]int{1}, len(s))}
		d := 1 + r.IntN(len(s)-1)
		op.Begin[d] = r.IntN(s[d])
		op.Count[d] -= op.Begin[d]
		x, _ = r.add(op, 1, x)
	case 3:
		x, _ = r.add(graph.Reshape{Shape: slices.Clone(s)}, 1, x)
	case 4:
		x, _ = r.add(graph.Concatenation{Axis: axis}, 1, x, r.constant(1, 0, withExtent(s, axis, 2)...))
	case 5:
		flat, _ := s.Elements()
		y, _ := r.add(graph.Reshape{Shape: tensor.Shape{flat}}, 1, x)
		x, _ = r.add(graph.Reshape{Shape: slices.Clone(s)}, 1, y)
	}
	return x
}

func withExtent(s tensor.Shape, axis, extent int) []int {
	out := slices.Clone(s)
	out[axis] = extent
	return out
}

// head ends the network in dense layers, after a mean or a flattening of NHWC
// or NCHW.
func (r *generator) head() {
	x := r.live[len(r.live)-1]
	if len(r.g.Tensor(x).Shape) == 4 {
		switch r.IntN(4) {
		case 0:
			x, _ = r.add(graph.Reduce{Kind: graph.ReduceMean, Axes: []int{1, 2}}, 1, x)
		case 1, 2:
			x, _ = r.add(graph.Transpose{Perm: []int{0, 3, 1, 2}}, 1, x)
			x = r.elementwise(x)
		}
	}
	flat, _ := r.g.Tensor(x).Shape.Elements()
	x, _ = r.add(graph.Reshape{Shape: tensor.Shape{1, flat}}, 1, x)
	for range 1 + r.IntN(2) {
		if r.IntN(2) == 0 {
			x = r.norm(x, lastDim(r.g.Tensor(x)))
		}
		if r.IntN(2) == 0 {
			x = r.elementwise(x)
		}
		in, out := lastDim(r.g.Tensor(x)), 2+r.IntN(6)
		w := r.constant(1/math.Sqrt(float64(in)), 0, out, in)
		r.channelsDie(w, out, func(j int) int { return j / in })
		x, _ = r.add(graph.FullyConnected{}, 1, r.operands(x, w, out)...)
	}
	r.add(graph.Softmax{Beta: 1}, 1, x)
}
