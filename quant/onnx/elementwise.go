package onnx

import (
	"math"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// unary imports an operator that is one of graph's functions.
func unary(kind graph.Function) func(*call) []*value {
	return func(c *call) []*value {
		return c.result(c.emit(graph.Unary{Kind: kind}, c.tensor(0)))
	}
}

// arithmetic imports an operator of two operands; on two constants of integers
// it computes.
func arithmetic(kind graph.Arithmetic, integers func(a, b int64) (int64, bool)) func(*call) []*value {
	return func(c *call) []*value {
		if c.in[0].isConstant() && c.in[1].isConstant() && !c.in[0].isReal() && !c.in[1].isReal() {
			return c.combine(integers, c.in[0], c.in[1])
		}
		return c.result(c.emit(graph.Binary{Kind: kind}, c.tensor(0), c.tensor(1)))
	}
}

// variadic imports an operator of any number of operands as a chain.
func variadic(kind graph.Arithmetic, integers func(a, b int64) (int64, bool)) func(*call) []*value {
	return func(c *call) []*value {
		for i := range c.in {
			if !c.has(i) {
				return c.invalid("input %d is left out", i)
			}
		}
		if c.in[0].isConstant() && !c.in[0].isReal() {
			acc := []*value{c.in[0]}
			for _, v := range c.in[1:] {
				if !v.isConstant() || v.isReal() {
					return c.unsupported("on integers and real numbers")
				}
				if acc = c.combine(integers, acc[0], v); c.err != nil {
					return nil
				}
			}
			return acc
		}
		acc := c.tensor(0)
		for i := range c.in[1:] {
			acc = c.emit(graph.Binary{Kind: kind}, acc, c.tensor(i+1))
		}
		return c.result(acc)
	}
}

func mean(c *call) []*value {
	sum := variadic(graph.Add, addIntegers)(c)
	if c.err != nil || len(c.in) == 1 {
		return sum
	}
	if sum[0].id == graph.None {
		return c.unsupported("on integers")
	}
	return c.result(c.emit(graph.Binary{Kind: graph.Mul}, sum[0].id, c.scalar(1/float32(len(c.in)))))
}

// clip's bounds are inputs; each may be left out.
func clip(c *call) []*value {
	low, high := math.Inf(-1), math.Inf(1)
	for i, bound := range []*float64{&low, &high} {
		if v, ok := c.realScalar(i + 1); ok {
			*bound = float64(v)
		}
	}
	// The greatest finite values mean no bound either: it is how exporters write it.
	if low <= -math.MaxFloat32 {
		low = math.Inf(-1)
	}
	if high >= math.MaxFloat32 {
		high = math.Inf(1)
	}
	x := c.tensor(0)
	known := map[[2]float64]graph.Function{
		{0, math.Inf(1)}: graph.FuncReLU, {0, 6}: graph.FuncReLU6, {-1, 1}: graph.FuncReLUN1To1, {0, 1}: graph.FuncReLU0To1,
	}
	if kind, ok := known[[2]float64{low, high}]; ok {
		return c.result(c.emit(graph.Unary{Kind: kind}, x))
	}
	if !math.IsInf(low, -1) {
		x = c.emit(graph.Binary{Kind: graph.Maximum}, x, c.scalar(float32(low)))
	}
	// After the lower bound, so that the upper one holds where they cross.
	if !math.IsInf(high, 1) {
		x = c.emit(graph.Binary{Kind: graph.Minimum}, x, c.scalar(float32(high)))
	}
	if c.err == nil && x == c.tensor(0) {
		return c.in[:1]
	}
	return c.result(x)
}

// elu is max(x, 0) + α·(exp(min(x, 0)) − 1).
func elu(c *call) []*value {
	x, alpha := c.tensor(0), c.float("alpha", 1)
	if alpha == 1 {
		return c.result(c.emit(graph.Unary{Kind: graph.FuncELU}, x))
	}
	below := c.emit(graph.Unary{Kind: graph.FuncELU}, c.emit(graph.Binary{Kind: graph.Minimum}, x, c.scalar(0)))
	below = c.emit(graph.Binary{Kind: graph.Mul}, below, c.scalar(alpha))
	return c.result(c.emit(graph.Binary{Kind: graph.Add}, c.emit(graph.Unary{Kind: graph.FuncReLU}, x), below))
}

// gelu is x·Φ(x) or, approximated, x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))).
func gelu(c *call) []*value {
	x := c.tensor(0)
	switch mode := c.text("approximate", "none"); mode {
	case "none":
		return c.result(c.emit(graph.Unary{Kind: graph.FuncGELU}, x))
	case "tanh":
	default:
		return c.invalid("approximate %q", mode)
	}
	mul, add := graph.Binary{Kind: graph.Mul}, graph.Binary{Kind: graph.Add}
	cube := c.emit(mul, c.emit(graph.Unary{Kind: graph.FuncSquare}, x), x)
	sum := c.emit(add, x, c.emit(mul, cube, c.scalar(0.044715)))
	t := c.emit(graph.Unary{Kind: graph.FuncTanh}, c.emit(mul, sum, c.scalar(float32(math.Sqrt(2/math.Pi)))))
	return c.result(c.emit(mul, c.emit(mul, x, c.scalar(0.5)), c.emit(add, t, c.scalar(1))))
}

// hardSigmoid is min(max(α·x + β, 0), 1).
func hardSigmoid(c *call) []*value {
	x := c.emit(graph.Binary{Kind: graph.Mul}, c.tensor(0), c.scalar(c.float("alpha", 0.2)))
	x = c.emit(graph.Binary{Kind: graph.Add}, x, c.scalar(c.float("beta", 0.5)))
	return c.result(c.emit(graph.Unary{Kind: graph.FuncReLU0To1}, x))
}

func leakyRelu(c *call) []*value {
	return c.result(c.emit(graph.LeakyReLU{Alpha: c.float("alpha", 0.01)}, c.tensor(0)))
}

// pow is supported for the constant exponents that are other operators.
func pow(c *call) []*value {
	v := c.in[1]
	if !v.isConstant() {
		return c.unsupported("exponent computed at run time")
	}
	exponent, ok := uniform(v)
	if !ok {
		return c.unsupported("exponents that differ")
	}
	if n, _ := v.Shape.Elements(); n != 1 || len(v.Shape) > len(c.shape(0)) {
		return c.unsupported("exponent of shape %v", v.Shape)
	}
	x := c.tensor(0)
	square := func() graph.TensorID { return c.emit(graph.Unary{Kind: graph.FuncSquare}, x) }
	switch exponent {
	case 1:
		return c.in[:1]
	case 2:
		return c.result(square())
	case 3:
		return c.result(c.emit(graph.Binary{Kind: graph.Mul}, square(), x))
	case 4:
		return c.result(c.emit(graph.Unary{Kind: graph.FuncSquare}, square()))
	case 0.5:
		return c.result(c.emit(graph.Unary{Kind: graph.FuncSqrt}, x))
	case -0.5:
		return c.result(c.emit(graph.Unary{Kind: graph.FuncRsqrt}, x))
	case -1:
		return reciprocal(c)
	}
	return c.unsupported("exponent %v; only -1, -0.5, 0.5, 1, 2, 3 and 4 are other operators", exponent)
}

func reciprocal(c *call) []*value {
	return c.result(c.emit(graph.Binary{Kind: graph.Div}, c.scalar(1), c.tensor(0)))
}

// pRelu puts the slopes where TFLite has them, in the last dimensions.
func pRelu(c *call) []*value {
	slope, rank := c.in[1], len(c.shape(0))
	if !slope.isConstant() || !slope.isReal() {
		return c.unsupported("slope computed at run time")
	}
	if len(slope.Shape) > rank {
		return c.invalid("slope %v for an input of shape %v", slope.Shape, c.shape(0))
	}
	t := Tensor{Shape: append(ones(rank-len(slope.Shape)), slope.Shape...), Type: slope.Type, Float: slope.Float}
	if rank != 3 && rank != 4 || t.Shape[0] != 1 {
		return c.result(c.emit(graph.PReLU{}, c.tensor(0), c.tensor(1)))
	}
	t = c.permute(t, toLast(rank))
	y := c.emit(graph.PReLU{}, c.channelsLast(c.tensor(0)), c.constant(t.Shape[1:], t.Float...))
	return c.result(c.channelsFirst(y))
}

func ones(n int) tensor.Shape {
	s := make(tensor.Shape, n)
	for i := range s {
		s[i] = 1
	}
	return s
}
