package op

import (
	"slices"

	"kedge/runtime/kernel"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// sparseFullyConnected is FULLY_CONNECTED on int8 that reads only the stored
// weights of a compressed constant. Its results are those of the dense layer,
// because a weight of 0 with zero point 0 adds nothing. Its multiply-accumulate
// operations are counted as if it were dense, as is usual for sparse networks, so
// that figures of one network stay comparable.
type sparseFullyConnected struct {
	in, out int
	kernel.SparseDense
}

// sparsePays is the part of the weights that must be 0 for the sparse layer to be
// faster than the dense one, by the length of the blocks, with the generic
// kernels (BenchmarkSparseDense: blocks of 16 break even at 0.3, of 8 at 0.4, of 4
// and single weights at 0.65). Weights in other blocks are expanded.
var sparsePays = []struct {
	block    int
	fraction float64
}{
	{16, 0.4},
	{8, 0.5},
	{4, 0.7},
	{1, 0.7},
}

// ReadsCompressed reports whether operator o of a subgraph computes on the
// compressed form of its input i, which is given. Compressed tensors that it
// does not read so have to be expanded first.
func ReadsCompressed(o *tflite.Operator, tensors []tflite.Tensor, i int) bool {
	switch o.Code {
	case tflite.Densify:
		return true
	case tflite.FullyConnected:
		return i == 1 && o.Inputs[0] != tflite.NoTensor && tensors[o.Inputs[0]].Type == tensor.Int8 && sparseRows(&tensors[o.Inputs[1]])
	}
	return false
}

// readsCompressed is ReadsCompressed for an operand.
func (p *Prep) readsCompressed(t operand) bool {
	i := slices.Index(p.Operator.Inputs, t.id)
	return p.Operator.Code == tflite.Densify || i >= 0 && ReadsCompressed(p.Operator, p.Tensors, i)
}

// sparseRows reports whether compressed weights are rows of stored blocks, few
// enough for the sparse layer to pay.
func sparseRows(w *tflite.Tensor) bool {
	if !w.Compressed || w.Type != tensor.Int8 || len(w.Shape) != 2 || slices.ContainsFunc(w.Quant.ZeroPoints, func(z int32) bool { return z != 0 }) {
		return false
	}
	l := w.Sparsity.Levels
	if l[0].Dim != 0 || !l[0].Dense() || l[1].Dense() {
		return false
	}
	if len(l) > 3 || len(l) == 3 && (l[2].Dim != 1 || !l[2].Dense()) {
		return false
	}
	for _, s := range sparsePays {
		if s.block == blockLength(w) {
			return w.Sparsity.Fraction() >= s.fraction
		}
	}
	return false
}

// blockLength is the number of neighboring weights that are stored together.
func blockLength(w *tflite.Tensor) int {
	if l := w.Sparsity.Levels; len(l) == 3 {
		return l[2].Size
	}
	return 1
}

// sparseFullyConnected completes the preparation of d, whose geometry and output
// are set, for compressed weights.
func (p *Prep) sparseFullyConnected(d kernel.Dense, in, w, out operand) (Evaluator, error) {
	rows := &w.Sparsity.Levels[1]
	s := kernel.SparseDense{
		Batch: d.Batch, K: d.K, N: d.N, InZero: d.InZero, Output: d.Output,
		Block: blockLength(w.Tensor), Segments: rows.Segments, Columns: rows.Indices, Weights: view[int8](w.Data),
	}
	var err error
	if s.Bias, err = p.bias(p.in(2), d.N); err != nil {
		return nil, err
	}
	if err := p.Budget.Spend(d.N, 4); err != nil {
		return nil, err
	}
	s.Prepare()
	p.MACs = int64(d.Batch) * int64(d.N) * int64(d.K)
	return &sparseFullyConnected{in.id, out.id, s}, nil
}

func (d *sparseFullyConnected) Eval(m *Memory) {
	d.Run(get[int8](m, d.in), get[int8](m, d.out))
}
