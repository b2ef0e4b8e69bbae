package graph

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"kedge/runtime/tensor"
)

// The operators are compared with their definitions, written here tap by tap
// and summed in float64.

var activations = []Activation{Linear, ReLU, ReLUN1To1, ReLU6}

func activated(a Activation, v float64) float32 {
	switch a {
	case ReLU:
		v = math.Max(v, 0)
	case ReLUN1To1:
		v = math.Min(math.Max(v, -1), 1)
	case ReLU6:
		v = math.Min(math.Max(v, 0), 6)
	}
	return float32(v)
}

// generator makes random operands.
type generator struct{ *rand.Rand }

func newGenerator(seed uint64) generator { return generator{rand.New(rand.NewPCG(seed, 1))} }

func (r generator) upTo(n int) int { return 1 + r.IntN(n) }

func (r generator) values(n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(4*r.Float64() - 2)
	}
	return v
}

func (r generator) window(maxStride, maxDilation int) Window {
	w := Window{StrideH: r.upTo(maxStride), StrideW: r.upTo(maxStride), DilationH: r.upTo(maxDilation), DilationW: r.upTo(maxDilation)}
	if r.IntN(3) > 0 { // often larger than the filter needs
		w.Pad = Padding{Top: r.IntN(5), Left: r.IntN(5), Bottom: r.IntN(5), Right: r.IntN(5)}
	}
	return w
}

// constant is a random constant of that shape.
func (r generator) constant(shape ...int) Tensor {
	n, _ := tensor.Shape(shape).Elements()
	return Tensor{Name: "constant", Shape: shape, Float: r.values(n)}
}

// single is the graph of one node that takes an input of shape x and constants;
// those without values are inputs too.
func single(op Op, x tensor.Shape, constants ...Tensor) *Graph {
	g := &Graph{}
	operands := []TensorID{g.AddTensor(Tensor{Name: "x", Shape: x})}
	g.Inputs = []TensorID{0}
	for _, c := range constants {
		id := g.AddTensor(c)
		operands = append(operands, id)
		if !c.IsConstant() {
			g.Inputs = append(g.Inputs, id)
		}
	}
	y := g.AddTensor(Tensor{Name: "y"})
	g.AddNode(op, operands, []TensorID{y})
	g.Outputs = []TensorID{y}
	return g
}

// result runs a graph of one input twice, the second time over what the first
// left in the buffers, and returns the output.
func result(t *testing.T, g *Graph, x []float32) ([]float32, tensor.Shape) {
	t.Helper()
	if err := g.Infer(); err != nil {
		t.Fatal(err)
	}
	e, err := NewExecutor(g)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]float32
	for range 2 {
		if out, err = e.Run([][]float32{x}, nil); err != nil {
			t.Fatal(err)
		}
	}
	return out[0], g.Tensor(g.Outputs[0]).Shape
}

// compare accepts the rounding of float32 sums in any order.
func compare(t *testing.T, what any, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%+v: got %d values, want %d", what, len(got), len(want))
	}
	for i, w := range want {
		if d := math.Abs(float64(got[i] - w)); !(d <= 1e-4*(1+math.Abs(float64(w)))) {
			t.Fatalf("%+v: value %d: got %v, want %v", what, i, got[i], w)
		}
	}
}

// at is x's element (b, y, x, c), 0 outside the image.
func at(x []float32, s tensor.Shape, b, row, column, c int) float64 {
	if row < 0 || row >= s[1] || column < 0 || column >= s[2] {
		return 0
	}
	return float64(x[((b*s[1]+row)*s[2]+column)*s[3]+c])
}

// each calls f for every element of s in order, and appends what it returns.
func each(s tensor.Shape, f func(b, y, x, c int) float32) []float32 {
	var out []float32
	for b := range s[0] {
		for y := range s[1] {
			for x := range s[2] {
				for c := range s[3] {
					out = append(out, f(b, y, x, c))
				}
			}
		}
	}
	return out
}

func biasAt(constants []Tensor, c int) float64 {
	if len(constants) < 2 {
		return 0
	}
	return float64(constants[1].Float[c])
}

func TestConv2D(t *testing.T) {
	for seed := range uint64(300) {
		r := newGenerator(seed)
		op := Conv2D{Window: r.window(3, 3), Activation: activations[r.IntN(4)]}
		xs, fh, fw, out := tensor.Shape{r.upTo(3), r.upTo(9), r.upTo(9), r.upTo(5)}, r.upTo(4), r.upTo(4), r.upTo(9)
		switch seed % 10 {
		case 0: // without padding, the image itself is the matrix
			pad := op.Window.Pad
			op.Window, fh, fw = Dense(), 1, 1
			if seed%20 == 0 {
				op.Window.Pad = pad
			}
		case 1: // more rows and columns than one call of Gemm takes
			xs[1], xs[2], out = 30, 31, 200
		case 2: // long rows
			xs[3], op.Window.DilationH = 90, 1
		}
		oh, ow := op.Window.Output(xs[1], xs[2], fh, fw)
		if oh < 1 || ow < 1 {
			continue
		}
		n, _ := xs.Elements()
		x, constants := r.values(n), []Tensor{r.constant(out, fh, fw, xs[3])}
		if r.IntN(2) == 0 {
			constants = append(constants, r.constant(out))
		}
		ws, w := constants[0].Shape, constants[0].Float
		want := each(tensor.Shape{xs[0], oh, ow, out}, func(b, y, column, o int) float32 {
			sum := biasAt(constants, o)
			for ky := range fh {
				for kx := range fw {
					for c := range xs[3] {
						sum += at(x, xs, b, y*op.Window.StrideH+ky*op.Window.DilationH-op.Window.Pad.Top, column*op.Window.StrideW+kx*op.Window.DilationW-op.Window.Pad.Left, c) *
							at(w, ws, o, ky, kx, c)
					}
				}
			}
			return activated(op.Activation, sum)
		})
		got, shape := result(t, single(op, xs, constants...), x)
		if wantShape := (tensor.Shape{xs[0], oh, ow, out}); !shape.Equal(wantShape) {
			t.Errorf("got shape %v, want %v", shape, wantShape)
		}
		compare(t, fmt.Sprintf("%+v on %v with %v", op, xs, ws), got, want)
	}
}

func TestDepthwiseConv2D(t *testing.T) {
	for seed := range uint64(300) {
		r := newGenerator(seed)
		op := DepthwiseConv2D{Window: r.window(3, 3), Multiplier: 1, Activation: activations[r.IntN(4)]}
		if seed%3 == 0 {
			op.Multiplier = r.upTo(4)
		}
		xs, fh, fw := tensor.Shape{r.upTo(3), r.upTo(9), r.upTo(9), r.upTo(9)}, r.upTo(4), r.upTo(8)
		oh, ow := op.Window.Output(xs[1], xs[2], fh, fw)
		if oh < 1 || ow < 1 {
			continue
		}
		out := xs[3] * op.Multiplier
		n, _ := xs.Elements()
		x, constants := r.values(n), []Tensor{r.constant(1, fh, fw, out)}
		if r.IntN(2) == 0 {
			constants = append(constants, r.constant(out))
		}
		ws, w := constants[0].Shape, constants[0].Float
		want := each(tensor.Shape{xs[0], oh, ow, out}, func(b, y, column, o int) float32 {
			sum := biasAt(constants, o)
			for ky := range fh {
				for kx := range fw {
					sum += at(x, xs, b, y*op.Window.StrideH+ky*op.Window.DilationH-op.Window.Pad.Top, column*op.Window.StrideW+kx*op.Window.DilationW-op.Window.Pad.Left, o/op.Multiplier) *
						at(w, ws, 0, ky, kx, o)
				}
			}
			return activated(op.Activation, sum)
		})
		got, _ := result(t, single(op, xs, constants...), x)
		compare(t, fmt.Sprintf("%+v on %v with %v", op, xs, ws), got, want)
	}
}

func TestTransposeConv(t *testing.T) {
	for seed := range uint64(300) {
		r := newGenerator(seed)
		op := TransposeConv{
			StrideH: r.upTo(4), StrideW: r.upTo(4), PadTop: r.IntN(4), PadLeft: r.IntN(4),
			OutputH: r.upTo(14), OutputW: r.upTo(14), Activation: activations[r.IntN(4)],
		}
		xs, fh, fw, out := tensor.Shape{r.upTo(3), r.upTo(6), r.upTo(6), r.upTo(5)}, r.upTo(4), r.upTo(4), r.upTo(5)
		if seed%10 == 0 { // more products than the scratch holds
			fh, fw, out, xs[1], xs[2] = 5, 7, 150, 8, 9
		}
		n, _ := xs.Elements()
		x, constants := r.values(n), []Tensor{r.constant(out, fh, fw, xs[3])}
		if r.IntN(2) == 0 {
			constants = append(constants, r.constant(out))
		}
		ws, w := constants[0].Shape, constants[0].Float
		ys := tensor.Shape{xs[0], op.OutputH, op.OutputW, out}
		sums := make([]float64, xs[0]*op.OutputH*op.OutputW*out)
		each(xs, func(b, y, column, c int) float32 {
			for ky := range fh {
				for kx := range fw {
					ty, tx := y*op.StrideH+ky-op.PadTop, column*op.StrideW+kx-op.PadLeft
					if ty < 0 || ty >= op.OutputH || tx < 0 || tx >= op.OutputW {
						continue
					}
					for o := range out {
						sums[((b*op.OutputH+ty)*op.OutputW+tx)*out+o] += at(x, xs, b, y, column, c) * at(w, ws, o, ky, kx, c)
					}
				}
			}
			return 0
		})
		want := make([]float32, len(sums))
		for i, sum := range sums {
			want[i] = activated(op.Activation, sum+biasAt(constants, i%out))
		}
		got, shape := result(t, single(op, xs, constants...), x)
		if !shape.Equal(ys) {
			t.Errorf("got shape %v, want %v", shape, ys)
		}
		compare(t, fmt.Sprintf("%+v on %v with %v", op, xs, ws), got, want)
	}
}

func TestPool2D(t *testing.T) {
	checked := 0
	for seed := range uint64(600) {
		r := newGenerator(seed)
		w, a := r.window(3, 1), activations[r.IntN(4)]
		xs, fh, fw := tensor.Shape{r.upTo(3), r.upTo(9), r.upTo(9), r.upTo(5)}, r.upTo(5), r.upTo(5)
		oh, ow := w.Output(xs[1], xs[2], fh, fw)
		if oh < 1 || ow < 1 {
			continue
		}
		n, _ := xs.Elements()
		x, empty := r.values(n), false
		pool := func(mean bool) []float32 {
			return each(tensor.Shape{xs[0], oh, ow, xs[3]}, func(b, y, column, c int) float32 {
				sum, top, count := 0.0, math.Inf(-1), 0
				for ky := range fh {
					for kx := range fw {
						row, col := y*w.StrideH+ky-w.Pad.Top, column*w.StrideW+kx-w.Pad.Left
						if row < 0 || row >= xs[1] || col < 0 || col >= xs[2] {
							continue
						}
						v := at(x, xs, b, row, col, c)
						sum, top, count = sum+v, math.Max(top, v), count+1
					}
				}
				empty = empty || count == 0
				if mean {
					return activated(a, sum/float64(count))
				}
				return activated(a, top)
			})
		}
		for _, c := range []struct {
			op   Op
			want []float32
		}{
			{AveragePool2D{Window: w, FilterH: fh, FilterW: fw, Activation: a}, pool(true)},
			{MaxPool2D{Window: w, FilterH: fh, FilterW: fw, Activation: a}, pool(false)},
		} {
			g := single(c.op, xs)
			if empty {
				if err := g.Infer(); err == nil {
					t.Errorf("%+v on %v: no error, but a window sees nothing", c.op, xs)
				}
				continue
			}
			got, _ := result(t, g, x)
			compare(t, fmt.Sprintf("%+v on %v", c.op, xs), got, c.want)
			checked++
		}
	}
	if checked < 200 {
		t.Errorf("%d comparisons, want at least 200", checked)
	}
}

func TestBatchMatMul(t *testing.T) {
	for seed := range uint64(300) {
		r := newGenerator(seed)
		op := BatchMatMul{AdjX: r.IntN(2) == 0, AdjY: r.IntN(2) == 0}
		m, k, n := r.upTo(5), r.upTo(7), r.upTo(5)
		if seed%10 == 0 {
			m, k, n = 70, 130, 200
		}
		// Leading dimensions that broadcast: each side lacks some, or has 1.
		lead := []int{r.upTo(3), r.upTo(3)}
		xs, ys := r.broadcastable(lead), r.broadcastable(lead)
		xs, ys = append(xs, swap(op.AdjX, m, k)...), append(ys, swap(op.AdjY, k, n)...)
		nx, _ := xs.Elements()
		x, y := r.values(nx), r.constant(ys...)
		xl, yl := leading(xs), leading(ys)
		zs := tensor.Shape{max(xl[0], yl[0]), max(xl[1], yl[1]), m, n}
		want := each(zs, func(i, j, row, column int) float32 {
			sum := 0.0
			for l := range k {
				a, b := row*k+l, l*n+column
				if op.AdjX {
					a = l*m + row
				}
				if op.AdjY {
					b = column*k + l
				}
				sum += float64(x[(i%xl[0]*xl[1]+j%xl[1])*m*k+a]) * float64(y.Float[(i%yl[0]*yl[1]+j%yl[1])*k*n+b])
			}
			return float32(sum)
		})
		got, shape := result(t, single(op, xs, y), x)
		if wantShape := zs[4-max(len(xs), len(ys)):]; !shape.Equal(wantShape) {
			t.Errorf("%+v of %v, %v: got shape %v, want %v", op, xs, ys, shape, wantShape)
		}
		compare(t, fmt.Sprintf("%+v of %v, %v", op, xs, ys), got, want)
	}
}

func (r generator) broadcastable(lead []int) tensor.Shape {
	s := tensor.Shape(nil)
	for _, d := range lead[r.IntN(len(lead)+1):] {
		if r.IntN(3) == 0 {
			d = 1
		}
		s = append(s, d)
	}
	return s
}

// leading fills the dimensions before the matrix up to two.
func leading(s tensor.Shape) tensor.Shape {
	out := tensor.Shape{1, 1}
	copy(out[4-len(s):], s[:len(s)-2])
	return out
}

func swap(yes bool, a, b int) []int {
	if yes {
		return []int{b, a}
	}
	return []int{a, b}
}

func TestFullyConnected(t *testing.T) {
	for seed := range uint64(200) {
		r := newGenerator(seed)
		in, out := r.upTo(40), r.upTo(250)
		if seed%4 == 0 {
			in = 100 + r.upTo(300)
		}
		xs, op := tensor.Shape{}, FullyConnected{Activation: activations[r.IntN(4)], KeepDims: r.IntN(2) == 0}
		for range r.IntN(3) {
			xs = append(xs, r.upTo(9))
		}
		rows, _ := xs.Elements()
		wantShape := tensor.Shape{rows, out}
		if op.KeepDims {
			wantShape = append(append(tensor.Shape{}, xs...), out)
		}
		xs = append(xs, in)
		if !op.KeepDims && seed%2 == 0 { // rows that do not end with a dimension
			xs = append(xs, 2)
			wantShape[0] = 2 * rows
		}
		n, _ := xs.Elements()
		x, constants := r.values(n), []Tensor{r.constant(out, in)}
		if r.IntN(2) == 0 {
			constants = append(constants, r.constant(out))
		}
		var want []float32
		for lo := 0; lo < len(x); lo += in {
			for o := range out {
				sum := biasAt(constants, o)
				for i, v := range x[lo : lo+in] {
					sum += float64(v) * float64(constants[0].Float[o*in+i])
				}
				want = append(want, activated(op.Activation, sum))
			}
		}
		got, shape := result(t, single(op, xs, constants...), x)
		if !shape.Equal(wantShape) {
			t.Errorf("%+v of %v: got shape %v, want %v", op, xs, shape, wantShape)
		}
		compare(t, fmt.Sprintf("%+v of %v with %d × %d", op, xs, out, in), got, want)
	}
}
