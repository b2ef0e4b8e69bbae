package graph

import (
	"math"
	"testing"
)

func TestUnaryRows(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, c := range []struct {
		op      Op
		x, want array
	}{
		{Unary{FuncReLU}, row(-1, 0, 7), row(0, 0, 7)},
		{Unary{FuncReLU6}, row(-1, 3, 7), row(0, 3, 6)},
		{Unary{FuncReLUN1To1}, row(-7, 0.5, 7), row(-1, 0.5, 1)},
		{Unary{FuncReLU0To1}, row(-7, 0.5, 7), row(0, 0.5, 1)},
		{Unary{FuncHardSwish}, row(-4, -3, -1.5, 0, 1, 3, 4), row(0, 0, -0.375, 0, 2.0/3, 3, 4)},
		{Unary{FuncLogistic}, row(0, float32(math.Log(3)), -1000, 1000), row(0.5, 0.75, 0, 1)},
		{Unary{FuncTanh}, row(0, float32(math.Log(2)), -100), row(0, 0.6, -1)},
		{Unary{FuncELU}, row(3, 0, -float32(math.Log(2)), -1e-6), row(3, 0, -0.5, -9.999995e-7)},
		// Φ(1) = 0.8413447…, Φ(−1) = 0.1586552…
		{Unary{FuncGELU}, row(0, 1, -1, 10), row(0, 0.84134475, -0.15865525, 10)},
		{Unary{FuncAbs}, row(-2, 2), row(2, 2)},
		{Unary{FuncNeg}, row(-2, 2), row(2, -2)},
		{Unary{FuncExp}, row(0, 1), row(1, math.E)},
		{Unary{FuncLog}, row(1, math.E), row(0, 1)},
		{Unary{FuncSqrt}, row(0, 2.25), row(0, 1.5)},
		{Unary{FuncRsqrt}, row(4, 0.25), row(0.5, 2)},
		{Unary{FuncSquare}, row(-3, 0.5), row(9, 0.25)},
		{Unary{FuncSin}, row(0, math.Pi/6), row(0, 0.5)},
		{Unary{FuncCos}, row(0, math.Pi/3), row(1, 0.5)},
		{Unary{FuncFloor}, row(-1.5, 1.5), row(-2, 1)},
		{Unary{FuncCeil}, row(-1.5, 1.5), row(-1, 2)},
		{Unary{FuncRound}, row(-2.5, -1.5, 0.5, 1.5, 2.6), row(-2, -2, 0, 2, 3)},
		{LeakyReLU{Alpha: 0.25}, row(-4, 0, 4), row(-1, 0, 4)},
		{LogSoftmax{}, row(0, float32(math.Log(3))), row(float32(math.Log(0.25)), float32(math.Log(0.75)))},
		{LogSoftmax{}, row(3e38, -3e38), row(0, -inf)},
		{L2Normalization{}, row(3, -4), row(0.6, -0.8)},
		{L2Normalization{}, row(0, 0), row(0, 0)},
		{L2Normalization{}, row(1e-7, 0), row(0.1, 0)},
		{L2Normalization{}, row(3e30, 4e30), row(0.6, 0.8)},
	} {
		got := run(t, c.op, 1, c.x)[0]
		for i, w := range c.want.v {
			if g := got.v[i]; g != w && !(math.Abs(float64(g-w)) <= 2e-7*max(1e-6, math.Abs(float64(w)))) {
				t.Errorf("%s of %v: got %v, want %v", c.op.Name(), c.x.v[i], g, w)
			}
		}
	}
}

func TestUnaryTablesAreComplete(t *testing.T) {
	if len(unaryNames) != len(unaryFunctions) || len(binaryNames) != len(binaryRows) {
		t.Fatalf("got %d and %d functions, want %d and %d", len(unaryFunctions), len(binaryRows), len(unaryNames), len(binaryNames))
	}
	for i, f := range unaryFunctions {
		if f == nil || unaryNames[i] == "" {
			t.Errorf("function %d has no name or no definition", i)
		}
	}
}

// The row operators on several rows: each row is its own.
func TestRowsAreSeparate(t *testing.T) {
	r := seeded()
	for range 50 {
		x := randomArray(r, append(randomShape(r, 0, 3), 1+r.IntN(6))...)
		depth := x.shape[len(x.shape)-1]
		for _, op := range []Op{LogSoftmax{}, L2Normalization{}, Softmax{Beta: 1}} {
			got := run(t, op, 1, x)[0]
			for lo := 0; lo < len(x.v); lo += depth {
				one := run(t, op, 1, row(x.v[lo:lo+depth]...))[0]
				sameArray(t, op.Name(), row(got.v[lo:lo+depth]...), one, 0)
			}
		}
	}
}
