package graph

import (
	"fmt"
	"testing"

	"kedge/runtime/tensor"
)

// chain builds a network one layer at a time.
type chain struct {
	generator
	g  *Graph
	at TensorID
}

func (c *chain) add(op Op, constants ...Tensor) {
	operands := []TensorID{c.at}
	for _, t := range constants {
		operands = append(operands, c.g.AddTensor(t))
	}
	c.at = c.g.AddTensor(Tensor{Name: "activation"})
	c.g.AddNode(op, operands, []TensorID{c.at})
}

// small weights keep the values of a deep network finite.
func (c *chain) weights(fanIn int, shape ...int) Tensor {
	t := c.constant(shape...)
	for i := range t.Float {
		t.Float[i] /= float32(fanIn)
	}
	return t
}

// mobileNetV2 has the layers of MobileNetV2 1.0 for 224 × 224 pixels (the
// paper's table 2), 300 million multiply-accumulates, but for the residual
// additions.
func mobileNetV2(b *testing.B) *Graph {
	size, depth := 224, 3
	c := &chain{generator: newGenerator(1), g: &Graph{}}
	c.at = c.g.AddTensor(Tensor{Name: "x", Shape: tensor.Shape{1, size, size, depth}})
	c.g.Inputs = []TensorID{c.at}
	window := func(stride int) Window {
		w := Window{StrideH: stride, StrideW: stride, DilationH: 1, DilationW: 1}.Same(size, size, 3, 3)
		size = (size + stride - 1) / stride
		return w
	}
	pointwise := func(out int, a Activation) {
		c.add(Conv2D{Window: Dense(), Activation: a}, c.weights(depth, out, 1, 1, depth), c.constant(out))
		depth = out
	}
	c.add(Conv2D{Window: window(2), Activation: ReLU6}, c.weights(27, 32, 3, 3, 3), c.constant(32))
	depth = 32
	for _, s := range []struct{ expansion, out, repeat, stride int }{
		{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1},
	} {
		for i := range s.repeat {
			if s.expansion > 1 {
				pointwise(depth*s.expansion, ReLU6)
			}
			stride := 1
			if i == 0 {
				stride = s.stride
			}
			c.add(DepthwiseConv2D{Window: window(stride), Multiplier: 1, Activation: ReLU6}, c.weights(9, 1, 3, 3, depth), c.constant(depth))
			pointwise(s.out, Linear)
		}
	}
	pointwise(1280, ReLU6)
	c.add(AveragePool2D{Window: Dense(), FilterH: size, FilterW: size})
	c.add(FullyConnected{}, c.weights(1280, 1000, 1280), c.constant(1000))
	c.g.Outputs = []TensorID{c.at}
	if err := c.g.Infer(); err != nil {
		b.Fatal(err)
	}
	return c.g
}

// BenchmarkMobileNetV2 is one image on one executor, and as many executors side
// by side as there are processors.
func BenchmarkMobileNetV2(b *testing.B) {
	g := mobileNetV2(b)
	size, _ := g.Tensor(g.Inputs[0]).Shape.Elements()
	x := newGenerator(2).values(size)
	run := func(b *testing.B, next func() bool) {
		e, err := NewExecutor(g)
		if err != nil {
			b.Error(err)
			return
		}
		for next() {
			if _, err := e.Run([][]float32{x}, nil); err != nil {
				b.Error(err)
				return
			}
		}
	}
	b.Run("one", func(b *testing.B) { run(b, b.Loop) })
	b.Run("parallel", func(b *testing.B) { b.RunParallel(func(p *testing.PB) { run(b, p.Next) }) })
}

func BenchmarkLayers(b *testing.B) {
	r := newGenerator(1)
	for _, c := range []struct {
		op Op
		x  tensor.Shape
		w  []int
	}{
		{Conv2D{Window: Window{2, 2, 1, 1, Padding{0, 0, 1, 1}}}, tensor.Shape{1, 224, 224, 3}, []int{32, 3, 3, 3}},
		{Conv2D{Window: Dense()}, tensor.Shape{1, 56, 56, 24}, []int{144, 1, 1, 24}},
		{Conv2D{Window: Dense()}, tensor.Shape{1, 56, 56, 144}, []int{24, 1, 1, 144}},
		{Conv2D{Window: Dense()}, tensor.Shape{1, 14, 14, 96}, []int{576, 1, 1, 96}},
		{Conv2D{Window: Dense()}, tensor.Shape{1, 7, 7, 960}, []int{320, 1, 1, 960}},
		{Conv2D{Window: Window{1, 1, 1, 1, Padding{1, 1, 1, 1}}}, tensor.Shape{1, 28, 28, 128}, []int{128, 3, 3, 128}},
		{DepthwiseConv2D{Window: Window{1, 1, 1, 1, Padding{1, 1, 1, 1}}, Multiplier: 1}, tensor.Shape{1, 56, 56, 144}, []int{1, 3, 3, 144}},
		{DepthwiseConv2D{Window: Window{2, 2, 1, 1, Padding{1, 1, 1, 1}}, Multiplier: 8}, tensor.Shape{1, 49, 40, 1}, []int{1, 10, 8, 8}},
		{TransposeConv{StrideH: 2, StrideW: 2, OutputH: 56, OutputW: 56}, tensor.Shape{1, 28, 28, 64}, []int{32, 2, 2, 64}},
		{FullyConnected{}, tensor.Shape{1, 1280}, []int{1000, 1280}},
		{FullyConnected{}, tensor.Shape{1, 64}, []int{1000, 64}},
	} {
		b.Run(fmt.Sprintf("%s/%v·%v", c.op.Name(), c.x, c.w), func(b *testing.B) {
			g := single(c.op, c.x, r.constant(c.w...))
			if err := g.Infer(); err != nil {
				b.Fatal(err)
			}
			e, err := NewExecutor(g)
			if err != nil {
				b.Fatal(err)
			}
			n, _ := c.x.Elements()
			x := r.values(n)
			for b.Loop() {
				if _, err := e.Run([][]float32{x}, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
