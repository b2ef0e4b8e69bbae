package onnx

import (
	"slices"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// gemm imports α·A′·B′ + β·C, where ′ is perhaps a transposition. With a
// constant B it is FullyConnected.
func gemm(c *call) []*value {
	a, b := c.shape(0), c.in[1]
	if len(a) != 2 || len(b.Shape) != 2 {
		return c.invalid("operands %v and %v, want matrices", a, b.Shape)
	}
	alpha, beta := c.float("alpha", 1), c.float("beta", 1)
	x := c.tensor(0)
	if c.integer("transA", 0) != 0 {
		x = c.emit(graph.Transpose{Perm: []int{1, 0}}, x)
	}
	transB := c.integer("transB", 0) != 0
	if !b.isConstant() || !b.isReal() {
		y := c.emit(graph.BatchMatMul{AdjY: transB}, x, c.tensor(1))
		return c.result(c.plus(c.times(y, alpha), beta))
	}
	w := b.Tensor
	if !transB {
		w = c.permute(w, []int{1, 0})
	}
	w = c.scaled(w, alpha)
	bias := c.gemmBias(w.Shape[0], beta)
	y := c.emit(graph.FullyConnected{}, c.filtered(x, w, bias)...)
	if bias == nil {
		y = c.plus(y, beta)
	}
	return c.result(y)
}

// gemmBias is β·C as one number for each of n outputs; nil when C is absent or
// something else.
func (c *call) gemmBias(n int, beta float32) []float32 {
	if !c.has(2) || !c.in[2].isConstant() || !c.in[2].isReal() || c.err != nil {
		return nil
	}
	t := c.in[2].Tensor
	if len(t.Shape) > 2 || len(t.Shape) == 2 && t.Shape[0] != 1 || len(t.Float) != n && len(t.Float) != 1 {
		return nil
	}
	if err := c.im.spent.spend(n); err != nil {
		c.fail(err)
		return nil
	}
	out := make([]float32, n)
	for i := range out {
		out[i] = beta * t.Float[i%len(t.Float)]
	}
	return out
}

// plus adds β·C, input 2, if there is one.
func (c *call) plus(y graph.TensorID, beta float32) graph.TensorID {
	if !c.has(2) || beta == 0 || c.err != nil {
		return y
	}
	return c.emit(graph.Binary{Kind: graph.Add}, y, c.times(c.tensor(2), beta))
}

func (c *call) times(x graph.TensorID, factor float32) graph.TensorID {
	if factor == 1 || c.err != nil {
		return x
	}
	return c.emit(graph.Binary{Kind: graph.Mul}, x, c.scalar(factor))
}

// scaled is t with every value times factor.
func (c *call) scaled(t Tensor, factor float32) Tensor {
	if factor == 1 || c.err != nil {
		return t
	}
	if err := c.im.spent.spend(len(t.Float)); err != nil {
		c.fail(err)
		return t
	}
	t.Float = slices.Clone(t.Float)
	for i := range t.Float {
		t.Float[i] *= factor
	}
	return t
}

// matMul is NumPy's matmul. A constant matrix on the right is FullyConnected on
// all rows of the left side.
func matMul(c *call) []*value {
	a, b := c.shape(0), c.in[1]
	if len(a) == 0 || len(b.Shape) == 0 {
		return c.invalid("operands %v and %v, want no scalar", a, b.Shape)
	}
	depth := a[len(a)-1]
	if len(b.Shape) == 2 && b.isConstant() && b.isReal() && b.Shape[0] == depth && b.length() > 0 {
		w := c.permute(b.Tensor, []int{1, 0})
		return c.result(c.emit(graph.FullyConnected{KeepDims: len(a) != 2}, c.filtered(c.tensor(0), w, nil)...))
	}
	x, y := c.tensor(0), c.tensor(1)
	if len(a) == 1 {
		x = c.reshape(x, tensor.Shape{1, depth})
	}
	if len(b.Shape) == 1 {
		y = c.reshape(y, tensor.Shape{b.Shape[0], 1})
	}
	z := c.emit(graph.BatchMatMul{}, x, y)
	// The dimensions that vectors were given are gone from the result.
	shape := slices.Clone(c.shapeOf(z))
	if c.err != nil {
		return nil
	}
	if len(a) == 1 {
		shape = slices.Delete(shape, len(shape)-2, len(shape)-1)
	}
	if len(b.Shape) == 1 {
		shape = shape[:len(shape)-1]
	}
	return c.result(c.reshape(z, shape))
}
