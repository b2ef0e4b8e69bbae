package op

import (
	"cmp"
	"fmt"

	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// batchMatMul is BATCH_MATMUL: the product of the last two dimensions of x and
// y, each transposed if its option says so, for every pair of matrices that the
// leading dimensions give by broadcasting.
//
// Both inputs may be computed. int8 sums in 32 bits and rounds twice; int16, with
// zero points 0, sums in 64 bits and uses the short multiplier. The product of
// the input scales is rounded to float32.
type batchMatMul[T int8 | int16] struct {
	matrixPairs
	xZero, yZero, zero int32
	m                  fixed.Multiplier
	lo, hi             int32
	wide               bool
}

// matrixPairs is how the matrices of BATCH_MATMUL lie in its operands.
type matrixPairs struct {
	x, y, out           int
	batches             broadcast
	rows, cols, depth   int
	xRow, xStep         int // elements from one row of x to the next, and along a row
	yCol, yStep         int // from one column of y to the next, and along a column
	xMatrix, yMatrix, n int // elements of each matrix
}

func prepareBatchMatMul(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	x, y, out := p.in(0), p.in(1), p.out(0)
	if p.isReal() {
		return p.realBatchMatMul(x, y, out)
	}
	if err := cmp.Or(
		p.types(x, tensor.Int8, tensor.Int16), p.types(y, x.Type), p.types(out, x.Type),
		p.matrices(x), p.matrices(y), p.quantized(x), p.quantized(y), p.quantized(out), p.centered(x, y, out),
	); err != nil {
		return nil, err
	}
	if x.Type == tensor.Int16 {
		return bindBatchMatMul[int16](p)
	}
	return bindBatchMatMul[int8](p)
}

// matrices checks the rank.
func (p *Prep) matrices(t operand) error {
	if n := len(t.Shape); n < 2 || n > 5 {
		return p.unsupported(t, fmt.Sprintf("shape %v", t.Shape), "2 to 5 dimensions")
	}
	return nil
}

// bindBatchMatMul completes the preparation for an element type.
func bindBatchMatMul[T int8 | int16](p *Prep) (Evaluator, error) {
	x, y, out := p.in(0), p.in(1), p.out(0)
	a := &batchMatMul[T]{
		wide:  x.Type == tensor.Int16,
		xZero: x.Quant.ZeroPoint(), yZero: y.Quant.ZeroPoint(), zero: out.Quant.ZeroPoint(),
	}
	a.lo, a.hi, _ = out.Type.Range()
	if err := a.layOut(p, x, y, out); err != nil {
		return nil, err
	}
	product := float32(x.Quant.Scale() * y.Quant.Scale())
	var err error
	if a.m, err = p.multiplier(y, float64(product)/float64(out.Quant.Scale())); err != nil {
		return nil, err
	}
	if a.wide && a.m.Shift > 7 {
		return nil, p.invalid(y, "scales that ask for a factor of 128 or more", "less")
	}
	p.MACs = int64(out.elements()) * int64(a.depth)
	return a, nil
}

// layOut checks how the shapes fit together and sets the strides.
func (a *matrixPairs) layOut(p *Prep, x, y, out operand) error {
	a.x, a.y, a.out = x.id, y.id, out.id
	lastX, lastY := len(x.Shape)-1, len(y.Shape)-1
	a.rows, a.depth = x.Shape[lastX-1], x.Shape[lastX]
	a.xRow, a.xStep = a.depth, 1
	if p.Operator.Options.Bool(0, false) {
		a.rows, a.depth = a.depth, a.rows
		a.xRow, a.xStep = 1, a.rows
	}
	depth := y.Shape[lastY-1]
	a.cols = y.Shape[lastY]
	a.yCol, a.yStep = 1, a.cols
	if p.Operator.Options.Bool(1, false) {
		depth, a.cols = a.cols, depth
		a.yCol, a.yStep = depth, 1
	}
	if depth != a.depth {
		return p.invalid(y, fmt.Sprintf("shape %v, %d products to a sum", y.Shape, depth), fmt.Sprintf("%d, as %v has", a.depth, x.Shape))
	}
	rank := max(len(x.Shape), len(y.Shape))
	if len(out.Shape) != rank {
		return p.invalid(out, fmt.Sprintf("shape %v", out.Shape), fmt.Sprintf("%d dimensions", rank))
	}
	want := append(append(tensor.Shape(nil), out.Shape[:rank-2]...), a.rows, a.cols)
	if err := p.shape(out, want); err != nil {
		return err
	}
	a.xMatrix, a.yMatrix, a.n = a.rows*a.depth, a.depth*a.cols, a.rows*a.cols
	var err error
	a.batches, err = p.broadcast(leading(x), leading(y), leading(out))
	return err
}

// leading is t as a tensor of matrices: its dimensions but the last two.
func leading(t operand) operand {
	return operand{t.id, &tflite.Tensor{Name: t.Name, Type: t.Type, Shape: t.Shape[:len(t.Shape)-2]}}
}

func (a *batchMatMul[T]) Eval(m *Memory) {
	if a.n == 0 {
		return
	}
	x, y, out := get[T](m, a.x), get[T](m, a.y), get[T](m, a.out)
	a.batches.each(func(i, j, k int) {
		a.matrix(x[i*a.xMatrix:(i+1)*a.xMatrix], y[j*a.yMatrix:(j+1)*a.yMatrix], out[k*a.n:(k+1)*a.n])
	})
}

// matrix is the product of one pair.
func (a *batchMatMul[T]) matrix(x, y, out []T) {
	for r := range a.rows {
		for c := range a.cols {
			var acc int64
			i, j := r*a.xRow, c*a.yCol
			for range a.depth {
				acc += int64((int32(x[i]) - a.xZero) * (int32(y[j]) - a.yZero))
				i, j = i+a.xStep, j+a.yStep
			}
			v := int32(0)
			if a.wide {
				v = a.m.ApplyWide(acc)
			} else {
				v = a.m.Apply(int32(acc))
			}
			out[r*a.cols+c] = T(min(max(v+a.zero, a.lo), a.hi))
		}
	}
}

// realBatchMatMul is BATCH_MATMUL on float32: products are added one by one.
type realBatchMatMul struct{ matrixPairs }

func (p *Prep) realBatchMatMul(x, y, out operand) (Evaluator, error) {
	if err := cmp.Or(p.types(y, x.Type), p.types(out, x.Type), p.matrices(x), p.matrices(y)); err != nil {
		return nil, err
	}
	a := &realBatchMatMul{}
	err := a.layOut(p, x, y, out)
	p.MACs = int64(out.elements()) * int64(a.depth)
	return a, err
}

func (a *realBatchMatMul) Eval(m *Memory) {
	if a.n == 0 {
		return
	}
	x, y, out := get[float32](m, a.x), get[float32](m, a.y), get[float32](m, a.out)
	a.batches.each(func(i, j, k int) {
		a.matrix(x[i*a.xMatrix:(i+1)*a.xMatrix], y[j*a.yMatrix:(j+1)*a.yMatrix], out[k*a.n:(k+1)*a.n])
	})
}

// matrix is the product of one pair.
func (a *realBatchMatMul) matrix(x, y, out []float32) {
	for r := range a.rows {
		for c := range a.cols {
			sum := float32(0)
			i, j := r*a.xRow, c*a.yCol
			for range a.depth {
				sum += float32(x[i] * y[j])
				i, j = i+a.xStep, j+a.yStep
			}
			out[r*a.cols+c] = sum
		}
	}
}
